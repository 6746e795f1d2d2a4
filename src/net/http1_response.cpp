#include "net/http1_common.hpp"

namespace vsim::net::http1 {

using namespace detail;

void ResponseParser::reset(bool head_request) {
  begin();
  head_request_ = head_request;
  views_stale_ = failed_ = false;
  reason_ = {};
}

void ResponseParser::begin() {
  head_ = ResponseHead{};
  at_ = LineCursor{};
  seen_ = 0;
  count_ = 0;
  length_ = 0;
  start_done_ = false;
}

bool ResponseParser::fail(std::string_view reason) {
  failed_ = true;
  reason_ = reason;
  return false;
}

ParseState ResponseParser::parse(std::string_view buffer) {
  if (failed_) return ParseState::error;
  if (head_.size != 0) begin();  // asked again after `complete`: fresh views
  while (true) {
    if (at_.line == 0 && !buffer.empty() && buffer[0] != 'H') {
      fail("not an HTTP response");
      return ParseState::error;
    }
    std::string_view line;
    const LineResult r =
        next_line(buffer, at_, start_done_ ? SIZE_MAX : limits_.start_line, limits_.head, line);
    if (r == LineResult::line) [[likely]] {
      if (start_done_ && line.empty()) {
        if (views_stale_) {  // as in RequestParser::parse
          views_stale_ = false;
          begin();
          continue;
        }
        pass(at_, line);
        return finish() ? ParseState::complete : ParseState::error;
      }
      if (!(start_done_ ? field_line(line) : status_line(line))) return ParseState::error;
      start_done_ = true;
      pass(at_, line);
      continue;
    }
    switch (r) {
      case LineResult::more:
        views_stale_ = true;
        return ParseState::need_more;
      case LineResult::bare_cr:
        fail("bare CR");
        break;
      case LineResult::bare_lf:
        fail("bare LF as a line end");
        break;
      case LineResult::line_too_long:
        fail("status line too long");
        break;
      case LineResult::head_too_large:
        fail("response head too large");
        break;
      case LineResult::line:
        break;
    }
    return ParseState::error;
  }
}

// HTTP/1.x SP 3DIGIT SP [reason]. The last space is often left out when there is no reason.
bool ResponseParser::status_line(std::string_view line) {
  if (line.find('\r') != std::string_view::npos) return fail("bare CR");
  if (line.size() < 12 || line.substr(0, 5) != "HTTP/" || line[6] != '.' || line[8] != ' ')
    return fail("malformed status line");
  if (line[5] != '1' || !is_digit(line[7])) return fail("HTTP version other than 1.x");
  head_.minor = line[7] - '0';
  for (std::size_t i = 9; i < 12; ++i) {
    if (!is_digit(line[i])) return fail("malformed status code");
    head_.status = head_.status * 10 + (line[i] - '0');
  }
  if (head_.status < 100) return fail("status code below 100");
  if (line.size() > 12) {
    if (line[12] != ' ') return fail("malformed status code");
    head_.reason = line.substr(13);
    if (scan_value(head_.reason).control) return fail("control character in the reason phrase");
  }
  return true;
}

bool ResponseParser::field_line(std::string_view line) {
  if (count_ == kMaxHeaders)
    return fail(line.find('\r') != std::string_view::npos ? "bare CR" : "too many headers");
  Header& h = headers_[count_];
  bool high = false;
  const std::string_view refused = parse_field_line(line, count_ == 0, h, high);
  if (!refused.empty()) [[unlikely]] {
    return fail(line.find('\r') != std::string_view::npos ? "bare CR" : refused);
  }
  ++count_;
  if (h.field == Field::content_length) {
    // Equal ones too: RFC 9112 6.3 allows to refuse them, and a server that writes two has a bug its
    // developer should see.
    if ((seen_ & bit(h.field)) != 0) return fail("more than one Content-Length");
    if (!parse_length(h.value, length_)) return fail("malformed Content-Length");
  }
  seen_ |= bit(h.field);
  return true;
}

bool ResponseParser::finish() {
  const auto has = [this](Field f) { return (seen_ & bit(f)) != 0; };
  const std::span<Header> headers(headers_.data(), count_);
  head_.headers = headers;
  const bool http11 = head_.minor >= 1;
  const bool interim_or_204 = head_.status < 200 || head_.status == 204;
  const bool bodiless = interim_or_204 || head_.status == 304 || head_request_;
  head_.has_date = has(Field::date);

  if (bodiless) {
    // RFC 9112 6.3: ends at the empty line whatever the fields say. 1xx and 204 must not carry them on (RFC
    // 9110 8.6); where both came with HEAD or 304, the length is the one that does not count.
    if (interim_or_204 || has(Field::transfer_encoding)) {
      for (Header& h : headers) {
        if (h.field == Field::content_length || (interim_or_204 && h.field == Field::transfer_encoding))
          h.field = Field::dropped;
      }
    }
  } else if (has(Field::transfer_encoding)) {
    if (!http11) return fail("Transfer-Encoding in an HTTP/1.0 response");
    if (has(Field::content_length)) return fail("both Transfer-Encoding and Content-Length");
    if (transfer_coding(headers) != Coding::chunked)
      return fail("Transfer-Encoding that is not exactly chunked");
    head_.body.kind = BodyKind::chunked;
  } else if (has(Field::content_length)) {
    head_.body = BodyFraming{BodyKind::length, length_};
  } else {
    head_.body.kind = BodyKind::until_close;
  }

  head_.keep_alive = http11;
  if (has(Field::connection)) {
    const ConnectionOptions options = read_connection(headers);
    if (options.count > kMaxConnectionOptions) return fail("too many connection options");
    head_.keep_alive = (http11 || options.keep_alive) && !options.close && !options.malformed;
  }
  if (head_.body.kind == BodyKind::until_close || head_.status == 101) head_.keep_alive = false;
  head_.size = at_.line;
  return true;
}

}  // namespace vsim::net::http1
