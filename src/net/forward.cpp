#include "net/forward.hpp"

#include <charconv>
#include <ctime>

#include "base/text.hpp"

namespace vsim::net {
namespace {

using http1::Field;
using http1::Header;

void line(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ", 2).append(value).append("\r\n", 2);
}

void number(std::string& out, std::uint64_t n) {
  char text[20];
  out.append(text, static_cast<std::size_t>(std::to_chars(text, text + sizeof text, n).ptr - text));
}

// What a client may say in x-vercel-*: geography, for trying out geolocation(); all else is the platform's
// own word.
bool client_may_send(std::string_view name) {
  constexpr std::string_view kGeo = "x-vercel-ip-";
  return name.size() > kGeo.size() && iequals(name.substr(0, kGeo.size()), kGeo);
}

// What is said to the next neighbour only, in either direction: this connection's own fields (RFC
// 9110 7.6.1), and ours.
bool is_for_one_hop(Field field) {
  switch (field) {
    case Field::connection:
    case Field::keep_alive:
    case Field::proxy_connection:
    case Field::te:
    case Field::transfer_encoding:
    case Field::x_vsim:
    case Field::dropped:
      return true;
    default:
      return false;
  }
}

bool has_content(const http1::BodyFraming& body) {
  return body.kind != http1::BodyKind::none && (body.kind != http1::BodyKind::length || body.length > 0);
}

}  // namespace

void append_framing(std::string& out, const http1::BodyFraming& body) {
  if (body.kind == http1::BodyKind::length) {
    out.append("Content-Length: ");
    number(out, body.length);
    out.append("\r\n");
  } else if (body.kind == http1::BodyKind::chunked) {
    out.append("Transfer-Encoding: chunked\r\n");
  }
}

void append_request_head(std::string& out, const http1::RequestHead& head, const RequestDecision& decision,
                         long max_forwards) {
  out.append(head.method).append(" ").append(head.target).append(" HTTP/1.1\r\n");
  line(out, "Host", head.host);
  const bool plain_get = head.websocket && !decision.tunnel;
  for (const Header& h : head.headers) {
    if (is_for_one_hop(h.field)) continue;
    switch (h.field) {
      case Field::host:
      case Field::proxy_authorization:
      case Field::content_length:
      case Field::forwarded:
      case Field::x_forwarded_for:
      case Field::x_forwarded_host:
      case Field::x_forwarded_port:
      case Field::x_forwarded_proto:
      case Field::x_real_ip:
        break;
      case Field::expect:
        if (head.expect_continue && !decision.hold_body) line(out, h.name, h.value);
        break;
      case Field::upgrade:
        if (decision.tunnel) line(out, h.name, h.value);
        break;
      case Field::sec_websocket_extensions:
      case Field::sec_websocket_key:
      case Field::sec_websocket_protocol:
      case Field::sec_websocket_version:
        if (!plain_get) line(out, h.name, h.value);
        break;
      case Field::origin:
        line(out, h.name, decision.origin.empty() ? h.value : decision.origin);
        break;
      case Field::max_forwards:
        if (max_forwards < 0) {
          line(out, h.name, h.value);
        } else {
          out.append("Max-Forwards: ");
          number(out, static_cast<std::uint64_t>(max_forwards));
          out.append("\r\n");
        }
        break;
      case Field::x_vercel:
        if (client_may_send(h.name)) line(out, h.name, h.value);
        break;
      default:
        line(out, h.name, h.value);
    }
  }
  append_framing(out, head.body);
  if (decision.hold_body && has_content(head.body)) out.append("Expect: 100-continue\r\n");
  if (decision.tunnel)
    out.append("Connection: Upgrade\r\n");
  else if (head.te_trailers)
    out.append("TE: trailers\r\nConnection: TE\r\n");
  // A further line is the same list, grown at its end (RFC 9110 7.6.3).
  out.append(head.minor == 0 ? "Via: 1.0 vercel-sim\r\n" : "Via: 1.1 vercel-sim\r\n");
  out.append(decision.extra).append("\r\n");
}

void append_response_head(std::string& out, const http1::ResponseHead& head, const ResponseForward& how) {
  out.append("HTTP/1.1 ");
  number(out, static_cast<std::uint64_t>(head.status));
  out.append(" ").append(head.reason).append("\r\n");
  for (const Header& h : head.headers) {
    if (is_for_one_hop(h.field)) continue;
    switch (h.field) {
      case Field::upgrade:
        if (how.upgrade || head.status == 426) line(out, h.name, h.value);
        break;
      case Field::content_length:
        if (how.bodiless) line(out, h.name, h.value);
        break;
      case Field::trailer:
        if (how.framing == ClientFraming::chunked) line(out, h.name, h.value);
        break;
      case Field::server:
        if (!how.drop_server) line(out, h.name, h.value);
        break;
      case Field::x_vercel:
        if (!how.drop_server || !(iequals(h.name, "x-vercel-id") || iequals(h.name, "x-vercel-cache")))
          line(out, h.name, h.value);
        break;
      case Field::location:
        if (!how.app_origin.empty() && h.value.substr(0, how.app_origin.size()) == how.app_origin &&
            (h.value.size() == how.app_origin.size() ||
             std::string_view("/?#").find(h.value[how.app_origin.size()]) != std::string_view::npos)) {
          out.append(h.name).append(": ").append(how.public_scheme).append("://").append(how.public_host);
          out.append(h.value.substr(how.app_origin.size())).append("\r\n");
        } else {
          line(out, h.name, h.value);
        }
        break;
      default:
        line(out, h.name, h.value);
    }
  }
  if (!head.has_date) line(out, "Date", how.date);
  if (how.framing == ClientFraming::length) {
    out.append("Content-Length: ");
    number(out, head.body.length);
    out.append("\r\n");
  } else if (how.framing == ClientFraming::chunked) {
    out.append("Transfer-Encoding: chunked\r\n");
  }
  if (how.upgrade)
    out.append("Connection: Upgrade\r\n");
  else if (!how.keep_alive)
    out.append(head.status == 426 ? "Connection: close, Upgrade\r\n" : "Connection: close\r\n");
  else if (head.status == 426)
    out.append("Connection: Upgrade\r\n");
  else if (how.client_minor == 0)
    out.append("Connection: keep-alive\r\n");
  out.append(how.extra).append("\r\n");
}

void append_interim_head(std::string& out, const http1::ResponseHead& head) {
  out.append("HTTP/1.1 ");
  number(out, static_cast<std::uint64_t>(head.status));
  out.append(" ").append(head.reason).append("\r\n");
  for (const Header& h : head.headers) {
    if (!is_for_one_hop(h.field) && h.field != Field::content_length && h.field != Field::upgrade)
      line(out, h.name, h.value);
  }
  out.append("\r\n");
}

std::string_view http_date() {
  static thread_local std::time_t made = 0;
  static thread_local char text[40];
  static thread_local std::size_t size = 0;
  const std::time_t now = std::time(nullptr);
  if (now != made || size == 0) {
    made = now;
    std::tm utc{};
    gmtime_r(&now, &utc);
    size = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc);
  }
  return {text, size};
}

}  // namespace vsim::net
