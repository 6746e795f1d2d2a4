// Feeding the HTTP/1.1 readers in every way the network can: at once, cut in two at every place, byte by
// byte. Each buffer is a fresh allocation of exactly its size and the one before is freed, so that
// AddressSanitizer sees a view that outlived its buffer.
#pragma once

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/http1.hpp"

namespace vsim::net::http1::test {

class Heap {
 public:
  explicit Heap(std::string_view bytes) : data_(new char[bytes.size()]), size_(bytes.size()) {
    if (size_ > 0) std::memcpy(data_.get(), bytes.data(), size_);
  }
  std::string_view view() const { return {data_.get(), size_}; }

 private:
  std::unique_ptr<char[]> data_;
  std::size_t size_;
};

inline std::string body_text(const BodyFraming& b) {
  switch (b.kind) {
    case BodyKind::none:
      return "none";
    case BodyKind::length:
      return fmt::format("length {}", b.length);
    case BodyKind::chunked:
      return "chunked";
    case BodyKind::until_close:
      return "until close";
  }
  return "?";
}

inline std::string_view error_text(HeadError e) {
  switch (e) {
    case HeadError::none:
      return "none";
    case HeadError::bad_request:
      return "400";
    case HeadError::bad_framing:
      return "400 framing";
    case HeadError::uri_too_long:
      return "414";
    case HeadError::head_too_large:
      return "431";
    case HeadError::not_implemented:
      return "501";
    case HeadError::version:
      return "505";
    case HeadError::expectation:
      return "417";
    case HeadError::method:
      return "405";
  }
  return "?";
}

// Everything the parser says, as one text, so that a test compares whole results.
inline std::string describe(const RequestParser& p, ParseState state) {
  if (state == ParseState::need_more) return "need more";
  if (state == ParseState::error) return fmt::format("{}: {}", error_text(p.error()), p.reason());
  const RequestHead& h = p.head();
  std::string r = fmt::format("{} {} path={} host={} 1.{} body={}", h.method, h.target, h.path, h.host,
                              h.minor, body_text(h.body));
  if (!h.accept.empty()) r += fmt::format(" accept={}", h.accept);
  if (h.keep_alive) r += " keep-alive";
  if (h.expect_continue) r += " expect";
  if (h.upgrade) r += " upgrade";
  if (h.websocket) r += " websocket";
  if (h.te_trailers) r += " te-trailers";
  if (h.head_method) r += " head";
  if (h.header_not_utf8) r += " not-utf8";
  return r;
}

inline std::string describe(const ResponseParser& p, ParseState state) {
  if (state == ParseState::need_more) return "need more";
  if (state == ParseState::error) return fmt::format("error: {}", p.reason());
  const ResponseHead& h = p.head();
  std::string r = fmt::format("{} '{}' 1.{} body={}", h.status, h.reason, h.minor, body_text(h.body));
  if (h.keep_alive) r += " keep-alive";
  if (h.has_date) r += " date";
  return r;
}

inline std::string describe_headers(std::span<const Header> headers) {
  std::string r;
  for (const Header& h : headers) {
    r += fmt::format("{}={}{}\n", h.name, h.value, h.field == Field::dropped ? " (dropped)" : "");
  }
  return r;
}

template <typename Parser>
std::string outcome(Parser& p, ParseState state) {
  std::string r = describe(p, state);
  if (state == ParseState::complete) {
    r += fmt::format(" size={}\n{}", p.head().size, describe_headers(p.head().headers));
  }
  return r;
}

// One result for each way of feeding: at once; cut in two at each place; byte by byte. `restart` resets the
// parser.
template <typename Parser, typename Restart>
std::vector<std::pair<std::string, std::string>> all_feedings(Parser& p, std::string_view bytes,
                                                              Restart restart) {
  std::vector<std::pair<std::string, std::string>> results;
  {
    restart(p);
    const Heap all(bytes);
    results.emplace_back("at once", outcome(p, p.parse(all.view())));
  }
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    restart(p);
    auto part = std::make_unique<Heap>(bytes.substr(0, cut));
    ParseState state = p.parse(part->view());
    if (state == ParseState::need_more) {
      part = std::make_unique<Heap>(bytes);
      state = p.parse(part->view());
    }
    results.emplace_back(fmt::format("cut at {}", cut), outcome(p, state));
  }
  restart(p);
  std::unique_ptr<Heap> part;
  ParseState state = ParseState::need_more;
  for (std::size_t n = 1; n <= bytes.size() && state == ParseState::need_more; ++n) {
    part = std::make_unique<Heap>(bytes.substr(0, n));
    state = p.parse(part->view());
  }
  results.emplace_back("byte by byte", outcome(p, state));
  return results;
}

// Request tables: the bytes and what describe() must say.
struct RequestCase {
  std::string_view bytes, expected;
};

inline std::string parse_request(std::string_view bytes, HeadLimits limits = {}) {
  RequestParser p(limits);
  p.reset();
  const ParseState state = p.parse(bytes);
  return describe(p, state);
}

// Every way of feeding gives the same outcome, and that outcome is the expected one.
inline void check_request(const RequestCase& c) {
  INFO(c.bytes);
  RequestParser p;
  const auto results = all_feedings(p, c.bytes, [](RequestParser& r) { r.reset(); });
  CHECK(results.front().second.substr(0, c.expected.size() + 1).find(c.expected) == 0);
  CHECK(parse_request(c.bytes) == c.expected);
  for (const auto& [how, outcome] : results) {
    INFO(how);
    if (outcome != results.front().second) CHECK(outcome == results.front().second);
  }
}

inline std::string get(std::string_view header_lines) {
  return "GET / HTTP/1.1\r\nHost: h\r\n" + std::string(header_lines) + "\r\n";
}
inline std::string post(std::string_view header_lines) {
  return "POST / HTTP/1.1\r\nHost: h\r\n" + std::string(header_lines) + "\r\n";
}

}  // namespace vsim::net::http1::test
