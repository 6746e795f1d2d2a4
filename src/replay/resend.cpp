#include "replay/resend.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/plain_text.hpp"
#include "base/text.hpp"
#include "event/mask.hpp"

namespace vsim::replay {
namespace {

const RecordedHeader* find(const RecordedRequest& r, std::string_view name) {
  for (const RecordedHeader& h : r.headers)
    if (iequals(h.name, name)) return &h;
  return nullptr;
}

// "http://localhost:3000/x" in scheme, host and port.
struct Origin {
  std::string_view scheme, host, port, rest;
};
std::optional<Origin> parse_origin(std::string_view url) {
  const std::size_t colon = url.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  Origin out;
  out.scheme = url.substr(0, colon);
  std::string_view authority = url.substr(colon + 3);
  const std::size_t end = std::min(authority.find_first_of("/?#"), authority.size());
  out.rest = authority.substr(end);
  authority = authority.substr(0, end);
  const std::size_t bracket = authority.rfind(']');
  const std::size_t port = authority.rfind(':');
  const bool has_port =
      port != std::string_view::npos && (bracket == std::string_view::npos || port > bracket);
  out.host = authority.substr(0, has_port ? port : authority.size());
  out.port = has_port ? authority.substr(port + 1) : iequals(out.scheme, "https") ? "443" : "80";
  return out;
}

// Of the program itself; a client may never send them, or the connection decides them anew.
bool is_dropped(std::string_view name) {
  constexpr std::string_view kNames[] = {
      "host",    "connection",     "keep-alive", "proxy-connection", "te",     "transfer-encoding",
      "upgrade", "content-length", "expect",     "cookie",           "trailer"};
  for (const std::string_view n : kNames)
    if (iequals(n, name)) return true;
  const auto starts = [&](std::string_view with) {
    return name.size() > with.size() && iequals(name.substr(0, with.size()), with);
  };
  return starts("x-vsim-") || starts("x-vercel-sim");
}

bool is_own_name(std::string_view host, std::string_view request_host) {
  return iequals(host, request_host) || iequals(host, "localhost") || host == "127.0.0.1" || host == "[::1]";
}

}  // namespace

std::optional<std::string> obstacle(const RecordedRequest& r, const About& about, const Destination& to) {
  if (r.upgrade) return "a WebSocket: what was said on it is not in the recording";
  if (!r.body.whole) {
    if (r.body.bytes.empty() && r.body.size > 0)
      return fmt::format("its body of {} was refused unread, so it is not in the recording",
                         human_size(r.body.size));
    return fmt::format("of its body only {} are in the recording", human_size(r.body.bytes.size()));
  }
  const RecordedHeader* type = find(r, "content-type");
  const bool action = find(r, "next-action") != nullptr ||
                      (type != nullptr && type->value.find("multipart/form-data") != std::string::npos &&
                       (r.body.bytes.find("$ACTION_ID_") != std::string::npos ||
                        r.body.bytes.find("$ACTION_REF_") != std::string::npos));
  if (action && (about.build.empty() || about.build != to.build))
    return "a Server Action: Next gives each build other ids, and this is not the build of the recording "
           "(NEXT_SERVER_ACTIONS_ENCRYPTION_KEY in the environment of both keeps the ids)";
  if (r.outcome.ended_by == event::EndedBy::client && r.outcome.phase == event::Phase::request)
    return "its client left before it was whole";
  return std::nullopt;
}

std::optional<RecordedHeader> parse_set_cookie(std::string_view field) {
  const std::string_view pair = field.substr(0, field.find(';'));
  const std::size_t equals = pair.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  const auto trim = [](std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
  };
  const std::string_view name = trim(pair.substr(0, equals));
  if (name.empty()) return std::nullopt;
  return RecordedHeader{std::string(name), std::string(trim(pair.substr(equals + 1)))};
}

Cookies::Answer Cookies::field(std::size_t index, std::string_view recorded) const {
  Answer out;
  for (std::string_view pair : split(recorded, ";")) {
    while (pair.starts_with(' ')) pair.remove_prefix(1);
    if (pair.empty()) continue;
    std::string_view value = pair;
    std::string renewed;
    const auto cookie = parse_set_cookie(pair);
    // The latest answer before that gave the client just this value.
    for (std::size_t i = index; cookie && i-- > 0;) {
      const auto& set = requests_[i].outcome.set_cookies;
      if (std::find(set.begin(), set.end(), *cookie) == set.end()) continue;
      const auto& now = seen_[i].set;
      const auto again = std::find_if(now.rbegin(), now.rend(),
                                      [&](const RecordedHeader& h) { return h.name == cookie->name; });
      if (!seen_[i].answered || again == now.rend()) {
        out.missing = fmt::format(
            "its cookie {} came from {} (request {}), which {}", cookie->name, label(requests_[i]),
            requests_[i].n, seen_[i].answered ? "does not set it this time" : "has no answer this time");
        return out;
      }
      if (again->value != cookie->value) {
        renewed = cookie->name + "=" + again->value;
        value = renewed;
        out.renewed.push_back(fmt::format("cookie {} as {} (request {}) set it this time", cookie->name,
                                          label(requests_[i]), requests_[i].n));
      }
      break;
    }
    if (!out.value.empty()) out.value += "; ";
    out.value += value;
  }
  return out;
}

std::string head_of(const RecordedRequest& r, const About& about, const Destination& to,
                    std::string_view cookie, std::string_view mark) {
  const auto was = parse_origin(about.url), is = parse_origin(to.url);
  const RecordedHeader* host = find(r, "host");
  const std::string asked_url = "http://" + (host != nullptr ? host->value : std::string());
  const auto asked = parse_origin(asked_url);
  const std::string request_host(asked ? asked->host : "");
  // The name that the client used, at the new port.
  const std::string name = request_host.empty() ? std::string(is->host) : request_host;
  const std::string authority = fmt::format("{}:{}", name, is->port);
  const auto mapped = [&](const std::string& url) {
    const auto o = parse_origin(url);
    if (!o || !was || !iequals(o->scheme, was->scheme) || o->port != was->port ||
        !is_own_name(o->host, request_host))
      return url;
    return fmt::format("{}://{}:{}{}", is->scheme, o->host, is->port, o->rest);
  };
  std::string out = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n", r.method, r.target, authority);
  for (const RecordedHeader& h : r.headers) {
    if (is_dropped(h.name)) continue;
    const bool from = iequals(h.name, "origin") || iequals(h.name, "referer");
    out += fmt::format("{}: {}\r\n", h.name, from ? mapped(h.value) : h.value);
  }
  if (!cookie.empty()) out += fmt::format("Cookie: {}\r\n", cookie);
  if (find(r, "transfer-encoding") != nullptr)
    out += "Transfer-Encoding: chunked\r\n";
  else if (!r.body.bytes.empty() || find(r, "content-length") != nullptr)
    out += fmt::format("Content-Length: {}\r\n", r.body.bytes.size());
  out += fmt::format("{}: {}\r\nConnection: close\r\n", kMark, mark);
  return out;
}

std::string body_of(const RecordedRequest& r) {
  if (find(r, "transfer-encoding") == nullptr) return r.body.bytes;
  if (r.body.bytes.empty()) return "0\r\n\r\n";
  return fmt::format("{:x}\r\n{}\r\n0\r\n\r\n", r.body.bytes.size(), r.body.bytes);
}

std::string label(const RecordedRequest& r) {
  std::string out = r.method + " ";
  event::mask_target(r.target, [&](std::string_view piece) { out += piece; });
  return plain(out);
}

}  // namespace vsim::replay
