#include "cli/options.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <functional>

#include "base/text.hpp"

namespace vsim::cli {
namespace {

using Words = std::span<const std::string_view>;
using Outcome = Result<Options, UsageError>;

template <class T>
bool parse_number(std::string_view text, T& out) {
  const auto r = std::from_chars(text.data(), text.data() + text.size(), out);
  return r.ec == std::errc() && r.ptr == text.data() + text.size();
}

bool is_address(std::string_view text) {
  const std::string z(text);
  unsigned char bytes[16];
  return ::inet_pton(AF_INET, z.c_str(), bytes) == 1 || ::inet_pton(AF_INET6, z.c_str(), bytes) == 1;
}

std::string_view without_brackets(std::string_view text) {
  return text.size() > 2 && text.front() == '[' && text.back() == ']' ? text.substr(1, text.size() - 2)
                                                                      : text;
}

bool set_host(Run& run, std::string_view text) {
  text = without_brackets(text);
  if (iequals(text, "localhost")) {
    run.listen = {"127.0.0.1", "::1"};
    return true;
  }
  if (!is_address(text)) return false;
  run.listen = {std::string(text)};
  return true;
}

bool set_time_scale(Run& run, std::string_view text) {
  if (!text.empty() && ascii_lower(text.back()) == 'x') text.remove_suffix(1);
  double value = 0;
  // Beyond 1000x the machine's own milliseconds would look like seconds.
  if (!parse_number(text, value) || !std::isfinite(value) || value <= 0 || value > 1000) return false;
  run.time_scale = value;
  return true;
}

bool set_isolation(Run& run, std::string_view text) {
  using profile::Isolation;
  static constexpr std::pair<std::string_view, Isolation> kPolicies[] = {
      {"invocation", Isolation::invocation},
      {"instance", Isolation::instance},
      {"fluid", Isolation::fluid},
      {"none", Isolation::none}};
  for (const auto& [name, policy] : kPolicies) {
    if (name != text) continue;
    run.isolation = policy;
    return true;
  }
  return false;
}

bool set_placement(Run& run, std::string_view text) {
  if (text.starts_with("spread:")) {
    unsigned n = 0;
    if (!parse_number(text.substr(7), n) || n < 1 || n > 64) return false;
  } else if (text != "pack") {
    return false;
  }
  run.placement = std::string(text);
  return true;
}

bool set_upstream(Run& run, std::string_view text) {
  constexpr std::string_view kScheme = "http://";
  if (text.size() <= kScheme.size() || !iequals(text.substr(0, kScheme.size()), kScheme)) return false;
  Upstream up;
  up.url = std::string(text);
  text.remove_prefix(kScheme.size());
  if (text.back() == '/') text.remove_suffix(1);
  const std::size_t bracket = text.rfind(']');
  const std::size_t colon = text.rfind(':');
  std::string_view host = text;
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    host = text.substr(0, colon);
    if (!parse_number(text.substr(colon + 1), up.port) || up.port == 0) return false;
  }
  if (host.starts_with('[')) {
    host = without_brackets(host);
    unsigned char bytes[16];
    if (::inet_pton(AF_INET6, std::string(host).c_str(), bytes) != 1) return false;
  } else if (host.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") !=
             std::string_view::npos) {
    return false;
  }
  if (host.empty()) return false;
  up.host = std::string(host);
  run.upstream = std::move(up);
  return true;
}

bool set_setting(Run& run, std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0 || equals + 1 == text.size()) return false;
  run.set.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  return true;
}

bool set_text(std::string& out, std::string_view text) {
  out = std::string(text);
  return !text.empty();
}

enum class Takes { nothing, value, maybe_value };
struct RunOption {
  std::string_view name;
  Takes takes;
  std::string_view expects;  // completes "--port expects …"
  std::string_view example;
  bool (*set)(Run&, std::string_view value);
};

// The one table of run's options. help.cpp describes each; a test holds the two together.
constexpr RunOption kRunOptions[] = {
    {"--profile", Takes::value, "the name of a profile or the path of a file", "hobby",
     [](Run& r, std::string_view v) { return set_text(r.profile, v); }},
    {"--set", Takes::value, "KEY=VALUE", "duration.default=15s", set_setting},
    {"--port", Takes::value, "a number from 0 to 65535", "3000",
     [](Run& r, std::string_view v) {
       r.port_given = true;
       return parse_number(v, r.port);
     }},
    {"--host", Takes::maybe_value, "an IP address", "192.168.1.20",
     [](Run& r, std::string_view v) {
       if (!v.empty()) return set_host(r, v);
       r.listen = {"0.0.0.0", "::"};
       return true;
     }},
    {"--https",
     Takes::nothing,
     {},
     {},
     [](Run& r, std::string_view) {
       r.https = true;
       return true;
     }},
    {"--cwd", Takes::value, "a directory", "apps/web",
     [](Run& r, std::string_view v) { return set_text(r.cwd, v); }},
    {"--upstream", Takes::value, "the address of a server as http://HOST:PORT, without a path",
     "http://127.0.0.1:4000", set_upstream},
    {"--app", Takes::value, "a command line", "'node server.js'",
     [](Run& r, std::string_view v) { return set_text(r.app.emplace(), v); }},
    {"--time-scale", Takes::value, "a factor above 0 and up to 1000", "60x", set_time_scale},
    {"--compile-grace", Takes::value, "a duration with its unit", "5s",
     [](Run& r, std::string_view v) {
       const auto d = parse_duration(v);
       if (!d || *d == kForever) return false;
       r.compile_grace = *d;
       return true;
     }},
    {"--isolation", Takes::value, "one of invocation, instance, fluid, none", "none", set_isolation},
    {"--placement", Takes::value, "pack, or spread:N with N from 1 to 64", "spread:2", set_placement},
    {"--seed", Takes::value, "a whole number", "42",
     [](Run& r, std::string_view v) { return parse_number(v, r.seed.emplace()); }},
    {"--events", Takes::value, "a file, or - for standard output", "events.jsonl",
     [](Run& r, std::string_view v) { return set_text(r.events.emplace(), v); }},
    {"--quiet",
     Takes::nothing,
     {},
     {},
     [](Run& r, std::string_view) {
       r.verbosity = Verbosity::quiet;
       return true;
     }},
    {"--verbose",
     Takes::nothing,
     {},
     {},
     [](Run& r, std::string_view) {
       r.verbosity = Verbosity::verbose;
       return true;
     }},
};
constexpr std::string_view kRecord = "--record";
constexpr std::string_view kNoColor = "--no-color";
constexpr std::string_view kHelp = "--help";

constexpr std::string_view kLater[] = {"test", "report", "replay", "learn", "doctor", "completion"};
constexpr std::string_view kCommands[] = {"run",    "profiles", "explain", "help",   "test",      "check",
                                          "report", "replay",   "learn",   "doctor", "completion"};

bool is_later(std::string_view command) {
  return std::find(std::begin(kLater), std::end(kLater), command) != std::end(kLater);
}
bool is_help(std::string_view word) { return word == "--help" || word == "-h"; }

UsageError usage(std::string command, std::string problem) {
  UsageError e{command, {std::move(problem)}, command + " --help"};
  return e;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates) {
  const auto nearest = nearest_name(word, candidates);
  return nearest ? fmt::format(". Did you mean {}?", *nearest) : std::string();
}

std::string not_yet(std::string_view what) { return fmt::format("{} is not in this version yet", what); }

// A value as the user would have to type it again.
std::string quoted(std::string_view text) { return fmt::format("\"{}\"", text); }

class RunParser {
 public:
  explicit RunParser(Words words) : words_(words) {}

  Outcome parse() {
    while (at_ < words_.size()) {
      const std::string_view word = words_[at_++];
      if (word == "--") {
        for (std::string_view w : words_.subspan(at_)) run_.command.emplace_back(w);
        at_ = words_.size();
        if (run_.command.empty()) problem("-- expects a command after it, such as -- node server.js");
        after_dashes_ = true;
      } else if (is_help(word)) {
        return Options{ShowHelp{HelpTopic::run}, no_color_};
      } else if (word.size() > 1 && word.front() == '-') {
        option(word);
      } else {
        problem(fmt::format("unexpected argument {}: a command comes after --, a directory after --cwd",
                            quoted(word)));
      }
    }
    conflicts();
    if (!error_.problems.empty()) return error_;
    return Options{std::move(run_), no_color_};
  }

 private:
  void problem(std::string text) { error_.problems.push_back(std::move(text)); }
  bool given(std::string_view name) const {
    return std::find(given_.begin(), given_.end(), name) != given_.end();
  }

  void option(std::string_view word) {
    std::optional<std::string_view> value;
    std::string_view name = word;
    if (const std::size_t equals = word.find('='); equals != std::string_view::npos) {
      name = word.substr(0, equals);
      value = word.substr(equals + 1);
    }
    if (name == "-p") name = "--port";
    if (name == kNoColor) {
      no_color_ = true;
      return no_value(name, value);
    }
    if (name == kRecord) {
      take_value(value);
      return problem(not_yet(kRecord));
    }
    const auto* o = std::find_if(std::begin(kRunOptions), std::end(kRunOptions),
                                 [&](const RunOption& r) { return r.name == name; });
    if (o == std::end(kRunOptions)) {
      const auto names = run_option_names();
      problem(fmt::format("unknown option {}{}", name, did_you_mean(name, names)));
      // What follows a misspelt option is its value, not one more mistake.
      if (const auto meant = nearest_name(name, names); meant && takes_value(*meant)) take_value(value);
      return;
    }
    given_.push_back(o->name);
    if (o->takes == Takes::nothing) {
      o->set(run_, {});
      return no_value(name, value);
    }
    if (o->takes == Takes::maybe_value) {
      if (value && value->empty()) return expects(*o, *value);
      if (!value && at_ < words_.size() && !words_[at_].starts_with('-')) value = words_[at_++];
      if (!o->set(run_, value.value_or(std::string_view()))) expects(*o, *value);
      return;
    }
    take_value(value);
    if (!value)
      return problem(
          fmt::format("{} needs a value: {}, such as {} {}", o->name, o->expects, o->name, o->example));
    if (!o->set(run_, *value)) expects(*o, *value);
  }

  static bool takes_value(std::string_view name) {
    return name == kRecord ||
           std::any_of(std::begin(kRunOptions), std::end(kRunOptions),
                       [&](const RunOption& r) { return r.name == name && r.takes == Takes::value; });
  }

  // The next word is the value, unless it is an option that we know: then the value was forgotten.
  void take_value(std::optional<std::string_view>& value) {
    if (value || at_ == words_.size()) return;
    const std::string_view next = words_[at_];
    const std::string_view next_name = next.substr(0, next.find('='));
    const auto names = run_option_names();
    if (next == "--" || std::find(names.begin(), names.end(), next_name) != names.end()) return;
    value = next;
    ++at_;
  }

  void no_value(std::string_view name, const std::optional<std::string_view>& value) {
    if (value) problem(fmt::format("{} takes no value; got {}", name, quoted(*value)));
  }
  void expects(const RunOption& o, std::string_view value) {
    problem(fmt::format("{} expects {}, such as {} {}; got {}", o.name, o.expects, o.name, o.example,
                        quoted(value)));
  }

  void conflicts() {
    constexpr std::string_view kWhy = "each says what stands behind vercel-sim, so only one can be given";
    if (given("--upstream") && given("--app")) problem(fmt::format("--upstream and --app: {}", kWhy));
    if (given("--upstream") && after_dashes_) problem(fmt::format("--upstream and --: {}", kWhy));
    if (given("--app") && after_dashes_) problem(fmt::format("--app and --: {}", kWhy));
    if (run_.upstream && run_.isolation && *run_.isolation != profile::Isolation::none)
      problem(
          fmt::format("--upstream and --isolation {}: a server that already runs cannot be isolated; leave "
                      "--isolation out",
                      profile::to_string(*run_.isolation)));
    if (given("--quiet") && given("--verbose")) problem("--quiet and --verbose contradict each other");
  }

  Words words_;
  std::size_t at_ = 0;
  Run run_;
  bool no_color_ = false;
  bool after_dashes_ = false;
  std::vector<std::string_view> given_;
  UsageError error_{"vercel-sim run", {}, "vercel-sim run --help"};
};

// The positional words of a command without options of its own; false (and a problem) when there is an option
// among them.
bool only_words(Words words, Options& options, std::vector<std::string_view>& out, UsageError& error) {
  for (std::string_view w : words) {
    if (w == kNoColor) {
      options.no_color = true;
    } else if (w.size() > 1 && w.front() == '-') {
      const std::string_view known[] = {kHelp, kNoColor};
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
  if (!only_words(words, options, w, error)) return error;
  const std::string_view verb = w.empty() ? "list" : w.front();
  const std::size_t names = w.empty() ? 0 : w.size() - 1;
  if (verb == "list" && names == 0) {
    options.command = ProfilesList{};
  } else if (verb == "show" && names == 1) {
    options.command = ProfilesShow{std::string(w[1])};
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
    else if (name == "--profile" && !set_text(values.profile, *value))
      problem("--profile expects the name of a profile or the path of a file, such as --profile hobby");
    else if (name == "--set" && !set_setting(values, *value))
      problem(fmt::format("--set expects KEY=VALUE, such as --set duration.max=15s; got {}", quoted(*value)));
    else if (name == "--format" && !set_format(check, *value))
      problem(fmt::format("--format expects one of text, json, sarif, github; got {}", quoted(*value)));
    else if (name == "--cwd")
      directory(*value);
  }
  if (!error.problems.empty()) return error;
  check.profile = std::move(values.profile);
  check.set = std::move(values.set);
  return Options{std::move(check), no_color};
}

Outcome parse_explain(Words words) {
  if (std::any_of(words.begin(), words.end(), is_help)) return Options{ShowHelp{HelpTopic::explain}};
  Options options;
  std::vector<std::string_view> w;
  UsageError error{"vercel-sim explain", {}, "vercel-sim explain --help"};
  if (!only_words(words, options, w, error)) return error;
  if (w.size() != 1)
    return usage(error.command, "expects one code, such as: vercel-sim explain FUNCTION_INVOCATION_TIMEOUT");
  options.command = Explain{std::string(w.front())};
  return options;
}

Outcome parse_help(Words words) {
  Options options;
  std::vector<std::string_view> w;
  UsageError error{"vercel-sim help", {}, "vercel-sim --help"};
  std::vector<std::string_view> rest;
  std::copy_if(words.begin(), words.end(), std::back_inserter(rest),
               [](std::string_view x) { return !is_help(x); });
  if (!only_words(rest, options, w, error)) return error;
  if (w.size() > 1) error.problems.push_back("expects one command, such as: vercel-sim help run");
  HelpTopic topic = HelpTopic::general;
  if (w.size() == 1 && w[0] == "run")
    topic = HelpTopic::run;
  else if (w.size() == 1 && w[0] == "check")
    topic = HelpTopic::check;
  else if (w.size() == 1 && w[0] == "profiles")
    topic = HelpTopic::profiles;
  else if (w.size() == 1 && w[0] == "explain")
    topic = HelpTopic::explain;
  else if (w.size() == 1 && is_later(w[0]))
    error.problems.push_back(not_yet(w[0]));
  else if (w.size() == 1 && w[0] != "help")
    error.problems.push_back(fmt::format("unknown command {}{}", w[0], did_you_mean(w[0], kCommands)));
  if (!error.problems.empty()) return error;
  options.command = ShowHelp{topic};
  return options;
}

}  // namespace

Outcome parse_options(Words arguments) {
  if (arguments.empty()) return Options{ShowHelp{}};
  const std::string_view first = arguments.front();
  const Words rest = arguments.subspan(1);
  if (first == "run") return RunParser(rest).parse();
  if (first == "check") return parse_check(rest);
  if (first == "profiles") return parse_profiles(rest);
  if (first == "explain") return parse_explain(rest);
  if (first == "help") return parse_help(rest);
  if (is_help(first)) return parse_help(rest);
  if (first == "--version" || first == "-V") return Options{ShowVersion{}};
  UsageError error{"vercel-sim", {}, "vercel-sim --help"};
  if (is_later(first)) {
    error.problems.push_back(not_yet(first));
  } else if (first.starts_with('-')) {
    const std::string_view name = first.substr(0, first.find('='));
    const auto names = run_option_names();
    if (first == "--" || first == "-p" || std::find(names.begin(), names.end(), name) != names.end())
      error.problems.push_back(
          fmt::format("{} needs a command before it: vercel-sim run {}", name, fmt::join(arguments, " ")));
    else
      error.problems.push_back(fmt::format("unknown option {}", name));
  } else if (first == "version") {
    error.problems.push_back("unknown command version. Did you mean --version?");
  } else {
    error.problems.push_back(fmt::format("unknown command {}{}", first, did_you_mean(first, kCommands)));
  }
  return error;
}

std::string to_text(const UsageError& error) {
  std::string out;
  for (const std::string& p : error.problems) out += fmt::format("{}: {}\n", error.command, p);
  if (!error.help.empty()) out += fmt::format("See {}\n", error.help);
  return out;
}

std::vector<std::string_view> run_option_names() {
  std::vector<std::string_view> out;
  for (const RunOption& o : kRunOptions) out.push_back(o.name);
  for (std::string_view n : {kRecord, kNoColor, kHelp}) out.push_back(n);
  return out;
}

}  // namespace vsim::cli
