#include "cli/options.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "cli/help.hpp"
#include "cli/more_options.hpp"
#include "cli/option_words.hpp"
#include "cli/report.hpp"
#include "cli/run_options.hpp"

namespace vsim::cli {
namespace {

constexpr std::string_view kCommands[] = {"run",    "profiles", "explain", "help",   "test",       "check",
                                          "report", "replay",   "learn",   "doctor", "completion", "mcp"};

// What people type who come from elsewhere.
constexpr std::pair<std::string_view, std::string_view> kElsewhere[] = {
    {"dev", "run"},           {"start", "run"},   {"serve", "run"},      {"up", "run"},
    {"exec", "test"},         {"lint", "check"},  {"plans", "profiles"}, {"info", "doctor"},
    {"version", "--version"}, {"-v", "--version"}};

UsageError usage(std::string command, std::string problem) {
  UsageError e{command, {std::move(problem)}, command + " --help"};
  return e;
}

// The positional words of a command without options of its own; false (and a problem) when there is an option
// among them.
bool only_words(Words words, Options& options, std::vector<std::string_view>& out, UsageError& error,
                bool* json = nullptr) {
  for (std::string_view w : words) {
    if (w == kNoColor) {
      options.no_color = true;
    } else if (json != nullptr && w == "--json") {
      *json = true;
    } else if (w.size() > 1 && w.front() == '-') {
      const std::string_view names[] = {kHelp, kNoColor, "--json"};
      const std::span<const std::string_view> known(names, json != nullptr ? 3 : 2);
      error.problems.push_back(fmt::format("unknown option {}{}", w, did_you_mean(w, known)));
    } else {
      out.push_back(w);
    }
  }
  return error.problems.empty();
}

Outcome parse_profiles(Words words) {
  constexpr std::string_view kVerbs[] = {"list", "show", "diff"};
  if (std::any_of(words.begin(), words.end(), is_help)) return Options{ShowHelp{HelpTopic::profiles}};
  Options options;
  std::vector<std::string_view> w;
  UsageError error{"vercel-sim profiles", {}, "vercel-sim profiles --help"};
  bool json = false;
  if (!only_words(words, options, w, error, &json)) return error;
  const std::string_view verb = w.empty() ? "list" : w.front();
  const std::size_t names = w.empty() ? 0 : w.size() - 1;
  if (json && verb != "show")
    return usage(error.command, "--json is for show, such as: vercel-sim profiles show hobby --json");
  if (verb == "list" && names == 0) {
    options.command = ProfilesList{};
  } else if (verb == "show" && names == 1) {
    options.command = ProfilesShow{std::string(w[1]), json};
  } else if (verb == "diff" && names == 2) {
    options.command = ProfilesDiff{std::string(w[1]), std::string(w[2])};
  } else if (verb == "list") {
    return usage(error.command, "list takes no argument; for one profile: vercel-sim profiles show NAME");
  } else if (verb == "show") {
    return usage(error.command, "show expects one profile, such as: vercel-sim profiles show hobby");
  } else if (verb == "diff") {
    return usage(error.command, "diff expects two profiles, such as: vercel-sim profiles diff hobby pro");
  } else {
    return usage(error.command, fmt::format("unknown command {}{}", verb, did_you_mean(verb, kVerbs)));
  }
  return options;
}

bool set_format(Check& check, std::string_view text) {
  static constexpr std::pair<std::string_view, CheckFormat> kFormats[] = {{"text", CheckFormat::text},
                                                                          {"json", CheckFormat::json},
                                                                          {"sarif", CheckFormat::sarif},
                                                                          {"github", CheckFormat::github}};
  for (const auto& [name, format] : kFormats) {
    if (name != text) continue;
    check.format = format;
    return true;
  }
  return false;
}

// check [DIR] [--profile P] [--set K=V] [--format F] [--cwd DIR]
Outcome parse_check(Words words) {
  static constexpr std::string_view kOptions[] = {"--profile", "--set", "--format", "--cwd", kNoColor, kHelp};
  Check check;
  Run values;  // --profile and --set mean what they mean for run
  bool no_color = false;
  UsageError error{"vercel-sim check", {}, "vercel-sim check --help"};
  const auto problem = [&](std::string text) { error.problems.push_back(std::move(text)); };
  const auto directory = [&](std::string_view text) {
    if (text.empty())
      problem("expects a directory, such as: vercel-sim check apps/web");
    else if (!check.directory.empty())
      problem(fmt::format("expects one directory; got {} and {}", quoted(check.directory), quoted(text)));
    else
      check.directory = text;
  };
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string_view name = words[i];
    if (is_help(name)) return Options{ShowHelp{HelpTopic::check}, no_color};
    if (name.size() < 2 || name.front() != '-') {
      directory(name);
      continue;
    }
    std::optional<std::string_view> value;
    if (const std::size_t equals = name.find('='); equals != std::string_view::npos) {
      value = name.substr(equals + 1);
      name = name.substr(0, equals);
    }
    if (name == kNoColor) {
      no_color = true;
      if (value) problem(fmt::format("{} takes no value; got {}", name, quoted(*value)));
      continue;
    }
    if (std::find(std::begin(kOptions), std::end(kOptions), name) == std::end(kOptions)) {
      problem(fmt::format("unknown option {}{}", name, did_you_mean(name, kOptions)));
      // What follows a misspelt option is its value, not a directory.
      const auto meant = nearest_name(name, kOptions);
      if (!value && meant && *meant != kNoColor && *meant != kHelp && i + 1 < words.size()) ++i;
      continue;
    }
    if (!value && i + 1 < words.size() && !words[i + 1].starts_with("--")) value = words[++i];
    if (!value)
      problem(fmt::format("{} needs a value", name));
    else if (name == "--profile" && !(check.profile_given = set_text(values.profile, *value)))
      problem("--profile expects the name of a profile or the path of a file, such as --profile hobby");
    else if (name == "--set" && !set_setting(values, *value))
      problem(fmt::format("--set expects KEY=VALUE, such as --set duration.max=15s; got {}", quoted(*value)));
    else if (name == "--format" && !set_format(check, *value))
      problem(fmt::format("--format expects one of text, json, sarif, github; got {}{}", quoted(*value),
                          nearest_word(*value, "one of text, json, sarif, github")));
    else if (name == "--cwd")
      directory(*value);
  }
  if (!error.problems.empty()) return error;
  check.profile = std::move(values.profile);
  check.set = std::move(values.set);
  return Options{std::move(check), no_color};
}

Outcome parse_help(Words words) {
  Options options;
  std::vector<std::string_view> w;
  UsageError error{"vercel-sim help", {}, "vercel-sim --help"};
  std::vector<std::string_view> rest;
  std::copy_if(words.begin(), words.end(), std::back_inserter(rest),
               [](std::string_view x) { return !is_help(x); });
  if (!only_words(rest, options, w, error)) return error;
  if (w.size() > 1) error.problems.emplace_back("expects one command, such as: vercel-sim help run");
  HelpTopic topic = HelpTopic::general;
  const auto topics = help_topics();
  const auto found = w.size() != 1 ? topics.end()
                                   : std::find_if(topics.begin(), topics.end(),
                                                  [&](const NamedTopic& x) { return x.name == w[0]; });
  if (found != topics.end())
    topic = found->topic;
  else if (w.size() == 1 && w[0] != "help")
    error.problems.push_back(fmt::format("unknown command {}{}", w[0], did_you_mean(w[0], kCommands)));
  if (!error.problems.empty()) return error;
  options.command = ShowHelp{topic};
  return options;
}

// The first word is no command.
UsageError unknown_command(Words arguments) {
  const std::string_view first = arguments.front();
  UsageError error{"vercel-sim", {}, "vercel-sim --help"};
  const auto problem = [&](std::string text) { error.problems.push_back(std::move(text)); };
  const auto* other = std::find_if(std::begin(kElsewhere), std::end(kElsewhere),
                                   [&](const auto& one) { return one.first == first; });
  if (other != std::end(kElsewhere)) {
    problem(fmt::format("unknown {} {}. Did you mean {}?", first.starts_with('-') ? "option" : "command",
                        first, other->second));
  } else if (first.starts_with('-')) {
    const std::string_view name = first.substr(0, first.find('='));
    const auto names = run_option_names();
    if (first != "--" && first != "-p" && std::find(names.begin(), names.end(), name) == names.end()) {
      std::vector<std::string_view> known(names.begin(), names.end());
      known.insert(known.end(), {"--version", kHelp});
      problem(fmt::format("unknown option {}{}", name, did_you_mean(name, known)));
      return error;
    }
    // The command may stand behind its options.
    std::vector<std::string_view> rest(arguments.begin(), arguments.end());
    std::string_view command = "run";
    const auto dashes = std::find(rest.begin(), rest.end(), "--");
    const auto at = std::find_if(rest.begin(), dashes, [](std::string_view word) {
      return std::find(std::begin(kCommands), std::end(kCommands), word) != std::end(kCommands);
    });
    if (at != dashes) {
      command = *at;
      rest.erase(at);
    }
    problem(
        fmt::format("{} needs the command before it: vercel-sim {} {}", name, command, fmt::join(rest, " ")));
  } else {
    problem(fmt::format("unknown command {}{}", first, did_you_mean(first, kCommands)));
  }
  return error;
}

Outcome parse_command(Words arguments) {
  if (arguments.empty()) return Options{ShowHelp{}};
  const std::string_view first = arguments.front();
  const Words rest = arguments.subspan(1);
  if (first == "run") return parse_run(rest);
  if (first == "test") return parse_test(rest);
  if (first == "replay") return parse_replay(rest);
  if (first == "check") return parse_check(rest);
  if (first == "profiles") return parse_profiles(rest);
  if (first == "explain") return parse_explain(rest);
  if (first == "report") return parse_report(rest);
  if (first == "doctor") return parse_doctor(rest);
  if (first == "completion") return parse_completion(rest);
  if (first == "learn") return parse_learn(rest);
  if (first == "mcp") return parse_mcp(rest);
  if (first == "help") return parse_help(rest);
  if (is_help(first)) return parse_help(rest);
  if (first == "--version" || first == "-V") return Options{ShowVersion{}};
  return unknown_command(arguments);
}

// What every command knows, taken out before it looks. False: what stands there is not what is expected.
bool take_color(std::vector<std::string_view>& words, Colour& color, std::string& problem) {
  for (auto at = words.begin(); at != words.end() && *at != "--";) {
    const std::size_t equals = at->find('=');
    if (at->substr(0, equals) != kColor) {
      ++at;
      continue;
    }
    std::string_view when;
    if (equals != std::string_view::npos) {
      when = at->substr(equals + 1);
      at = words.erase(at);
    } else if (at = words.erase(at); at != words.end() && !at->starts_with('-')) {
      when = *at;
      at = words.erase(at);
    }
    if (when != "always" && when != "auto" && when != "never") {
      constexpr std::string_view kExpects = "one of always, auto, never";
      problem = fmt::format("{} expects {}, such as {}=never; got {}{}", kColor, kExpects, kColor,
                            quoted(when), nearest_word(when, kExpects));
      return false;
    }
    color = when == "always" ? Colour::always : when == "never" ? Colour::never : Colour::automatic;
  }
  return true;
}

}  // namespace

Outcome parse_options(Words arguments) {
  std::vector<std::string_view> words(arguments.begin(), arguments.end());
  Colour color = Colour::automatic;
  if (std::string problem; !take_color(words, color, problem)) return usage("vercel-sim", std::move(problem));
  Outcome out = parse_command(words);
  if (out) out->color = color;
  return out;
}

std::string to_text(const UsageError& error) {
  std::string out;
  for (const std::string& p : error.problems) out += fmt::format("{}: {}\n", error.command, p);
  if (!error.help.empty()) out += fmt::format("See {}\n", error.help);
  return out;
}

}  // namespace vsim::cli
