#include "net/http1_common.hpp"

#include <algorithm>

namespace vsim::net::http1 {
namespace detail {
namespace {

constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> t{};
  const auto add = [&t](std::string_view chars, std::uint8_t mask) {
    for (char c : chars) t[static_cast<unsigned char>(c)] |= mask;
  };
  constexpr std::string_view kAlnum = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  add(kAlnum, kToken | kRegName);
  add("!#$%&'*+-.^_`|~", kToken);
  add("-._~!$&'()*+;=", kRegName);
  add("0123456789abcdefABCDEF", kHex);
  for (unsigned c = 0x21; c < 0x7f; ++c) {
    if (c != '#') t[c] |= kTarget;
  }
  return t;
}

bool starts_with(std::string_view name, std::string_view lower) {
  return name.size() >= lower.size() && same(name.substr(0, lower.size()), lower);
}

bool valid_ipv4(std::string_view s) {
  int parts = 0;
  while (true) {
    std::size_t n = 0;
    int value = 0;
    while (n < s.size() && n < 3 && is_digit(s[n])) value = value * 10 + (s[n++] - '0');
    if (n == 0 || value > 255 || (n > 1 && s[0] == '0')) return false;
    s.remove_prefix(n);
    if (++parts == 4) return s.empty();
    if (s.empty() || s[0] != '.') return false;
    s.remove_prefix(1);
  }
}

bool valid_ipv6(std::string_view s) {
  int groups = 0;
  bool elided = false;
  if (s.substr(0, 2) == "::") {
    elided = true;
    s.remove_prefix(2);
    if (s.empty()) return true;
  }
  while (true) {
    std::size_t n = 0;
    while (n < s.size() && n < 4 && is(s[n], kHex)) ++n;
    if (n == 0) return false;
    if (n < s.size() && s[n] == '.') {
      groups += 2;
      return valid_ipv4(s) && (elided ? groups <= 7 : groups == 8);
    }
    ++groups;
    s.remove_prefix(n);
    if (s.empty()) return elided ? groups <= 7 : groups == 8;
    if (s[0] != ':' || groups == 8) return false;
    s.remove_prefix(1);
    if (!s.empty() && s[0] == ':') {
      if (elided) return false;
      elided = true;
      s.remove_prefix(1);
      if (s.empty()) return groups <= 7;
    }
  }
}

bool valid_port(std::string_view s) {  // RFC 3986: *DIGIT
  unsigned value = 0;
  for (char c : s) {
    if (!is_digit(c)) return false;
    value = value * 10 + static_cast<unsigned>(c - '0');
    if (value > 65535) return false;
  }
  return true;
}

// Fields that Connection cannot take away (see read_connection).
bool may_drop(const Header& h) {
  switch (h.field) {
    case Field::connection:
    case Field::content_length:
    case Field::date:
    case Field::expect:
    case Field::forwarded:
    case Field::host:
    case Field::keep_alive:
    case Field::proxy_authorization:
    case Field::proxy_connection:
    case Field::te:
    case Field::transfer_encoding:
    case Field::upgrade:
    case Field::via:
    case Field::x_forwarded_for:
    case Field::x_forwarded_host:
    case Field::x_forwarded_port:
    case Field::x_forwarded_proto:
    case Field::x_real_ip:
    case Field::x_vercel:
    case Field::x_vsim:
      return false;
    case Field::other:
      return !same(h.name, "cache-control") && !same(h.name, "content-type") &&
             !same(h.name, "content-encoding");
    default:
      return true;
  }
}

// Trailing parameters of a transfer coding are only looked at to tell an unknown coding from garbage.
bool is_coding(std::string_view element) {
  const std::size_t semicolon = element.find(';');
  if (!is_token(trim(element.substr(0, semicolon)))) return false;
  if (semicolon == std::string_view::npos) return true;
  bool ok = true;
  std::string_view rest = element.substr(semicolon + 1);
  while (ok) {
    const std::size_t next = rest.find(';');
    const std::string_view parameter = rest.substr(0, next);
    const std::size_t equals = parameter.find('=');
    ok = equals != std::string_view::npos && is_token(trim(parameter.substr(0, equals))) &&
         is_token(trim(parameter.substr(equals + 1)));
    if (next == std::string_view::npos) break;
    rest.remove_prefix(next + 1);
  }
  return ok;
}

Field by_prefix(std::string_view n) {
  using enum Field;
  if ((n[0] | 0x20) != 'x' || n.size() < 7) return other;
  if (starts_with(n, "x-vercel-")) return starts_with(n, "x-vercel-sim") ? x_vsim : x_vercel;
  return starts_with(n, "x-vsim-") ? x_vsim : other;
}

}  // namespace

constinit const std::array<std::uint8_t, 256> kClass = make_classes();

Field field_of(std::string_view n) {
  using enum Field;
  const auto looks_like = [n](std::string_view lower) {
    for (std::size_t i = 0; i < lower.size(); ++i) {
      if (n[i] == '_' ? lower[i] != '-' : (n[i] | 0x20) != lower[i]) return false;
    }
    return true;
  };
  const char c = static_cast<char>(n[0] | 0x20);
  switch (n.size()) {
    case 2:
      return same(n, "te") ? te : other;
    case 3:
      return same(n, "via") ? via : other;
    case 4:
      if (same(n, "host")) return host;
      return same(n, "date") ? date : other;
    case 6:
      if (c == 'a') return same(n, "accept") ? accept : other;
      if (c == 'c') return same(n, "cookie") ? cookie : other;
      if (c == 'o') return same(n, "origin") ? origin : other;
      if (c == 'e') return same(n, "expect") ? expect : other;
      return same(n, "server") ? server : other;
    case 7:
      if (same(n, "upgrade")) return upgrade;
      return same(n, "trailer") ? trailer : by_prefix(n);
    case 8:
      return same(n, "location") ? location : by_prefix(n);
    case 9:
      if (same(n, "forwarded")) return forwarded;
      return same(n, "x-real-ip") ? x_real_ip : by_prefix(n);
    case 10:
      if (same(n, "connection")) return connection;
      if (same(n, "keep-alive")) return keep_alive;
      return same(n, "set-cookie") ? set_cookie : by_prefix(n);
    case 12:
      return same(n, "max-forwards") ? max_forwards : by_prefix(n);
    case 14:
      if (same(n, "content-length")) return content_length;
      return looks_like("content-length") ? dropped : by_prefix(n);
    case 15:
      return same(n, "x-forwarded-for") ? x_forwarded_for : by_prefix(n);
    case 16:
      if (same(n, "proxy-connection")) return proxy_connection;
      if (same(n, "x-forwarded-host")) return x_forwarded_host;
      return same(n, "x-forwarded-port") ? x_forwarded_port : by_prefix(n);
    case 17:
      if (same(n, "transfer-encoding")) return transfer_encoding;
      if (same(n, "x-forwarded-proto")) return x_forwarded_proto;
      if (same(n, "sec-websocket-key")) return sec_websocket_key;
      return looks_like("transfer-encoding") ? dropped : by_prefix(n);
    case 18:
      return same(n, "proxy-authenticate") ? proxy_authenticate : by_prefix(n);
    case 19:
      return same(n, "proxy-authorization") ? proxy_authorization : by_prefix(n);
    case 21:
      return same(n, "sec-websocket-version") ? sec_websocket_version : by_prefix(n);
    case 22:
      return same(n, "sec-websocket-protocol") ? sec_websocket_protocol : by_prefix(n);
    case 24:
      return same(n, "sec-websocket-extensions") ? sec_websocket_extensions : by_prefix(n);
    case 25:
      return same(n, "strict-transport-security") ? strict_transport_security : by_prefix(n);
    default:
      return by_prefix(n);
  }
}

bool is_utf8(std::string_view s) {
  const auto at = [s](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  for (std::size_t i = 0; i < s.size();) {
    const unsigned c = at(i++);
    if (c < 0x80) continue;
    unsigned low = 0x80, high = 0xbf;
    std::size_t more = 0;
    if (c >= 0xc2 && c <= 0xdf) {
      more = 1;
    } else if (c >= 0xe0 && c <= 0xef) {
      more = 2;
      if (c == 0xe0) low = 0xa0;   // overlong
      if (c == 0xed) high = 0x9f;  // surrogates
    } else if (c >= 0xf0 && c <= 0xf4) {
      more = 3;
      if (c == 0xf0) low = 0x90;
      if (c == 0xf4) high = 0x8f;  // above U+10FFFF
    } else {
      return false;
    }
    if (s.size() - i < more) return false;
    for (; more > 0; --more, low = 0x80, high = 0xbf) {
      if (at(i) < low || at(i) > high) return false;
      ++i;
    }
  }
  return true;
}

bool valid_authority(std::string_view s, bool port_required) {
  std::size_t end = 0;
  if (!s.empty() && s[0] == '[') {
    end = s.find(']');
    if (end == std::string_view::npos || !valid_ipv6(s.substr(1, end - 1))) return false;
    ++end;
  } else {
    while (end < s.size()) {
      if (is(s[end], kRegName)) {
        ++end;
      } else if (s[end] == '%' && s.size() - end > 2 && is(s[end + 1], kHex) && is(s[end + 2], kHex)) {
        end += 3;
      } else {
        break;
      }
    }
    if (end == 0) return false;
  }
  if (end == s.size()) return !port_required;
  if (s[end] != ':' || !valid_port(s.substr(end + 1))) return false;
  return !port_required || s.size() > end + 1;
}

bool parse_length(std::string_view digits, std::uint64_t& out) {
  constexpr std::uint64_t kMax = INT64_MAX;
  std::uint64_t value = 0;
  for (char c : digits) {
    if (!is_digit(c)) return false;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (kMax - digit) / 10) return false;
    value = value * 10 + digit;
  }
  out = value;
  return !digits.empty();
}

ValueScan scan_value(std::string_view v) {
  // Eight bytes at a time: bit 7 of a lane is set when its byte is below 0x20, is 0x7f, or is above 0x7f. A
  // borrow can only set lanes above one that is already set, so a clean word is never taken for a dirty one,
  // and a dirty one is looked at byte by byte.
  constexpr std::uint64_t kOnes = 0x0101010101010101, kTop = 0x8080808080808080;
  ValueScan r;
  const auto bytes = [&r](const char* p, const char* end) {
    for (; p < end; ++p) {
      const auto c = static_cast<unsigned char>(*p);
      r.control |= (c < 0x20 && c != '\t') || c == 0x7f;
      r.high |= c >= 0x80;
    }
  };
  const auto word = [&](const char* p) {
    std::uint64_t x = 0;
    std::memcpy(&x, p, 8);
    const std::uint64_t del = x ^ (kOnes * 0x7f);
    if ((((x - kOnes * 0x20) | x | (del - kOnes)) & kTop) != 0) bytes(p, p + 8);
  };
  const char* p = v.data();
  const char* const end = p + v.size();
  if (v.size() < 8) {
    bytes(p, end);
    return r;
  }
  for (; end - p > 8; p += 8) word(p);
  word(end - 8);
  return r;
}

std::string_view parse_field_line(std::string_view line, bool first, Header& out, bool& high) {
  const char* const begin = line.data();
  const char* const end = begin + line.size();
  const char* p = begin;
  while (p < end && is(*p, kToken)) ++p;
  if (p == end || *p != ':' || p == begin) [[unlikely]] {
    if (is_space(line[0])) return first ? "white space before the first header" : "obs-fold in a header";
    if (p == end) return "header without a colon";
    if (*p == ':') return "empty header name";
    if (is_space(*p)) {
      while (p < end && is_space(*p)) ++p;
      return p < end && *p == ':' ? "white space before the colon of a header"
                                  : "white space in a header name";
    }
    return "invalid character in a header name";
  }
  out.name = std::string_view(begin, static_cast<std::size_t>(p - begin));
  const char* value = p + 1;
  const char* last = end;
  while (value < last && is_space(*value)) ++value;
  while (last > value && is_space(last[-1])) --last;
  out.value = std::string_view(value, static_cast<std::size_t>(last - value));
  const ValueScan scan = scan_value(out.value);
  if (scan.control) [[unlikely]] {
    return out.value.find('\0') != std::string_view::npos ? "NUL in a header"
                                                          : "control character in a header";
  }
  high = scan.high;
  out.field = field_of(out.name);
  return {};
}

LineResult next_line_slow(std::string_view buffer, LineCursor& at, std::size_t line_limit,
                          std::size_t head_limit, const char* found, std::string_view& line) {
  const char* const base = buffer.data();
  std::size_t stop = buffer.size();  // one past the last byte that may belong to the line's content
  LineResult r = LineResult::more;
  if (found != nullptr) {
    stop = static_cast<std::size_t>(found - base);
    if (stop == at.line || base[stop - 1] != '\r') {
      r = LineResult::bare_lf;
    } else {
      --stop;
      r = LineResult::line;
    }
  }
  line = buffer.substr(at.line, stop - at.line);
  // The first bound that a slow reader would hit, counted in bytes of the buffer.
  const std::size_t line_bound = line_limit < SIZE_MAX / 2 ? at.line + line_limit + 1 : SIZE_MAX;
  const bool maybe_cr = r == LineResult::more && !line.empty() && line.back() == '\r';
  const bool over_line = stop - (maybe_cr ? 1 : 0) >= line_bound;
  const bool over_head = r == LineResult::more ? buffer.size() >= head_limit
                                               : stop + (r == LineResult::line ? 2 : 1) > head_limit;

  // A CR that is not followed by LF comes first, as far as the bounds let a slow reader see it.
  std::size_t from = at.line;
  if (r == LineResult::more && at.scanned > at.line) from = at.scanned - 1;
  const std::size_t seen = std::min({line_bound, head_limit, stop});
  if (from < seen) {
    const auto* cr = static_cast<const char*>(std::memchr(base + from, '\r', seen - from));
    if (cr != nullptr && static_cast<std::size_t>(cr - base) + 1 < std::min(head_limit, buffer.size()))
      return LineResult::bare_cr;
  }
  if (over_line && (!over_head || line_bound <= head_limit)) return LineResult::line_too_long;
  if (over_head) return LineResult::head_too_large;
  if (r == LineResult::more) at.scanned = buffer.size();
  return r;
}

Coding transfer_coding(std::span<const Header> headers) {
  int total = 0, chunked = 0;
  bool last_is_chunked = false;
  for (const Header& h : headers) {
    if (h.field != Field::transfer_encoding) continue;
    std::string_view list = h.value;
    while (true) {
      const std::size_t comma = list.find(',');
      const std::string_view element = trim(list.substr(0, comma));
      // Empty elements are refused though lists may have them: no sender needs them here, and readers differ.
      if (!is_coding(element) || same(element, "identity")) return Coding::broken;
      last_is_chunked = same(element, "chunked");
      const std::string_view name = trim(element.substr(0, element.find(';')));
      if (!last_is_chunked && same(name, "chunked")) return Coding::broken;
      chunked += last_is_chunked ? 1 : 0;
      ++total;
      if (comma == std::string_view::npos) break;
      list.remove_prefix(comma + 1);
    }
  }
  if (!last_is_chunked || chunked != 1) return Coding::broken;
  return total == 1 ? Coding::chunked : Coding::unsupported;
}

ConnectionOptions read_connection(std::span<Header> headers) {
  ConnectionOptions r;
  for (const Header& h : headers) {
    if (h.field != Field::connection) continue;
    each_element(h.value, [&](std::string_view option) {
      if (++r.count > kMaxConnectionOptions) return;
      if (!is_token(option)) {
        r.malformed = true;
      } else if (same(option, "close")) {
        r.close = true;
      } else if (same(option, "keep-alive")) {
        r.keep_alive = true;
      } else if (same(option, "upgrade")) {
        r.upgrade = true;
      } else {
        for (Header& other : headers) {
          if (other.name.size() != option.size() || !may_drop(other)) continue;
          const bool named = std::equal(option.begin(), option.end(), other.name.begin(), [](char a, char b) {
            const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
            return lower(a) == lower(b);
          });
          if (named) other.field = Field::dropped;
        }
      }
    });
  }
  return r;
}

}  // namespace detail

bool is_token_char(unsigned char c) { return (detail::kClass[c] & detail::kToken) != 0; }

}  // namespace vsim::net::http1
