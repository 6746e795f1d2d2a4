// HTTP/1.1 syntax (RFC 9110, 9112), without I/O: bytes in, heads and body runs out. Strict where two readers
// could disagree (request smuggling), forgiving nowhere that matters. No allocation (but for trailers):
// parsed heads are views into the caller's buffer, which must stay put while they are used. Called by
// session.cpp and upstream.cpp on the I/O thread; fuzzed by tests/fuzz/net_http1_fuzz.cpp.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/http_header.hpp"

namespace vsim::net::http1 {

using http::Field;
using http::Header;

enum class BodyKind : std::uint8_t { none, length, chunked, until_close };
struct BodyFraming {
  BodyKind kind = BodyKind::none;
  std::uint64_t length = 0;  // for BodyKind::length
};

inline constexpr std::size_t kMaxHeaders = 200;

// How far a growing buffer has been read. Offsets only: the buffer may move between two calls.
struct LineCursor {
  std::size_t line = 0;     // start of the first line that is not parsed yet
  std::size_t scanned = 0;  // no line feed in [line, scanned)
};

struct HeadLimits {
  std::size_t start_line = 64UL * 1024;  // bytes of the request or status line
  std::size_t head = 128UL * 1024;       // bytes of the whole head
};

enum class ParseState : std::uint8_t { need_more, complete, error };

enum class HeadError : std::uint8_t {
  none,
  bad_request,      // 400: syntax
  bad_framing,      // 400: lengths or transfer codings that two readers could understand differently; the
                    // connection must be closed
  uri_too_long,     // 414
  head_too_large,   // 431: bytes or number of headers
  not_implemented,  // 501: a transfer coding other than chunked; an endless method
  version,          // 505: HTTP/2.0 or a higher major; 0.9 is bad_request
  expectation,      // 417: an Expect other than 100-continue
  method,           // 405: CONNECT (a reverse proxy is no tunnel)
};

struct RequestHead {
  std::string_view method;
  std::string_view target;  // origin-form or "*"; the path of an absolute-form target ("/" when it has none)
  std::string_view path;    // target up to '?'
  std::string_view host;    // Host, or the authority of an absolute-form target, which wins (RFC 9112 3.2.2);
                            // may be empty in HTTP/1.0
  std::string_view accept;  // first Accept, empty when there is none
  std::span<const Header> headers;  // in order, as sent; of a head with too many only their number
  BodyFraming body;
  int minor = 1;                 // HTTP/1.x
  bool keep_alive = true;        // what the client asked for
  bool expect_continue = false;  // and content to wait for
  bool upgrade = false;          // Connection: upgrade with an Upgrade field (HTTP/1.1 only)
  bool websocket = false;        // … whose Upgrade names websocket, method GET, no body
  bool te_trailers = false;      // TE: trailers
  bool head_method = false;      // HEAD: the response has no body
  bool header_not_utf8 = false;  // a field value is not valid UTF-8
  std::size_t largest_header = 0, headers_total = 0;  // bytes of names and values
  std::size_t size = 0;  // bytes of the head in the buffer, final empty line included
};

class RequestParser {
 public:
  explicit RequestParser(HeadLimits limits = {}) : limits_(limits) {}
  void reset();
  // `buffer` holds all bytes since reset(), a longer prefix each time (it may have moved). Leading empty
  // lines (CRLF) before a request line are skipped and counted in head().size. On `error`, error() and
  // reason() say what; method and target of a broken head are best effort for the log. After `expectation`
  // and `method` the head is complete, body included. Asked again after `complete`, it gives views into the
  // buffer of that call.
  ParseState parse(std::string_view buffer);
  const RequestHead& head() const { return head_; }
  HeadError error() const { return error_; }
  // Static text such as "obs-fold in a header", for the terminal and x-vercel-sim.
  std::string_view reason() const { return reason_; }

 private:
  void begin();
  bool start_line(std::string_view line);
  bool absolute_form();
  bool field_line(std::string_view line);
  ParseState finish();
  bool fail(HeadError error, std::string_view reason);
  ParseState broken(std::string_view buffer);

  HeadLimits limits_;
  RequestHead head_;
  LineCursor at_;
  std::uint64_t seen_ = 0;    // a bit for each Field met so far
  std::uint32_t count_ = 0;   // headers parsed
  std::uint64_t length_ = 0;  // Content-Length
  bool start_done_ = false, absolute_ = false, connect_ = false;
  bool views_stale_ = false;  // an earlier call parsed lines in a buffer that may have moved since
  HeadError error_ = HeadError::none;
  std::string_view reason_;
  std::string target_;  // "/?query", only for an absolute-form target with a query and no path
  std::array<Header, kMaxHeaders> headers_;
};

struct ResponseHead {
  int status = 0;
  std::string_view reason;
  std::span<const Header> headers;
  BodyFraming body;  // already with the request's method and the status in mind (HEAD, 1xx, 204, 304: none)
  int minor = 1;
  bool keep_alive = true;  // the upstream connection may be used again after this message
  bool has_date = false;
  std::size_t size = 0;
};

class ResponseParser {
 public:
  explicit ResponseParser(HeadLimits limits = {}) : limits_(limits) {}
  void reset(bool head_request);  // head_request: it answers HEAD
  // Same contract as RequestParser. Any error means the upstream speaks garbage (502) and its connection must
  // be closed: among them both lengths, differing or malformed lengths, a transfer coding that does not end
  // in a single chunked, obs-fold, bare CR, bare LF, NUL.
  ParseState parse(std::string_view buffer);
  const ResponseHead& head() const { return head_; }
  std::string_view reason() const { return reason_; }

 private:
  void begin();
  bool status_line(std::string_view line);
  bool field_line(std::string_view line);
  bool finish();
  bool fail(std::string_view reason);

  HeadLimits limits_;
  ResponseHead head_;
  LineCursor at_;
  std::uint64_t seen_ = 0;
  std::uint32_t count_ = 0;
  std::uint64_t length_ = 0;
  bool head_request_ = false, start_done_ = false, views_stale_ = false, failed_ = false;
  std::string_view reason_;
  std::array<Header, kMaxHeaders> headers_;
};

// Decodes a chunked body run by run, zero copy. Strict: CRLF only, hex sizes without sign or white space that
// fit 2^60, chunk extensions only in valid syntax (and dropped), a bounded extension and trailer size.
class ChunkedDecoder {
 public:
  struct Step {
    std::size_t consumed = 0;  // bytes of `in` that are done with, data included
    std::string_view data;     // a run of body bytes inside `in`, empty when only framing was consumed
    ParseState state = ParseState::need_more;  // complete: last chunk and trailers were read
  };
  void reset();
  // Call again with what is left of the input until `consumed` is 0 with need_more, or complete, or error.
  Step next(std::string_view in);
  // After complete: the trailer fields as sent, one "name: value\r\n" each, without those that may not stand
  // in a trailer (framing, routing, hop-by-hop, x-vsim-*). Usually empty.
  std::string_view trailers() const { return trailers_; }

 private:
  enum class At : std::uint8_t {
    size,
    after_size,
    extension_name_start,
    extension_name,
    after_name,
    value_start,
    value_token,
    value_quoted,
    value_escape,
    after_value,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_start,
    trailer_line,
    trailer_line_lf,
    end_lf,
    done,
    failed,
  };
  bool trailer(unsigned char c);
  bool framing(unsigned char c);
  bool after_extension_part(unsigned char c);
  bool end_of_trailer_line();

  At at_ = At::size;
  bool space_ = false;        // white space read where only `;` or `=` may follow
  std::uint64_t left_ = 0;    // the size being read, then the bytes left of the chunk
  std::uint32_t digits_ = 0;  // hex digits of the size
  std::uint32_t extension_bytes_ = 0, trailer_bytes_ = 0;
  std::string line_, trailers_;
};

// True for the characters of RFC 9110 `token`.
bool is_token_char(unsigned char c);

}  // namespace vsim::net::http1
