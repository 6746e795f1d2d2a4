#include <algorithm>

#include "net/http1_common.hpp"

namespace vsim::net::http1 {

using namespace detail;

namespace {

// Chosen far above real use (an extension or trailer is a signature or a checksum of some 100 bytes) and far
// below what hurts.
constexpr std::uint32_t kMaxExtensionBytes = 4 * 1024;
constexpr std::uint32_t kMaxTrailerBytes = 8 * 1024;
constexpr std::uint32_t kMaxSizeDigits = 15;  // 15 hex digits fit 2^60

// RFC 9110 6.5.1: a trailer may not change framing, routing, authentication, request handling or the meaning
// of the content.
bool forbidden_trailer(std::string_view name) {
  if (field_of(name) != Field::other) return true;
  static constexpr std::string_view kNames[] = {
      "age",
      "authorization",
      "cache-control",
      "content-disposition",
      "content-encoding",
      "content-language",
      "content-location",
      "content-range",
      "content-type",
      "expires",
      "from",
      "if-match",
      "if-modified-since",
      "if-none-match",
      "if-range",
      "if-unmodified-since",
      "pragma",
      "range",
      "referer",
      "retry-after",
      "user-agent",
      "vary",
      "warning",
      "www-authenticate",
      "authentication-info",
      "proxy-authentication-info",
      "x-http-method-override",
      "x-original-url",
      "x-rewrite-url",
      "access-control-allow-origin",
      "access-control-allow-credentials",
      "content-security-policy",
  };
  const auto starts = [name](std::string_view lower) {
    return name.size() > lower.size() && same(name.substr(0, lower.size()), lower);
  };
  if (starts("x-forwarded-") || starts("x-middleware-") || starts("sec-")) return true;
  return std::any_of(std::begin(kNames), std::end(kNames),
                     [name](std::string_view n) { return same(name, n); });
}

unsigned hex_value(unsigned char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10U; }

bool is_quoted_text(unsigned char c) { return c == '\t' || (c >= 0x20 && c != 0x7f); }

}  // namespace

void ChunkedDecoder::reset() {
  at_ = At::size;
  space_ = false;
  left_ = 0;
  digits_ = extension_bytes_ = trailer_bytes_ = 0;
  line_.clear();
  trailers_.clear();
}

ChunkedDecoder::Step ChunkedDecoder::next(std::string_view in) {
  Step step;
  while (at_ != At::done && at_ != At::failed && step.consumed < in.size()) {
    if (at_ == At::data) {
      const std::size_t run =
          static_cast<std::size_t>(std::min<std::uint64_t>(left_, in.size() - step.consumed));
      step.data = in.substr(step.consumed, run);
      step.consumed += run;
      left_ -= run;
      if (left_ == 0) at_ = At::data_cr;
      return step;
    }
    if (!framing(static_cast<unsigned char>(in[step.consumed]))) {
      at_ = At::failed;
      break;
    }
    ++step.consumed;
  }
  if (at_ == At::failed) step.state = ParseState::error;
  if (at_ == At::done) step.state = ParseState::complete;
  return step;
}

// chunk-ext = *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] ), so white space must lead to
// `;` or `=`.
bool ChunkedDecoder::after_extension_part(unsigned char c) {
  if (is_space(static_cast<char>(c))) {
    space_ = true;
    return true;
  }
  if (c == ';') {
    at_ = At::extension_name_start;
    return true;
  }
  if (c == '\r' && !space_) {
    at_ = At::size_lf;
    return true;
  }
  return false;
}

bool ChunkedDecoder::trailer(unsigned char c) {
  switch (at_) {
    case At::trailer_start:
      if (c == '\r') {
        at_ = At::end_lf;
        return true;
      }
      line_.clear();
      at_ = At::trailer_line;
      [[fallthrough]];
    case At::trailer_line:
      if (++trailer_bytes_ > kMaxTrailerBytes) return false;
      if (c == '\r') {
        at_ = At::trailer_line_lf;
      } else {
        line_.push_back(static_cast<char>(c));
      }
      return c != '\n';
    case At::trailer_line_lf:
      at_ = At::trailer_start;
      return c == '\n' && end_of_trailer_line();
    case At::end_lf:
      at_ = At::done;
      return c == '\n';
    default:
      return false;
  }
}

bool ChunkedDecoder::framing(unsigned char c) {
  const char ch = static_cast<char>(c);
  if (at_ >= At::after_size && at_ <= At::after_value && c != '\r' && ++extension_bytes_ > kMaxExtensionBytes)
    return false;
  switch (at_) {
    case At::size:
      if (is(ch, kHex)) {
        left_ = left_ * 16 + hex_value(c);
        return ++digits_ <= kMaxSizeDigits;
      }
      if (digits_ == 0) return false;
      if (c == '\r') {
        at_ = At::size_lf;
        return true;
      }
      space_ = false;
      at_ = At::after_size;
      return after_extension_part(c);
    case At::after_size:
    case At::after_value:
      return after_extension_part(c);
    case At::extension_name_start:
      if (is_space(ch)) return true;
      space_ = false;
      at_ = At::extension_name;
      return is(ch, kToken);
    case At::extension_name:
    case At::after_name:
      if (at_ == At::extension_name && is(ch, kToken)) return true;
      if (c == '=') {
        at_ = At::value_start;
        return true;
      }
      at_ = At::after_name;
      return after_extension_part(c);
    case At::value_start:
      if (is_space(ch)) return true;
      space_ = false;
      at_ = c == '"' ? At::value_quoted : At::value_token;
      return c == '"' || is(ch, kToken);
    case At::value_token:
      if (is(ch, kToken)) return true;
      at_ = At::after_value;
      return after_extension_part(c);
    case At::value_quoted:
      if (c == '"') at_ = At::after_value;
      if (c == '\\') at_ = At::value_escape;
      return is_quoted_text(c);
    case At::value_escape:
      at_ = At::value_quoted;
      return is_quoted_text(c);
    case At::size_lf:
      digits_ = 0;
      // Extensions may go on for as long as they come with data, but not instead of it.
      extension_bytes_ -= static_cast<std::uint32_t>(std::min<std::uint64_t>(extension_bytes_, left_));
      at_ = left_ > 0 ? At::data : At::trailer_start;
      return c == '\n';
    case At::data_cr:
      at_ = At::data_lf;
      return c == '\r';
    case At::data_lf:
      at_ = At::size;
      return c == '\n';
    case At::trailer_start:
    case At::trailer_line:
    case At::trailer_line_lf:
    case At::end_lf:
      return trailer(c);
    case At::data:
    case At::done:
    case At::failed:
      break;
  }
  return false;
}

bool ChunkedDecoder::end_of_trailer_line() {
  Header h;
  bool high = false;
  if (!parse_field_line(line_, false, h, high).empty()) return false;
  if (!forbidden_trailer(h.name)) trailers_.append(h.name).append(": ").append(h.value).append("\r\n");
  return true;
}

}  // namespace vsim::net::http1
