#include "app/platform_env.hpp"

#include <algorithm>
#include <utility>

namespace vsim::app {

std::vector<std::pair<std::string, std::string>> platform_variables(
    const profile::Profile& profile, std::string_view authority,
    const std::vector<std::pair<std::string, std::string>>& git) {
  const std::string host(authority);
  std::vector<std::pair<std::string, std::string>> all = {
      {"VERCEL", "1"},
      // Not "production": code that asks would talk to real customers, databases and analytics.
      {"VERCEL_ENV", "preview"},
      {"VERCEL_TARGET_ENV", "preview"},
      {"VERCEL_URL", host},
      {"VERCEL_BRANCH_URL", host},
      {"VERCEL_PROJECT_PRODUCTION_URL", host},
      {"VERCEL_REGION", profile.region.value},
      {"NOW_REGION", profile.region.value},
      {"VERCEL_DEPLOYMENT_ID", "dpl_vercelsim"},
      // Functions run in UTC wherever the developer's machine stands.
      {"TZ", "UTC"},
      {"LANG", "en_US.UTF-8"},
  };
  all.insert(all.end(), git.begin(), git.end());
  const auto omitted = [&](const auto& variable) {
    const std::string list = "," + profile.environment_omit.value + ",";
    return list.find("," + variable.first + ",") != std::string::npos;
  };
  std::erase_if(all, omitted);
  return all;
}

std::string without_inspector(std::string_view node_options) {
  std::string out;
  bool value_follows = false;
  while (!node_options.empty()) {
    // A word ends at a space outside double quotes; a backslash inside them escapes.
    bool quoted = false;
    std::size_t end = 0;
    for (; end < node_options.size(); ++end) {
      const char c = node_options[end];
      if (quoted && c == '\\') {
        ++end;
      } else if (c == '"') {
        quoted = !quoted;
      } else if (c == ' ' && !quoted) {
        break;
      }
    }
    const std::string_view word = node_options.substr(0, end);
    node_options.remove_prefix(std::min(end + 1, node_options.size()));
    if (word.empty()) continue;
    if (std::exchange(value_follows, false) && !word.starts_with('-')) continue;
    if (word.starts_with("--inspect") || word.starts_with("--debug-port")) {
      value_follows = word == "--inspect-port" || word == "--debug-port";
      continue;
    }
    if (!out.empty()) out += ' ';
    out += word;
  }
  return out;
}

namespace {

// What is of the platform's machine, and no deployment can set.
constexpr std::string_view kHeld[] = {"TZ", "LANG"};

// What Node and the programs that it starts need of this machine, whatever a deployment has.
bool is_of_this_machine(std::string_view name) {
  for (const std::string_view prefix : {"NODE_", "ASAN_", "LSAN_"})
    if (name.starts_with(prefix)) return true;
  static constexpr std::string_view kNames[] = {
      "PATH",     "HOME",     "USER",        "LOGNAME",    "SHELL",      "TERM",           "PWD",
      "HOSTNAME", "NO_COLOR", "FORCE_COLOR", "HTTP_PROXY", "http_proxy", "HTTPS_PROXY",    "https_proxy",
      "NO_PROXY", "no_proxy", "TMPDIR",      "TMP",        "TEMP",       "LD_LIBRARY_PATH"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

std::string_view name_of(std::string_view entry) { return entry.substr(0, entry.find('=')); }

}  // namespace

process::Environment instance_environment(process::Environment env,
                                          const std::vector<std::pair<std::string, std::string>>& variables,
                                          const InstanceWish& wish) {
  if (wish.strict) {
    std::erase_if(env, [](const std::string& entry) { return !is_of_this_machine(name_of(entry)); });
    std::string files = "strict";
    for (const std::string& file : wish.files) files.append("\n").append(file);
    process::set_env(env, "VSIM_ENV", files);
  }
  if (const auto options = process::get_env(env, "NODE_OPTIONS")) {
    const std::string rest = without_inspector(*options);
    if (rest.empty())
      process::unset_env(env, "NODE_OPTIONS");
    else
      process::set_env(env, "NODE_OPTIONS", rest);
  }
  std::string held;
  for (const auto& [name, value] : variables) {
    const bool holds = std::find(std::begin(kHeld), std::end(kHeld), name) != std::end(kHeld);
    if (holds) held.append(held.empty() ? "" : ",").append(name);
    if (holds || !process::get_env(env, name)) process::set_env(env, name, value);
    if (name == "LANG") std::erase_if(env, [](const std::string& entry) { return entry.starts_with("LC_"); });
  }
  if (!held.empty()) process::set_env(env, "VSIM_HELD", held);
  if (!wish.fonts.empty() && !process::get_env(env, "FONTCONFIG_PATH") &&
      !process::get_env(env, "FONTCONFIG_FILE"))
    process::set_env(env, "FONTCONFIG_PATH", wish.fonts);
  return env;
}

}  // namespace vsim::app
