#include "net/http1_common.hpp"

namespace vsim::net::http1 {

using namespace detail;

void RequestParser::reset() {
  begin();
  views_stale_ = false;
  error_ = HeadError::none;
  reason_ = {};
}

// Also starts the second pass over a head that came in pieces, so it leaves the error alone.
void RequestParser::begin() {
  head_ = RequestHead{};
  at_ = LineCursor{};
  seen_ = 0;
  count_ = 0;
  length_ = 0;
  start_done_ = absolute_ = connect_ = false;
}

bool RequestParser::fail(HeadError error, std::string_view reason) {
  error_ = error;
  reason_ = reason;
  return false;
}

ParseState RequestParser::parse(std::string_view buffer) {
  if (error_ != HeadError::none) return broken(buffer);
  if (head_.size != 0) begin();  // asked again after `complete`: fresh views
  while (true) {
    if (!start_done_ && at_.line < buffer.size()) {
      // Garbage that may never send a line end, such as a TLS hello, is told at its first byte.
      const char first = buffer[at_.line];
      if (!is(first, kToken) && first != '\r' && first != '\n') {
        fail(HeadError::bad_request,
             is_space(first) ? "white space before the request line" : "invalid character in the method");
        return broken(buffer);
      }
    }
    std::string_view line;
    const LineResult r =
        next_line(buffer, at_, start_done_ ? SIZE_MAX : limits_.start_line, limits_.head, line);
    if (r == LineResult::line) [[likely]] {
      if (start_done_) {
        if (line.empty()) {
          if (views_stale_) {
            // The lines were checked as they came, in buffers that are gone. Read the whole head once more,
            // from this one.
            views_stale_ = false;
            begin();
            continue;
          }
          pass(at_, line);
          return finish();
        }
        if (!field_line(line)) return broken(buffer);
      } else if (!line.empty()) {
        if (!start_line(line)) return broken(buffer);
        start_done_ = true;
      }
      pass(at_, line);
      continue;
    }
    switch (r) {
      case LineResult::more:
        views_stale_ = true;
        return ParseState::need_more;
      case LineResult::bare_cr:
        fail(HeadError::bad_request, "bare CR");
        break;
      case LineResult::bare_lf:
        fail(HeadError::bad_request, "bare LF as a line end");
        break;
      case LineResult::line_too_long:
        if (line.substr(0, limits_.start_line).find(' ') == std::string_view::npos) {
          fail(HeadError::not_implemented, "method too long");
        } else {
          fail(HeadError::uri_too_long, "request line too long");
        }
        break;
      case LineResult::head_too_large:
        fail(HeadError::head_too_large, "request head too large");
        break;
      case LineResult::line:
        break;
    }
    return broken(buffer);
  }
}

// Best effort for the log: the first two words of the first line.
ParseState RequestParser::broken(std::string_view buffer) {
  while (buffer.substr(0, 2) == "\r\n") buffer.remove_prefix(2);
  const std::string_view line = buffer.substr(0, std::min(buffer.find_first_of("\r\n"), limits_.start_line));
  const std::size_t space = line.find(' ');
  head_.method = line.substr(0, space);
  head_.target = {};
  if (space != std::string_view::npos) {
    const std::string_view rest = line.substr(space + 1);
    head_.target = rest.substr(0, rest.find(' '));
  }
  head_.path = head_.target.substr(0, head_.target.find('?'));
  head_.headers = {};
  if (error_ == HeadError::head_too_large) {  // the buffer may have moved since they were read
    std::fill_n(headers_.begin(), count_, Header{});
    head_.headers = {headers_.data(), count_};
  }
  head_.host = head_.accept = {};
  return ParseState::error;
}

bool RequestParser::start_line(std::string_view line) {
  const auto bad = [this](std::string_view reason) { return fail(HeadError::bad_request, reason); };
  if (line.find('\r') != std::string_view::npos) return bad("bare CR");
  const char* p = line.data();
  const char* const end = p + line.size();
  const auto text = [](const char* from, const char* to) {
    return std::string_view(from, static_cast<std::size_t>(to - from));
  };

  while (p < end && is(*p, kToken)) ++p;
  if (p == end) return bad("request line without a target");
  if (*p != ' ') return bad("invalid character in the method");
  head_.method = text(line.data(), p);

  const char* const target = ++p;
  while (p < end && is(*p, kTarget)) ++p;
  if (p == target && p < end && is_space(*p)) return bad("more than one space after the method");
  if (p == end)
    return bad(p == target ? "request line without a target" : "request line without an HTTP version");
  if (*p != ' ') {
    if (*p == '#') return bad("fragment in the request target");
    return bad(static_cast<unsigned char>(*p) >= 0x80 ? "byte outside ASCII in the request target"
                                                      : "control character in the request target");
  }
  head_.target = text(target, p);

  const std::string_view version = text(p + 1, end);
  if (version.size() != 8 || version.substr(0, 5) != "HTTP/" || !is_digit(version[5]) || version[6] != '.' ||
      !is_digit(version[7])) {
    return bad(version.find(' ') != std::string_view::npos ? "more than two spaces in the request line"
                                                           : "malformed HTTP version");
  }
  if (version[5] == '0') return bad("HTTP version below 1.0");
  if (version[5] != '1') return fail(HeadError::version, "HTTP version above 1.x");
  head_.minor = version[7] - '0';

  head_.head_method = head_.method == "HEAD";
  connect_ = head_.method == "CONNECT";
  if (connect_) {
    if (!valid_authority(head_.target, true)) return bad("CONNECT target that is not host:port");
    head_.path = head_.host = head_.target;
    absolute_ = true;  // the target's authority wins over Host
    return true;
  }
  if (head_.target[0] == '/') {
    const void* query = std::memchr(target, '?', head_.target.size());
    head_.path = query == nullptr ? head_.target : text(target, static_cast<const char*>(query));
    return true;
  }
  if (head_.target == "*") {
    if (head_.method != "OPTIONS") return bad("request target * with a method other than OPTIONS");
    head_.path = head_.target;
    return true;
  }
  return absolute_form();
}

// http://authority/path?query. RFC 9112 3.2.4: OPTIONS without path and query means "*".
bool RequestParser::absolute_form() {
  const std::string_view target = head_.target;
  const std::size_t colon = target.find("://");
  const std::string_view scheme = target.substr(0, colon);
  if (colon == std::string_view::npos || !(same(scheme, "http") || same(scheme, "https"))) {
    return fail(HeadError::bad_request, "request target that is neither a path nor an http URL");
  }
  const std::string_view rest = target.substr(colon + 3);
  const std::size_t end = rest.find_first_of("/?");
  head_.host = rest.substr(0, end);
  if (!valid_authority(head_.host)) {
    const bool user = head_.host.find('@') != std::string_view::npos;
    return fail(HeadError::bad_request,
                user ? "user information in the request target" : "invalid authority in the request target");
  }
  absolute_ = true;
  if (end == std::string_view::npos) {
    head_.target = head_.method == "OPTIONS" ? "*" : "/";
  } else if (rest[end] == '?') {
    target_.assign(1, '/').append(rest.substr(end));
    head_.target = target_;
  } else {
    head_.target = rest.substr(end);
  }
  head_.path = head_.target.substr(0, head_.target.find('?'));
  return true;
}

bool RequestParser::field_line(std::string_view line) {
  if (count_ == kMaxHeaders) {
    if (line.find('\r') != std::string_view::npos) return fail(HeadError::bad_request, "bare CR");
    return fail(HeadError::head_too_large, "too many headers");
  }
  Header& h = headers_[count_];
  bool high = false;
  const std::string_view refused = parse_field_line(line, count_ == 0, h, high);
  if (!refused.empty()) [[unlikely]] {
    return fail(HeadError::bad_request, line.find('\r') != std::string_view::npos ? "bare CR" : refused);
  }
  ++count_;
  if (high) head_.header_not_utf8 |= !is_utf8(h.value);
  const std::size_t bytes = h.name.size() + h.value.size();
  head_.headers_total += bytes;
  if (bytes > head_.largest_header) head_.largest_header = bytes;

  const bool again = (seen_ & bit(h.field)) != 0;
  switch (h.field) {
    case Field::host:
      if (again) return fail(HeadError::bad_request, "more than one Host");
      if (!h.value.empty() && !valid_authority(h.value)) return fail(HeadError::bad_request, "invalid Host");
      if (!absolute_) head_.host = h.value;
      break;
    case Field::content_length:
      // Also when equal: RFC 9110 8.6 lets a recipient refuse, and the next reader may look at another one of
      // them.
      if (again) return fail(HeadError::bad_framing, "more than one Content-Length");
      if (!parse_length(h.value, length_)) return fail(HeadError::bad_framing, "malformed Content-Length");
      break;
    case Field::accept:
      if (!again) head_.accept = h.value;
      break;
    default:
      break;
  }
  seen_ |= bit(h.field);
  return true;
}

ParseState RequestParser::finish() {
  const auto has = [this](Field f) { return (seen_ & bit(f)) != 0; };
  const std::span<Header> headers(headers_.data(), count_);
  const bool http11 = head_.minor >= 1;
  const auto error = [this](HeadError e, std::string_view reason) {
    fail(e, reason);
    return ParseState::error;
  };
  head_.headers = headers;
  head_.size = at_.line;

  if (http11 && !has(Field::host)) return error(HeadError::bad_request, "no Host");
  // Empty means that the target URI has no authority (RFC 9112 3.2); an http URI without a host is invalid
  // (RFC 9110 4.2.1).
  if (http11 && head_.host.empty()) return error(HeadError::bad_request, "empty Host");

  if (has(Field::transfer_encoding)) {
    if (!http11) return error(HeadError::bad_framing, "Transfer-Encoding in HTTP/1.0");
    if (has(Field::content_length))
      return error(HeadError::bad_framing, "both Transfer-Encoding and Content-Length");
    switch (transfer_coding(headers)) {
      case Coding::chunked:
        head_.body.kind = BodyKind::chunked;
        break;
      case Coding::unsupported:
        return error(HeadError::not_implemented, "transfer coding other than chunked");
      case Coding::broken:
        return error(HeadError::bad_framing, "Transfer-Encoding that is not exactly chunked");
    }
  } else if (has(Field::content_length)) {
    head_.body = BodyFraming{BodyKind::length, length_};
  }
  const bool has_content = head_.body.kind == BodyKind::chunked || head_.body.length > 0;

  head_.keep_alive = http11;
  ConnectionOptions options;
  if (has(Field::connection)) {
    options = read_connection(headers);
    if (options.count > kMaxConnectionOptions)
      return error(HeadError::bad_request, "too many connection options");
    head_.keep_alive = (http11 || options.keep_alive) && !options.close && !options.malformed;
  }
  if (has(Field::te)) {
    for (const Header& h : headers) {
      if (h.field == Field::te)
        each_element(h.value,
                     [this](std::string_view e) { head_.te_trailers |= is_token(e) && same(e, "trailers"); });
    }
  }
  if (has(Field::upgrade) && options.upgrade && http11) {
    bool websocket = false;
    for (const Header& h : headers) {
      if (h.field != Field::upgrade) continue;
      each_element(h.value, [&](std::string_view protocol) {
        head_.upgrade = true;
        websocket |= is_token(protocol) && same(protocol, "websocket");
      });
    }
    head_.websocket = websocket && head_.method == "GET" && !has_content;
  }
  bool unknown_expectation = false;
  if (has(Field::expect) && http11) {  // RFC 9110 10.1.1: a server ignores it in HTTP/1.0
    for (const Header& h : headers) {
      if (h.field != Field::expect) continue;
      each_element(h.value, [&](std::string_view e) {
        if (is_token(e) && same(e, "100-continue")) {
          head_.expect_continue = has_content;
        } else {
          unknown_expectation = true;
        }
      });
    }
  }
  // Last, so that the head is complete and the caller may answer without closing.
  if (connect_) return error(HeadError::method, "CONNECT");
  if (unknown_expectation) return error(HeadError::expectation, "an expectation other than 100-continue");
  return ParseState::complete;
}

}  // namespace vsim::net::http1
