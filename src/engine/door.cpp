#include "engine/door.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace vsim::engine {
namespace {

std::string to_lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), ascii_lower);
  return out;
}

bool all_of(std::string_view text, std::string_view characters) {
  return !text.empty() && text.find_first_not_of(characters) == std::string_view::npos;
}

// `host` without its brackets. A colon can stand in no name.
bool is_ipv6(std::string_view host) {
  return host.find(':') != std::string_view::npos && all_of(host, "0123456789abcdefABCDEF:.");
}

bool is_address(std::string_view host) { return is_ipv4(host) || is_ipv6(host); }

std::string_view without_port(std::string_view authority) {
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    return end == std::string_view::npos ? authority : authority.substr(1, end - 1);
  }
  return authority.substr(0, authority.find(':'));
}

std::string_view authority_of(std::string_view origin) {
  const std::size_t scheme = origin.find("://");
  if (scheme == std::string_view::npos) return origin;
  origin.remove_prefix(scheme + 3);
  return origin.substr(0, origin.find('/'));
}

}  // namespace

bool is_allowable_host(std::string_view name) {
  if (name == "*") return true;
  if (name.starts_with('.')) name.remove_prefix(1);
  return all_of(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") &&
         !name.starts_with('.') && !name.ends_with('.');
}

Door::Door(std::string_view allowed) {
  while (!allowed.empty()) {
    const std::size_t comma = std::min(allowed.find(','), allowed.size());
    const std::string_view name = allowed.substr(0, comma);
    if (name == "*") all_ = true;
    if (!name.empty()) names_.push_back(to_lower(name));
    allowed.remove_prefix(std::min(comma + 1, allowed.size()));
  }
}

std::string Door::host_of(std::string_view authority) {
  std::string host = to_lower(without_port(authority));
  if (host.size() > 1 && host.ends_with('.')) host.pop_back();  // the root of DNS: the same name
  return host;
}

bool Door::listed(std::string_view host) const {
  return std::any_of(names_.begin(), names_.end(), [&](const std::string& name) {
    if (!name.starts_with('.')) return host == name;
    return host == std::string_view(name).substr(1) || host.ends_with(name);
  });
}

bool Door::serves(std::string_view authority) const {
  // HTTP/1.0 may leave it out; no browser does.
  if (authority.empty() || all_) return true;
  constexpr std::string_view kUsual = "localhost";
  if (authority.starts_with(kUsual) && (authority.size() == kUsual.size() || authority[kUsual.size()] == ':'))
    return true;
  const std::string host = host_of(authority);
  return is_loopback_host(host) || is_address(host) || listed(host);
}

bool Door::admits_origin(std::string_view origin, std::string_view authority) const {
  if (origin.empty() || all_) return true;
  if (origin == "null" || origin.find("://") == std::string_view::npos) return false;
  const std::string host = host_of(authority_of(origin));
  return is_loopback_host(host) || host == host_of(authority) || listed(host);
}

Door::Answer Door::ask(const Visit& v) const {
  if (!serves(v.authority)) return Answer::host_not_allowed;
  if (!v.upgrade && !v.dev_internal) return Answer::enter;
  if (!admits_origin(v.origin, v.authority)) return Answer::origin_not_allowed;
  const bool embedded = iequals(v.sec_fetch_site, "cross-site") && iequals(v.sec_fetch_mode, "no-cors");
  return v.dev_internal && embedded && !all_ ? Answer::origin_not_allowed : Answer::enter;
}

}  // namespace vsim::engine
