// Heads as they are passed on: what was accepted from a client or an app is written anew, and whoever reads
// that reads one message with the same framing, and none of the fields that are for one hop or ours. The
// first byte chooses the direction and what the edge has decided.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/text.hpp"
#include "fuzz/require.hpp"
#include "net/forward.hpp"

using namespace vsim;
using namespace vsim::net;
using namespace vsim::net::http1;

namespace {

bool is_ours(std::string_view name) {
  return iequals(name.substr(0, 7), "x-vsim-") || iequals(name.substr(0, 12), "x-vercel-sim");
}

bool same(const BodyFraming& a, const BodyFraming& b) { return a.kind == b.kind && a.length == b.length; }

void request(std::string_view input, std::uint8_t choice) {
  RequestParser from;
  from.reset();
  // HTTP/1.0 may leave the host out; what stands there then is an empty Host (RFC 9112 3.2).
  if (from.parse(input) != ParseState::complete || from.head().host.empty()) return;
  const RequestHead& head = from.head();
  RequestDecision decision;
  decision.kind = RequestDecision::Kind::forward;
  decision.tunnel = head.websocket && (choice & 4) != 0;
  decision.hold_body = (choice & 8) != 0;
  decision.extra = "X-Vsim-Id: t.1\r\n";
  if ((choice & 16) != 0) decision.origin = "http://localhost:3000";
  std::string out;
  append_request_head(out, head, decision, (choice & 32) != 0 ? 7 : -1);

  RequestParser again(HeadLimits{.start_line = 1 << 20, .head = 1 << 20});
  again.reset();
  const ParseState state = again.parse(out);
  if (state == ParseState::error && again.error() == HeadError::head_too_large) return;  // at 200 fields
  require(state == ParseState::complete, "what is passed on is no head");
  const RequestHead& got = again.head();
  require(got.size == out.size(), "more than one head");
  require(got.method == head.method && got.target == head.target && got.host == head.host, "another request");
  require(same(got.body, head.body), "another framing");
  require(got.websocket == decision.tunnel, "an upgrade that was not decided");
  int ours = 0;
  for (const Header& h : got.headers) {
    ours += is_ours(h.name);
    require(!iequals(h.name, "forwarded") && !iequals(h.name, "x-real-ip") &&
                !iequals(h.name, "proxy-authorization") && !iequals(h.name, "keep-alive"),
            "a field that is the proxy's own word");
  }
  require(ours == 1, "a field of ours that the client has sent");
}

void response(std::string_view input, std::uint8_t choice) {
  ResponseParser from;
  from.reset((choice & 4) != 0);
  if (from.parse(input) != ParseState::complete) return;
  const ResponseHead& head = from.head();
  std::string out;
  const bool interim = head.status < 200 && head.status != 101;
  if (interim) {
    append_interim_head(out, head);
  } else {
    ResponseForward how;
    how.bodiless = (choice & 4) != 0 || head.status == 304;
    how.upgrade = head.status == 101;
    how.keep_alive = (choice & 8) != 0;
    how.drop_server = (choice & 16) != 0;
    how.date = http_date();
    how.extra = "X-Vercel-Id: a::b\r\n";
    how.app_origin = "http://localhost:4000";
    how.public_scheme = "https";
    how.public_host = "localhost:3000";
    if (head.body.kind == BodyKind::length) how.framing = ClientFraming::length;
    if (head.body.kind == BodyKind::chunked) how.framing = ClientFraming::chunked;
    if (head.body.kind == BodyKind::until_close) how.framing = ClientFraming::close;
    append_response_head(out, head, how);
  }
  ResponseParser again(HeadLimits{.start_line = 1 << 20, .head = 1 << 20});
  again.reset((choice & 4) != 0);
  const ParseState state = again.parse(out);
  if (state == ParseState::error && again.reason().find("many") != std::string_view::npos) return;
  require(state == ParseState::complete, "what is passed on is no head");
  const ResponseHead& got = again.head();
  require(got.size == out.size(), "more than one head");
  require(got.status == head.status && got.reason == head.reason, "another answer");
  require(same(got.body, head.body), "another framing");
  for (const Header& h : got.headers) require(!is_ours(h.name), "a field of ours that the app has sent");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  (data[0] & 1) == 0 ? request(input, data[0]) : response(input, data[0]);
  return 0;
}
