#include "cli/more_options.hpp"

#include <algorithm>

#include "cli/option_words.hpp"

namespace vsim::cli {
namespace {

// The words of a command whose options take no values: what is no option goes to `out`.
template <class OnOption>
void split(Words words, std::span<const std::string_view> known, UsageError& error,
           std::vector<std::string_view>& out, OnOption on_option) {
  bool rest = false;
  for (const std::string_view w : words) {
    if (rest || w.size() < 2 || w.front() != '-') {
      out.push_back(w);
    } else if (w == "--") {
      rest = true;
    } else if (std::find(known.begin(), known.end(), w) != known.end()) {
      on_option(w);
    } else {
      error.problems.push_back(fmt::format("unknown option {}{}", w, did_you_mean(w, known)));
    }
  }
}

UsageError about(std::string_view command) {
  return {fmt::format("vercel-sim {}", command), {}, fmt::format("vercel-sim {} --help", command)};
}

bool asks_help(Words words) {
  const auto dashes = std::find(words.begin(), words.end(), std::string_view("--"));
  return std::any_of(words.begin(), dashes, is_help);
}

}  // namespace

Outcome parse_explain(Words words) {
  if (asks_help(words)) return Options{ShowHelp{HelpTopic::explain}};
  static constexpr std::string_view kKnown[] = {"--json", kNoColor, kHelp};
  Options options;
  bool json = false;
  UsageError error = about("explain");
  std::vector<std::string_view> w;
  split(words, kKnown, error, w,
        [&](std::string_view name) { (name == "--json" ? json : options.no_color) = true; });
  if (!error.problems.empty()) return error;
  // An error message that was not quoted comes as several words.
  options.command = Explain{fmt::format("{}", fmt::join(w, " ")), json};
  return options;
}

Outcome parse_doctor(Words words) {
  if (asks_help(words)) return Options{ShowHelp{HelpTopic::doctor}};
  static constexpr std::string_view kKnown[] = {"--json", kNoColor, kHelp};
  Options options;
  Doctor doctor;
  UsageError error = about("doctor");
  std::vector<std::string_view> w;
  split(words, kKnown, error, w,
        [&](std::string_view name) { (name == "--json" ? doctor.json : options.no_color) = true; });
  if (w.size() > 1)
    error.problems.push_back(fmt::format("expects one directory; got {} and {}", quoted(w[0]), quoted(w[1])));
  if (w.size() == 1 && w[0].empty())
    error.problems.emplace_back("expects a directory, such as: vercel-sim doctor apps/web");
  if (!error.problems.empty()) return error;
  if (!w.empty()) doctor.directory = w[0];
  options.command = std::move(doctor);
  return options;
}

Outcome parse_completion(Words words) {
  if (asks_help(words)) return Options{ShowHelp{HelpTopic::completion}};
  static constexpr std::string_view kKnown[] = {kNoColor, kHelp};
  static constexpr std::pair<std::string_view, Shell> kShells[] = {
      {"bash", Shell::bash}, {"zsh", Shell::zsh}, {"fish", Shell::fish}};
  static constexpr std::string_view kNames[] = {"bash", "zsh", "fish"};
  Options options;
  UsageError error = about("completion");
  std::vector<std::string_view> w;
  split(words, kKnown, error, w, [&](std::string_view) { options.no_color = true; });
  if (error.problems.empty() && w.size() != 1)
    error.problems.emplace_back("expects one of bash, zsh, fish, such as: vercel-sim completion bash");
  if (!error.problems.empty()) return error;
  for (const auto& [name, shell] : kShells)
    if (name == w[0]) {
      options.command = Completion{shell};
      return options;
    }
  error.problems.push_back(
      fmt::format("expects one of bash, zsh, fish; got {}{}", quoted(w[0]), did_you_mean(w[0], kNames)));
  return error;
}

// mcp [--url URL]
Outcome parse_mcp(Words words) {
  if (asks_help(words)) return Options{ShowHelp{HelpTopic::mcp}};
  static constexpr std::string_view kKnown[] = {"--url", kNoColor, kHelp};
  Options options;
  Mcp mcp;
  UsageError error = about("mcp");
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::size_t equals = std::min(words[i].find('='), words[i].size());
    const std::string_view name = words[i].substr(0, equals);
    if (name == "--url") {
      if (equals < words[i].size())
        mcp.url = words[i].substr(equals + 1);
      else if (i + 1 < words.size())
        mcp.url = words[++i];
      if (!mcp.url.starts_with("http://") && !mcp.url.starts_with("https://"))
        error.problems.push_back(
            fmt::format("--url expects the address of a run, such as --url http://localhost:3000; got {}",
                        quoted(mcp.url)));
    } else if (words[i] == kNoColor) {
      options.no_color = true;
    } else {
      error.problems.push_back(fmt::format("unknown {} {}{}", name.starts_with('-') ? "option" : "word", name,
                                           did_you_mean(name, kKnown)));
    }
  }
  if (!error.problems.empty()) return error;
  options.command = std::move(mcp);
  return options;
}

// learn [LESSON] | --list | --check [LESSON…] | --reset LESSON | --export FILE LESSON, each with [--dir DIR]
Outcome parse_learn(Words words) {
  if (asks_help(words)) return Options{ShowHelp{HelpTopic::learn}};
  static constexpr std::string_view kKnown[] = {"--list",   "--check", "--reset", "--dir",
                                                "--export", "--json",  kNoColor,  kHelp};
  static constexpr std::string_view kValued[] = {"--dir", "--export"};
  const auto takes_value = [](std::string_view name) {
    return std::find(std::begin(kValued), std::end(kValued), name) != std::end(kValued);
  };
  Options options;
  Learn learn;
  UsageError error = about("learn");
  const auto problem = [&](std::string text) { error.problems.push_back(std::move(text)); };
  std::vector<std::string_view> asked;
  std::size_t lessons = 0;
  bool json = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string_view name = words[i];
    if (name.size() < 2 || name.front() != '-') {
      if (name.empty()) problem("expects a lesson, such as: vercel-sim learn 1");
      ++lessons;
      learn.words.emplace_back(name);
      continue;
    }
    std::optional<std::string_view> value;
    if (const std::size_t equals = name.find('='); equals != std::string_view::npos) {
      value = name.substr(equals + 1);
      name = name.substr(0, equals);
    }
    if (std::find(std::begin(kKnown), std::end(kKnown), name) == std::end(kKnown)) {
      problem(fmt::format("unknown option {}{}", name, did_you_mean(name, kKnown)));
      const auto meant = nearest_name(name, kKnown);
      if (!value && meant && takes_value(*meant) && i + 1 < words.size()) ++i;
      continue;
    }
    if (takes_value(name) && !value && i + 1 < words.size() && !words[i + 1].starts_with("--"))
      value = words[++i];
    if (takes_value(name) && (!value || value->empty()))
      problem(fmt::format(
          "{} needs a value: {}", name,
          name == "--dir" ? "a folder, such as --dir lessons" : "a file, such as --export lesson.html"));
    else if (!takes_value(name) && value)
      problem(fmt::format("{} takes no value; got {}", name, quoted(*value)));
    if (name == kNoColor) {
      options.no_color = true;
      continue;
    }
    if (name == "--json")
      json = true;
    else if (name != "--dir")
      asked.push_back(name);
    learn.words.push_back(value ? fmt::format("{}={}", name, *value) : std::string(name));
  }
  if (asked.size() > 1 && asked[0] != asked[1])
    problem(fmt::format("{} and {} are two different things; give one of them", asked[0], asked[1]));
  else if (asked.size() == 1 && (asked[0] == "--reset" || asked[0] == "--export") && lessons != 1)
    problem(fmt::format("{} expects one lesson, such as: vercel-sim learn {}1", asked[0],
                        asked[0] == "--reset" ? "--reset " : "--export lesson.html "));
  else if (asked.empty() && lessons > 1)
    problem("expects one lesson, such as: vercel-sim learn 1");
  else if (asked.size() == 1 && asked[0] == "--list" && lessons > 0)
    problem("--list takes no lesson");
  if (json && (asked.empty() || asked[0] != "--list"))
    problem("--json is for --list: vercel-sim learn --list --json");
  if (!error.problems.empty()) return error;
  options.command = std::move(learn);
  return options;
}

}  // namespace vsim::cli
