// HTTP/1.1 readers: whatever the bytes are, they must say the same however they are cut, stay inside their
// input and, for a head that is accepted, hold what forwarding relies on. The first input byte chooses: bits
// 0 and 1 the reader, bit 2 small limits or an answer to HEAD; all of it seeds the cuts.
//   mkdir corpus && net_http1_fuzz -max_total_time=60 corpus tests/fuzz/seeds/net_http1   (finds go to the
//   first folder)
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "fuzz/require.hpp"
#include "net/http1.hpp"

using namespace vsim::net::http1;

namespace {

// A fresh allocation of exactly this size: reading past it, or through a view into an earlier one, is an ASan
// report.
struct Copy {
  explicit Copy(std::string_view from) : bytes(new char[from.size()]), size(from.size()) {
    if (size > 0) std::memcpy(bytes.get(), from.data(), size);
  }
  std::string_view view() const { return {bytes.get(), size}; }
  std::unique_ptr<char[]> bytes;
  std::size_t size;
};

struct Cuts {  // a small linear congruence is enough: the fuzzer changes its seed
  std::uint32_t state;
  std::size_t next(std::size_t most) {
    state = state * 1664525 + 1013904223;
    const std::size_t n = state >> 8;
    return std::min<std::size_t>(most, (n & 3) != 0 ? n % 8 + 1 : n % 200 + 1);
  }
};

void add(std::string& out, std::string_view v) {
  out += v;
  out += '\x1f';
}

void check_headers(std::string_view head, std::span<const Header> headers) {
  for (const Header& h : headers) {
    require(!h.name.empty(), "empty name");
    for (char c : h.name) require(is_token_char(static_cast<unsigned char>(c)), "name is a token");
    require(h.name.data() > head.data() && h.value.data() + h.value.size() < head.data() + head.size(),
            "views inside the head");
    for (char c : h.value) {
      const auto u = static_cast<unsigned char>(c);
      require(u == '\t' || (u >= 0x20 && u != 0x7f), "no control byte in a value");
    }
  }
}

void check(const RequestParser& p, std::string_view buffer) {
  const RequestHead& h = p.head();
  require(h.size > 0 && h.size <= buffer.size(), "head size");
  require(buffer.substr(h.size - 4, 4) == "\r\n\r\n", "head ends with an empty line");
  check_headers(buffer.substr(0, h.size), h.headers);
  require(!h.target.empty() && (h.target[0] == '/' || h.target == "*"), "target is a path or *");
  for (char c : h.target) require(c > ' ' && c < 0x7f && c != '#', "target bytes");
  for (char c : h.method) require(is_token_char(static_cast<unsigned char>(c)), "method is a token");
  require(h.target.substr(0, h.path.size()) == h.path, "path is a prefix of the target");
  require(h.minor >= 0 && h.minor <= 9, "minor");
  int hosts = 0, lengths = 0, codings = 0;
  for (const Header& f : h.headers) {
    hosts += f.field == Field::host;
    lengths += f.field == Field::content_length;
    codings += f.field == Field::transfer_encoding;
  }
  require(hosts == 1 || (h.minor == 0 && hosts == 0), "one Host");
  require(h.minor == 0 || !h.host.empty(), "a host");
  require(lengths + (codings > 0) <= 1, "one kind of framing");
  require((h.body.kind == BodyKind::length) == (lengths == 1), "length");
  require((h.body.kind == BodyKind::chunked) == (codings == 1), "chunked");
  require(h.body.kind != BodyKind::until_close, "a request has an end");
  require(!h.websocket || (h.upgrade && h.method == "GET" && h.body.length == 0), "websocket");
}

void check(const ResponseParser& p, std::string_view buffer) {
  const ResponseHead& h = p.head();
  require(h.size > 0 && h.size <= buffer.size(), "head size");
  require(buffer.substr(h.size - 4, 4) == "\r\n\r\n", "head ends with an empty line");
  check_headers(buffer.substr(0, h.size), h.headers);
  require(h.status >= 100 && h.status <= 999, "status");
  if (h.status < 200 || h.status == 204 || h.status == 304) require(h.body.kind == BodyKind::none, "no body");
  require(h.body.kind != BodyKind::until_close || !h.keep_alive, "until close");
}

std::string describe(const RequestParser& p, ParseState state) {
  std::string r;
  add(r, std::to_string(static_cast<int>(state)));
  if (state == ParseState::error) {
    add(r, std::to_string(static_cast<int>(p.error())));
    add(r, p.reason());
    require(!p.reason().empty() && p.error() != HeadError::none, "an error has a reason");
  }
  if (state != ParseState::complete) return r;
  const RequestHead& h = p.head();
  for (std::string_view v : {h.method, h.target, h.path, h.host, h.accept}) add(r, v);
  for (const Header& f : h.headers) {
    add(r, f.name);
    add(r, f.value);
    add(r, std::to_string(static_cast<int>(f.field)));
  }
  for (std::size_t n : {static_cast<std::size_t>(h.body.kind), static_cast<std::size_t>(h.body.length),
                        h.largest_header, h.headers_total, h.size}) {
    add(r, std::to_string(n));
  }
  for (bool b : {h.keep_alive, h.expect_continue, h.upgrade, h.websocket, h.te_trailers, h.head_method,
                 h.header_not_utf8})
    r += b ? '1' : '0';
  return r;
}

std::string describe(const ResponseParser& p, ParseState state) {
  std::string r;
  add(r, std::to_string(static_cast<int>(state)));
  if (state == ParseState::error) add(r, p.reason());
  if (state != ParseState::complete) return r;
  const ResponseHead& h = p.head();
  add(r, std::to_string(h.status));
  add(r, h.reason);
  for (const Header& f : h.headers) {
    add(r, f.name);
    add(r, f.value);
    add(r, std::to_string(static_cast<int>(f.field)));
  }
  for (std::size_t n :
       {static_cast<std::size_t>(h.body.kind), static_cast<std::size_t>(h.body.length), h.size})
    add(r, std::to_string(n));
  r += h.keep_alive ? '1' : '0';
  r += h.has_date ? '1' : '0';
  return r;
}

template <typename Parser, typename Reset>
void fuzz_head(std::string_view input, HeadLimits limits, Cuts cuts, Reset reset) {
  Parser whole(limits), split(limits);
  reset(whole);
  reset(split);
  const Copy all(input);
  const ParseState expected = whole.parse(all.view());
  if (expected == ParseState::complete) check(whole, all.view());
  ParseState state = ParseState::need_more;
  std::unique_ptr<Copy> part = std::make_unique<Copy>(input.substr(0, 0));
  for (std::size_t n = 0; n < input.size() && state == ParseState::need_more;) {
    n += cuts.next(input.size() - n);
    part = std::make_unique<Copy>(input.substr(0, n));
    state = split.parse(part->view());
  }
  if (state == ParseState::complete) check(split, part->view());
  require(describe(whole, expected) == describe(split, state), "the same answer however the bytes come");
  if (state == ParseState::complete) {
    // Nothing after the head had a say in it.
    const Copy exact(input.substr(0, whole.head().size));
    Parser again(limits);
    reset(again);
    const ParseState s = again.parse(exact.view());
    require(describe(again, s) == describe(whole, expected), "what follows the head changes nothing");
  }
}

struct Decoded {
  std::string data, trailers;
  std::size_t consumed = 0;
  ParseState state = ParseState::need_more;
  bool operator==(const Decoded&) const = default;
};

template <typename Size>
Decoded decode(std::string_view input, Size size) {
  ChunkedDecoder d;
  d.reset();
  Decoded r;
  for (std::size_t n = 0; n < input.size() && r.state == ParseState::need_more;) {
    const Copy part(input.substr(n, size(input.size() - n)));
    n += part.size;
    std::string_view in = part.view();
    while (r.state == ParseState::need_more) {
      const auto step = d.next(in);
      require(step.consumed <= in.size(), "consumed");
      require(step.data.empty() || (step.data.data() >= in.data() &&
                                    step.data.data() + step.data.size() <= in.data() + step.consumed),
              "data inside what was consumed");
      require(step.consumed > 0 || step.data.empty(), "data counts as consumed");
      r.data += step.data;
      r.consumed += step.consumed;
      r.state = step.state;
      in.remove_prefix(step.consumed);
      if (step.consumed == 0) break;
    }
    require(r.state != ParseState::need_more || in.empty(), "need_more only at the end of the input");
  }
  r.trailers = d.trailers();
  return r;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::uint8_t choice = data[0];
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  Cuts cuts{choice};
  const bool option = (choice & 4) != 0;
  switch (choice & 3) {
    case 0:
    case 1:
      fuzz_head<RequestParser>(input, option ? HeadLimits{.start_line = 30, .head = 90} : HeadLimits{}, cuts,
                               [](RequestParser& p) { p.reset(); });
      break;
    case 2:
      fuzz_head<ResponseParser>(input, HeadLimits{.start_line = 60, .head = 400}, cuts,
                                [option](ResponseParser& p) { p.reset(option); });
      break;
    default: {
      const Decoded whole = decode(input, [](std::size_t left) { return left; });
      const Decoded split = decode(input, [&cuts](std::size_t left) { return cuts.next(left); });
      require(whole == split, "the same body however the bytes come");
      require(whole.data.size() <= input.size(), "no byte from nowhere");
    }
  }
  return 0;
}
