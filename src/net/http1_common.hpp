// What the request, response and chunked readers of http1.hpp share: character classes, line ends, field
// lines, list values. Internal to src/net/http1_*.cpp. Pure: no I/O, no allocation.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "net/http1.hpp"

namespace vsim::net::http1::detail {

enum : std::uint8_t {
  kToken = 1,   // RFC 9110 tchar
  kTarget = 2,  // printable ASCII except '#': wider than RFC 3986, as browsers send [ ] | ^ { } unescaped and
                // every server takes them
  kRegName = 4,  // RFC 3986 unreserved and sub-delims without ',' (two hosts in one field)
  kHex = 8,
};
extern const std::array<std::uint8_t, 256> kClass;

inline bool is(char c, std::uint8_t mask) { return (kClass[static_cast<unsigned char>(c)] & mask) != 0; }
inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline bool is_space(char c) { return c == ' ' || c == '\t'; }
inline constexpr std::uint64_t bit(Field f) { return std::uint64_t{1} << static_cast<unsigned>(f); }

// ASCII case ignored. `lower` consists of lower-case letters, digits and '-'; `text` of token characters,
// which is why setting bit 5 is enough (no other token character becomes a letter, digit or '-').
inline bool same(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((text[i] | 0x20) != lower[i]) return false;
  }
  return true;
}

inline std::string_view trim(std::string_view v) {
  while (!v.empty() && is_space(v.front())) v.remove_prefix(1);
  while (!v.empty() && is_space(v.back())) v.remove_suffix(1);
  return v;
}

inline bool is_token(std::string_view v) {
  for (char c : v) {
    if (!is(c, kToken)) return false;
  }
  return !v.empty();
}

// Calls f(element) for each non-empty element of a comma list without quoted strings, white space trimmed.
template <typename F>
void each_element(std::string_view list, F f) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    const std::string_view element = trim(list.substr(0, comma));
    if (!element.empty()) f(element);
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
}

// `name` must be a token. Content_Length and Transfer_Encoding are `dropped`: CGI-like readers take them for
// the real ones.
Field field_of(std::string_view name);
bool is_utf8(std::string_view text);
// RFC 3986 host with an optional port of at most 65535. An empty host is not valid here. `port_required`:
// authority-form.
bool valid_authority(std::string_view text, bool port_required = false);
bool parse_length(std::string_view digits, std::uint64_t& out);  // 1*DIGIT up to 2^63-1

// Bytes of a field value that need a second look: control bytes (HTAB is none here) and bytes above 0x7f.
struct ValueScan {
  bool control = false, high = false;
};
ValueScan scan_value(std::string_view value);

// One field line without its CRLF. Returns the reason why it is refused, empty when `out` is filled. `high`
// is set when the value has a byte above 0x7f.
std::string_view parse_field_line(std::string_view line, bool first, Header& out, bool& high);

enum class LineResult : std::uint8_t { line, more, bare_cr, bare_lf, line_too_long, head_too_large };
// The next line of `buffer` without its CRLF, from at.line on; the caller moves `at` with pass(). Answers the
// same whether the bytes came at once or one by one. `line_limit` is for this line's content, `head_limit`
// for everything from the start of the buffer. On an error `line` is what is there of it.
LineResult next_line_slow(std::string_view buffer, LineCursor& at, std::size_t line_limit,
                          std::size_t head_limit, const char* found, std::string_view& line);
inline LineResult next_line(std::string_view buffer, LineCursor& at, std::size_t line_limit,
                            std::size_t head_limit, std::string_view& line) {
  const char* const base = buffer.data();
  const char* found = nullptr;
  if (at.scanned < buffer.size()) {
    found = static_cast<const char*>(std::memchr(base + at.scanned, '\n', buffer.size() - at.scanned));
  }
  if (found != nullptr) [[likely]] {
    const auto feed = static_cast<std::size_t>(found - base);
    if (feed > at.line && found[-1] == '\r' && feed - 1 - at.line <= line_limit && feed < head_limit)
        [[likely]] {
      line = std::string_view(base + at.line, feed - 1 - at.line);
      return LineResult::line;
    }
  }
  return next_line_slow(buffer, at, line_limit, head_limit, found, line);
}
inline void pass(LineCursor& at, std::string_view line) { at.line = at.scanned = at.line + line.size() + 2; }

// Transfer-Encoding over all its lines, as one list.
enum class Coding : std::uint8_t {
  chunked,      // exactly one coding, chunked
  unsupported,  // other known-to-be-valid codings before a final chunked
  broken,       // syntax, chunked twice or not last, identity
};
Coding transfer_coding(std::span<const Header> headers);

// More are refused: each one is compared with every header. Real messages have one to three.
inline constexpr std::size_t kMaxConnectionOptions = 64;
struct ConnectionOptions {
  bool close = false, keep_alive = false, upgrade = false;
  bool malformed = false;  // an element is no token
  std::size_t count = 0;
};
// Reads every Connection field and marks the fields they name as Field::dropped. Not those that frame or
// route the message or that carry its meaning to every recipient (RFC 9110 7.6.1 forbids naming them; obeying
// would let a client strip Host or X-Forwarded-For), nor those the session acts on itself and still has to
// read (Upgrade, TE, Expect…).
ConnectionOptions read_connection(std::span<Header> headers);

}  // namespace vsim::net::http1::detail
