#include "cli/option_table.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.hpp"
#include "cli/option_words.hpp"
#include "engine/door.hpp"
#include "profile/schema.hpp"

namespace vsim::cli {
namespace {

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

bool set_allowed_hosts(Run& run, std::string_view text) {
  run.allowed_hosts = std::string(text);
  while (true) {
    const std::size_t comma = text.find(',');
    if (!engine::is_allowable_host(text.substr(0, comma))) return false;
    if (comma == std::string_view::npos) return true;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace

bool set_time_scale(Run& run, std::string_view text) {
  if (!text.empty() && ascii_lower(text.back()) == 'x') text.remove_suffix(1);
  double value = 0;
  // Beyond 1000x the machine's own milliseconds would look like seconds.
  if (!parse_number(text, value) || !std::isfinite(value) || value <= 0 || value > 1000) return false;
  run.time_scale = value;
  return true;
}

namespace {

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

}  // namespace

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

namespace {

// "all", or names with commas between them, each once.
bool set_profiles(Replay& replay, std::string_view text) {
  replay.profiles.clear();
  if (text == "all") {
    for (const std::string_view name : profile::kBuiltinProfiles) replay.profiles.emplace_back(name);
    return true;
  }
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view name = text.substr(0, comma);
    if (name.empty() || comma + 1 == text.size()) return false;
    if (std::find(replay.profiles.begin(), replay.profiles.end(), name) == replay.profiles.end())
      replay.profiles.emplace_back(name);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return !replay.profiles.empty();
}

template <class T>
struct OptionOf {
  std::string_view name;
  Takes takes;
  std::string_view expects;  // completes "--port expects …"
  std::string_view example;
  bool (*set)(T&, std::string_view value);
};

// The one table of run's options. help.cpp describes each; a test holds the two together.
constexpr OptionOf<Run> kRunOptions[] = {
    {"--profile", Takes::value, "the name of a profile or the path of a file", "hobby",
     [](Run& r, std::string_view v) {
       r.profile_given = true;
       return set_text(r.profile, v);
     }},
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
    {"--allowed-hosts", Takes::value, "host names with commas between them, without scheme or port",
     "app.local,.example.dev", set_allowed_hosts},
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
    {"--inspect-instance",
     Takes::nothing,
     {},
     {},
     [](Run& r, std::string_view) {
       r.inspect_instance = true;
       return true;
     }},
    {"--events", Takes::value, "a file, or - for standard output", "events.jsonl",
     [](Run& r, std::string_view v) { return set_text(r.events.emplace(), v); }},
    {"--record", Takes::value, "a file", "session.jsonl",
     [](Run& r, std::string_view v) {
       return set_text(r.record.emplace(), v) && v != "-" && !v.ends_with('/');
     }},
    {"--deploy-every", Takes::value, "a duration of at least 1s", "30s",
     [](Run& r, std::string_view v) {
       const auto d = parse_duration(v);
       if (!d || *d < std::chrono::seconds(1) || *d == kForever) return false;
       r.deploy_every = *d;
       return true;
     }},
    {"--open",
     Takes::nothing,
     {},
     {},
     [](Run& r, std::string_view) {
       r.open = true;
       return true;
     }},
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

// What only test has.
constexpr OptionOf<Test> kTestOptions[] = {
    {"--fail-on", Takes::value, "one of violations, none", "none",
     [](Test& t, std::string_view v) {
       t.fail_on = v == "none" ? FailOn::none : FailOn::violations;
       return v == "none" || v == "violations";
     }},
    {"--ready-timeout", Takes::value, "a duration with its unit", "5m",
     [](Test& t, std::string_view v) {
       const auto d = parse_duration(v);
       if (!d || *d <= Duration::zero() || *d == kForever) return false;
       t.ready_timeout = *d;
       return true;
     }},
    {"--warm",
     Takes::nothing,
     {},
     {},
     [](Test& t, std::string_view) {
       t.warm = true;
       return true;
     }},
};

// What only replay has, or has otherwise than test.
constexpr OptionOf<Replay> kReplayOptions[] = {
    {"--profiles", Takes::value, "all, or names of profiles with commas between them", "hobby,pro",
     [](Replay& r, std::string_view v) { return set_profiles(r, v); }},
    {"--fail-on", Takes::value, "one of violations, broke, none", "broke",
     [](Replay& r, std::string_view v) {
       r.test.fail_on = v == "none" ? FailOn::none : v == "broke" ? FailOn::broke : FailOn::violations;
       return v == "none" || v == "broke" || v == "violations";
     }},
};
// Of run: who runs a command has no eyes for a browser, and no patience for a score.
constexpr std::string_view kOnlyInRun[] = {"--open", "--deploy-every"};
// Of run: what is recorded already is not recorded again, and only this machine asks.
constexpr std::string_view kNotInReplay[] = {"--record", "--host"};

// What a file of the project may say for everybody who works on it. Left out: --cwd, which says where the
// file is, and what a single run asks for (--events, --quiet, --verbose).
constexpr std::string_view kNotInFile[] = {"--cwd",     "--set",    "--inspect-instance",
                                           "--events",  "--record", "--quiet",
                                           "--verbose", "--open",   "--deploy-every"};

}  // namespace

std::optional<Found> find_option(std::string_view name, For command, Replay& of) {
  Test& target = of.test;
  if (command != For::run &&
      std::find(std::begin(kOnlyInRun), std::end(kOnlyInRun), name) != std::end(kOnlyInRun))
    return std::nullopt;
  if (command == For::replay) {
    for (const auto& o : kReplayOptions)
      if (o.name == name)
        return Found{o.name, o.takes, o.expects, o.example, [&](std::string_view v) { return o.set(of, v); }};
    if (std::find(std::begin(kNotInReplay), std::end(kNotInReplay), name) != std::end(kNotInReplay))
      return std::nullopt;
  }
  for (const auto& o : kRunOptions)
    if (o.name == name)
      return Found{o.name, o.takes, o.expects, o.example,
                   [&o, &target](std::string_view v) { return o.set(target.run, v); }};
  if (command == For::run) return std::nullopt;
  for (const auto& o : kTestOptions)
    if (o.name == name)
      return Found{o.name, o.takes, o.expects, o.example,
                   [&o, &target](std::string_view v) { return o.set(target, v); }};
  const auto reports = report_option_names();
  if (const auto at = std::find(reports.begin(), reports.end(), name); at != reports.end())
    return Found{
        *at, report_option_takes_value(*at) ? Takes::value : Takes::nothing, "a file", "reports/vercel-sim",
        [at, &target](std::string_view v) { return set_report_output(target.reports, *at, v).empty(); }};
  return std::nullopt;
}

std::vector<std::string_view> run_option_names() {
  std::vector<std::string_view> out;
  for (const auto& o : kRunOptions) out.push_back(o.name);
  for (std::string_view n : {kNoColor, kColor, kHelp}) out.push_back(n);
  return out;
}

std::vector<std::string_view> test_option_names() {
  std::vector<std::string_view> out = run_option_names();
  std::erase_if(out, [](std::string_view n) {
    return std::find(std::begin(kOnlyInRun), std::end(kOnlyInRun), n) != std::end(kOnlyInRun);
  });
  for (const auto& o : kTestOptions) out.push_back(o.name);
  for (std::string_view n : report_option_names()) out.push_back(n);
  return out;
}

std::vector<std::string_view> replay_option_names() {
  std::vector<std::string_view> out = test_option_names();
  std::erase_if(out, [](std::string_view n) {
    return std::find(std::begin(kNotInReplay), std::end(kNotInReplay), n) != std::end(kNotInReplay);
  });
  out.push_back("--profiles");
  return out;
}

std::vector<std::string_view> default_names() {
  std::vector<std::string_view> out;
  const auto add = [&](std::string_view name) {
    if (std::find(std::begin(kNotInFile), std::end(kNotInFile), name) == std::end(kNotInFile))
      out.push_back(name.substr(2));
  };
  for (const auto& o : kRunOptions) add(o.name);
  for (const auto& o : kTestOptions) add(o.name);
  return out;
}

std::optional<std::string> set_default(Test& target, std::string_view name, std::string_view value) {
  const std::string option = fmt::format("--{}", name);
  Replay probe, found;
  const auto o = find_option(option, For::test, probe);
  if (!o) return "an option";
  if (o->takes == Takes::nothing) {
    if (value != "true" && value != "false") return "true or false";
  } else if (value.empty() || !o->set(value)) {
    return fmt::format("{}, such as \"{}: {}\"", o->expects, name, o->example);
  }
  const auto& given = target.run.given;
  const auto has = [&](std::string_view n) {
    return std::find(given.begin(), given.end(), n) != given.end();
  };
  // The command line says what stands behind vercel-sim with any of three words.
  const bool behind = option == "--app" || option == "--upstream";
  if (has(option) || (behind && (has("--app") || has("--upstream") || !target.run.command.empty())))
    return std::nullopt;
  if (o->takes != Takes::nothing || value == "true") {
    found.test = std::move(target);
    find_option(option, For::test, found)->set(value);
    target = std::move(found.test);
  }
  return std::nullopt;
}

std::vector<std::string_view> names_of(For command) {
  return command == For::run    ? run_option_names()
         : command == For::test ? test_option_names()
                                : replay_option_names();
}

}  // namespace vsim::cli
