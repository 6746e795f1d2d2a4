#include "cli/option_values.hpp"

#include <arpa/inet.h>

#include <boost/describe/enum.hpp>
#include <boost/describe/enum_from_string.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/text.hpp"
#include "cli/option_words.hpp"
#include "engine/door.hpp"
#include "profile/schema.hpp"
#include "profile/words.hpp"

namespace vsim::cli {

BOOST_DESCRIBE_ENUM(CheckFormat, text, json, sarif, github)
BOOST_DESCRIBE_ENUM(FailOn, violations, broke, none)

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

}  // namespace

bool set_host(RunOptions& run, std::string_view text) {
  text = without_brackets(text);
  if (iequals(text, "localhost")) {
    run.listen = {"127.0.0.1", "::1"};
    return true;
  }
  if (!is_address(text)) return false;
  run.listen = {std::string(text)};
  return true;
}

bool set_allowed_hosts(RunOptions& run, std::string_view text) {
  run.allowed_hosts = std::string(text);
  while (true) {
    const std::size_t comma = text.find(',');
    if (!engine::is_allowable_host(text.substr(0, comma))) return false;
    if (comma == std::string_view::npos) return true;
    text.remove_prefix(comma + 1);
  }
}

bool set_time_scale(RunOptions& run, std::string_view text) {
  if (!text.empty() && ascii_lower(text.back()) == 'x') text.remove_suffix(1);
  double value = 0;
  // Beyond 1000x the machine's own milliseconds would look like seconds.
  if (!parse_number(text, value) || !std::isfinite(value) || value <= 0 || value > 1000) return false;
  run.time_scale = value;
  return true;
}

bool set_isolation(RunOptions& run, std::string_view text) {
  for (const auto& policy : profile::words_for(profile::Isolation{}))
    if (policy.word == text) run.isolation = policy.value;
  return run.isolation && profile::to_string(*run.isolation) == text;
}

bool set_placement(RunOptions& run, std::string_view text) {
  return profile::find_key("placement")->legal(text) && set_text(run.placement.emplace(), text);
}

namespace {

// What stands behind "http://"; empty: it is no such address.
std::string_view without_scheme(std::string_view text) {
  constexpr std::string_view kScheme = "http://";
  const bool has = text.size() > kScheme.size() && iequals(text.substr(0, kScheme.size()), kScheme);
  return has ? text.substr(kScheme.size()) : std::string_view();
}

// HOST:PORT or HOST.
bool read_host(std::string_view text, UpstreamOption& up) {
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
  up.host = std::string(host);
  return !host.empty();
}

}  // namespace

bool set_upstream(RunOptions& run, std::string_view text) {
  UpstreamOption up;
  up.url = std::string(text);
  text = without_scheme(text);
  if (text.ends_with('/')) text.remove_suffix(1);
  if (!read_host(text, up)) return false;
  run.upstream = std::move(up);
  return true;
}

bool set_otlp(RunOptions& run, std::string_view text) {
  OtlpOption to;
  to.at.url = std::string(text);
  text = without_scheme(text);
  const std::size_t slash = std::min(text.find('/'), text.size());
  std::string_view path = text.substr(slash);
  while (path.ends_with('/')) path.remove_suffix(1);
  const bool is_plain = std::all_of(path.begin(), path.end(),
                                    [](char c) { return c > ' ' && c < 0x7f && c != '#' && c != '?'; });
  if (!is_plain || !read_host(text.substr(0, slash), to.at)) return false;
  to.path = std::string(path) + "/v1/traces";
  run.otlp = std::move(to);
  return true;
}

bool set_word(RunOptions& run, std::string_view text, std::string_view key, std::string_view on,
              std::string_view off) {
  if (text != on && text != off) return false;
  run.set.emplace_back(key, text == on ? "on" : "off");
  return true;
}

bool set_setting(RunOptions& run, std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0 || equals + 1 == text.size()) return false;
  run.set.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  return true;
}

bool set_text(std::string& out, std::string_view text) {
  out = std::string(text);
  return !text.empty();
}

// "all", or names with commas between them, each once.
bool set_profiles(ReplayOptions& replay, std::string_view text) {
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

bool set_duration(Duration& out, std::string_view text, Duration least) {
  const auto d = parse_duration(text);
  if (!d || *d < least || *d == kForever) return false;
  out = *d;
  return true;
}

bool set_format(CheckOptions& check, std::string_view text) {
  return boost::describe::enum_from_string(std::string(text).c_str(), check.format);
}

bool set_fail_on(TestOptions& test, std::string_view text) {
  return boost::describe::enum_from_string(std::string(text).c_str(), test.fail_on);
}

}  // namespace vsim::cli
