#include "cli/command_words.hpp"

#include <algorithm>

#include "cli/command_table.hpp"
#include "cli/option_words.hpp"

namespace vsim::cli {
namespace {

// Each names something else that stands behind vercel-sim, or is not possible together.
void conflicts(Given& g) {
  constexpr std::string_view kWhy = "each says what stands behind vercel-sim, so only one can be given";
  const auto problem = [&](std::string text) { g.problems.push_back(std::move(text)); };
  const RunOptions& run = g.run();
  const bool runs = g.command == HelpTopic::run && g.after_dashes;
  if (g.has("--upstream") && g.has("--app")) problem(fmt::format("--upstream and --app: {}", kWhy));
  if (g.has("--upstream") && runs) problem(fmt::format("--upstream and --: {}", kWhy));
  if (g.has("--app") && runs) problem(fmt::format("--app and --: {}", kWhy));
  if (run.upstream && run.isolation && *run.isolation != profile::Isolation::none)
    problem(
        fmt::format("--upstream and --isolation {}: a server that already runs cannot be isolated; leave "
                    "--isolation out",
                    profile::to_string(*run.isolation)));
  if (g.has("--quiet") && g.has("--verbose")) problem("--quiet and --verbose contradict each other");
  if (run.events && run.record && *run.events == *run.record)
    problem("--events and --record name the same file");
}

void finish_common(Given& g) {
  for (const auto& [name, value] : g.options)
    if (name != kNoColor) g.run().given.emplace_back(name);
  conflicts(g);
}

std::string about_one_run() {
  std::string out;
  for (const Format& f : formats())
    if (f.in_replay.empty()) out += fmt::format("{}{}", out.empty() ? "" : ", ", f.option);
  return out + " and --events are about one run: give one profile, or --json";
}

// The shape of `profiles VERB NAME…`; "" when it is right.
std::string problem_of_verb(std::string_view verb, std::size_t names) {
  constexpr std::string_view kVerbs[] = {"list", "show", "diff"};
  if (verb == "list")
    return names == 0 ? "" : "list takes no argument; for one profile: vercel-sim profiles show NAME";
  if (verb == "show")
    return names == 1 ? "" : "show expects one profile, such as: vercel-sim profiles show hobby";
  if (verb == "diff")
    return names == 2 ? "" : "diff expects two profiles, such as: vercel-sim profiles diff hobby pro";
  return fmt::format("unknown command {}{}", verb, did_you_mean(verb, kVerbs));
}

}  // namespace

void word_of_app(Given& g, std::string_view word) {
  g.problems.push_back(
      fmt::format("unexpected argument {}: a command comes after --, a directory after --cwd", quoted(word)));
}

void word_of_replay(Given& g, std::string_view word) {
  if (word.empty() || !g.replay.recording.empty())
    g.problems.push_back(fmt::format("expects one recording; got {}", quoted(word)));
  else
    g.replay.recording = word;
}

void word_of_check(Given& g, std::string_view word) { find_option("--cwd", HelpTopic::check)->set(g, word); }

void word_of_report(Given& g, std::string_view word) {
  if (word.empty() || !g.words.empty())
    g.problems.push_back(fmt::format("expects one file of events; got {}", quoted(word)));
  else
    g.words.push_back(word);
}

AskedCommand finish_run(Given& g) {
  finish_common(g);
  return std::move(g.run());
}

AskedCommand finish_test(Given& g) {
  finish_common(g);
  if (!g.after_dashes)
    g.problems.emplace_back(
        "expects the command that tests after --, such as: vercel-sim test -- npx playwright test");
  if (g.run().events == "-")
    g.problems.emplace_back("--events - and a command: standard output is the command's own; name a file");
  if (g.replay.test.reports.to_standard_output(true))
    g.problems.emplace_back("a report to - and a command: standard output is the command's own; name a file");
  return std::move(g.replay.test);
}

AskedCommand finish_replay(Given& g) {
  finish_common(g);
  const auto problem = [&](std::string text) { g.problems.push_back(std::move(text)); };
  if (g.replay.recording.empty())
    problem("expects the recording that --record wrote, such as: vercel-sim replay session.jsonl");
  if (g.has("--profiles") && g.has("--profile")) problem("--profile and --profiles: give one of them");
  if (g.run().events == "-") problem("--events -: standard output is for what the replay found; name a file");
  const ReportOutputs& reports = g.replay.test.reports;
  if (reports.to_standard_output(true))
    problem("a report to -: standard output is for what the replay found; name a file");
  const bool of_one_run = std::any_of(formats().begin(), formats().end(), [&](const Format& f) {
    return f.in_replay.empty() && reports.find(f.option) != nullptr;
  });
  if (g.replay.profiles.size() > 1 && (of_one_run || g.run().events)) problem(about_one_run());
  return std::move(g.replay);
}

AskedCommand finish_check(Given& g) {
  if (g.check.size && g.check.format != CheckFormat::text && g.check.format != CheckFormat::json)
    g.problems.emplace_back("--size and --format: what functions weigh is told as text or json");
  g.check.profile_given = g.run().profile_given;
  g.check.profile = std::move(g.run().profile);
  g.check.set = std::move(g.run().set);
  return std::move(g.check);
}

AskedCommand finish_profiles(Given& g) {
  const auto& w = g.words;
  const std::string_view verb = w.empty() ? "list" : w.front();
  if (!g.problems.empty()) return ProfilesList{};
  std::string problem = problem_of_verb(verb, w.empty() ? 0 : w.size() - 1);
  if (!problem.empty())
    g.problems.push_back(std::move(problem));
  else if (verb == "show")
    return ProfilesShow{std::string(w[1]), g.json};
  else if (verb == "diff")
    return ProfilesDiff{std::string(w[1]), std::string(w[2]), g.json};
  return ProfilesList{g.json};
}

// An error message that was not quoted comes as several words.
AskedCommand finish_explain(Given& g) {
  return ExplainOptions{fmt::format("{}", fmt::join(g.words, " ")), g.json};
}

AskedCommand finish_report(Given& g) {
  if (g.words.empty() && g.problems.empty())
    g.problems.emplace_back("expects the file that --events wrote, such as: vercel-sim report events.jsonl");
  if (std::string together = g.replay.test.reports.problem(); !together.empty())
    g.problems.push_back(std::move(together));
  return ReportOptions{g.words.empty() ? std::string() : std::string(g.words[0]),
                       std::move(g.replay.test.reports)};
}

AskedCommand finish_doctor(Given& g) {
  const auto& w = g.words;
  if (w.size() > 1)
    g.problems.push_back(fmt::format("expects one directory; got {} and {}", quoted(w[0]), quoted(w[1])));
  if (w.size() == 1 && w[0].empty())
    g.problems.emplace_back("expects a directory, such as: vercel-sim doctor apps/web");
  return DoctorOptions{w.empty() ? std::string() : std::string(w[0]), g.json};
}

AskedCommand finish_completion(Given& g) {
  static constexpr std::string_view kNames[] = {"bash", "zsh", "fish"};
  if (!g.problems.empty()) return CompletionOptions{};
  if (g.words.size() != 1) {
    g.problems.emplace_back("expects one of bash, zsh, fish, such as: vercel-sim completion bash");
    return CompletionOptions{};
  }
  const auto* at = std::find(std::begin(kNames), std::end(kNames), g.words[0]);
  if (at == std::end(kNames))
    g.problems.push_back(fmt::format("expects one of bash, zsh, fish; got {}{}", quoted(g.words[0]),
                                     did_you_mean(g.words[0], kNames)));
  return CompletionOptions{static_cast<Shell>(at - std::begin(kNames))};
}

AskedCommand finish_learn(Given& g) {
  LearnOptions learn;
  std::vector<std::string_view> asked;
  for (const auto& [name, value] : g.options) {
    if (name == kNoColor) continue;
    if (name != "--json" && name != "--dir") asked.push_back(name);
    learn.words.push_back(value ? fmt::format("{}={}", name, *value) : std::string(name));
  }
  for (const std::string_view lesson : g.words) {
    if (lesson.empty()) g.problems.emplace_back("expects a lesson, such as: vercel-sim learn 1");
    learn.words.emplace_back(lesson);
  }
  const std::size_t lessons = g.words.size();
  const std::string_view what = asked.empty() ? std::string_view() : asked[0];
  if (asked.size() > 1 && what != asked[1])
    g.problems.push_back(fmt::format("{} and {} are two different things; give one of them", what, asked[1]));
  else if (asked.size() == 1 && (what == "--reset" || what == "--export") && lessons != 1)
    g.problems.push_back(fmt::format("{} expects one lesson, such as: vercel-sim learn {}1", what,
                                     what == "--reset" ? "--reset " : "--export lesson.html "));
  else if (asked.empty() && lessons > 1)
    g.problems.emplace_back("expects one lesson, such as: vercel-sim learn 1");
  else if (asked.size() == 1 && what == "--list" && lessons > 0)
    g.problems.emplace_back("--list takes no lesson");
  if (g.json && what != "--list" && what != "--check")
    g.problems.emplace_back("--json is for --list and --check: vercel-sim learn --check --json");
  return learn;
}

AskedCommand finish_mcp(Given& g) {
  for (const std::string_view word : g.words)
    g.problems.push_back(
        fmt::format("unknown word {}{}", word, did_you_mean(word, names_of(HelpTopic::mcp))));
  return McpOptions{std::move(g.url)};
}

// What a capture is, and whether an address is one, says src/parity/main.cjs.
AskedCommand finish_parity(Given& g) {
  static constexpr std::string_view kVerbs[] = {"record", "compare"};
  ParityOptions parity;
  const auto& w = g.words;
  const bool records = !w.empty() && w[0] == kVerbs[0], compares = !w.empty() && w[0] == kVerbs[1];
  if (w.empty())
    g.problems.emplace_back("expects record URL, or compare CAPTURE [CAPTURE|URL]");
  else if (!records && !compares)
    g.problems.push_back(fmt::format("unknown command {}{}", w[0], did_you_mean(w[0], kVerbs)));
  else if (records && w.size() != 2)
    g.problems.emplace_back(
        "record expects one address, such as: vercel-sim parity record https://my.vercel.app");
  else if (compares && (w.size() < 2 || w.size() > 3))
    g.problems.emplace_back("compare expects a capture, and what to compare it with");
  else if (records && g.json)
    g.problems.emplace_back("--json is for compare: a capture is JSON as it is");
  else if (compares && g.has("--out"))
    g.problems.emplace_back("--out is for record");
  for (const auto& [name, value] : g.options)
    if (name != kNoColor)
      parity.words.push_back(value ? fmt::format("{}={}", name, *value) : std::string(name));
  parity.words.insert(parity.words.end(), w.begin(), w.end());
  return parity;
}

AskedCommand finish_help(Given& g) {
  const auto& w = g.words;
  if (w.size() > 1) g.problems.emplace_back("expects one command, such as: vercel-sim help run");
  if (w.size() != 1) return ShowHelp{};
  const Command* about = find_command(w[0]);
  if (about == nullptr)
    g.problems.push_back(fmt::format("unknown command {}{}", w[0], did_you_mean(w[0], command_names())));
  return ShowHelp{about != nullptr ? about->topic : HelpTopic::general};
}

}  // namespace vsim::cli
