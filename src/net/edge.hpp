// What the edge decides about the messages that pass, asked by Session at the moments of a request. app/
// answers with the engine's policy. The byte pumps never call it for a run of bytes. All calls on the I/O
// thread; views are valid during the call only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/exchange.hpp"
#include "net/body_copy.hpp"
#include "net/http1.hpp"

namespace vsim::net {

class Session;
class UpstreamPool;

// Names one exchange between edge and session; chosen by the edge, 0 is none.
using ExchangeId = std::uint64_t;

struct ClientInfo {
  std::string_view address;  // "127.0.0.1"
  bool tls = false;
};

// Who writes an answer that goes on and on, such as a stream of events. Outlives the server.
class Feed {
 public:
  // The client has taken everything so far: Session::say_more() now or later.
  virtual void on_taken(Session&) = 0;
  // The client has left, or the server ends. The last call for this session.
  virtual void on_gone(Session&) = 0;

 protected:
  ~Feed() = default;
};

struct RequestDecision {
  enum class Kind : std::uint8_t {
    forward,  // to `pool`
    answer,   // write `response` now
    feed,     // write `response` now, its body is what `feed` says until the connection ends
    drop,     // say nothing; on_end when the client gives up
  } kind = Kind::answer;
  Feed* feed = nullptr;
  UpstreamPool* pool = nullptr;
  ExchangeId id = 0;
  bool tunnel = false;  // forward the upgrade and become a tunnel on 101
  // The app may answer with a dispatch: it is asked with Expect: 100-continue, the body stays with the client
  // until somebody wants it, and the head (and what is taken of the body) is kept until an answer for the
  // client begins.
  bool hold_body = false;
  std::string_view
      extra;  // header lines for the app, each with CRLF; the edge keeps the text until its next call
  std::string_view origin;  // replaces the value of Origin when not empty
  std::uint64_t body_limit = UINT64_MAX;
  std::shared_ptr<BodyCopy> copy;  // of a request that is recorded; null: none is kept
  std::string response;            // whole response for `answer`
};

struct ResponseDecision {
  std::string replace;       // not empty: the client gets this instead, the exchange is over, no on_end
  std::string_view extra;    // header lines for the client, each with CRLF
  bool drop_server = false;  // the app's own Server is not forwarded (`extra` has another)
  // Not for the client (only after hold_body): its body, of at most 1 MiB, goes to on_dispatch. The answer to
  // a HEAD has none, and what it says must be taken from its head here.
  bool dispatch = false;
};

struct FailureDecision {
  enum class Kind : std::uint8_t {
    answer,  // the exchange is over (no on_end); before a head was forwarded the client gets `response`
    wait,    // it goes on without an app until the edge says more: answer or send_to before a head was
             // forwarded, else cut
  } kind = Kind::answer;
  std::string response;
};

class EdgePolicy {
 public:
  virtual void on_request(Session&, const http1::RequestHead&, const ClientInfo&, RequestDecision&) = 0;
  // The head broke the syntax: the whole response to send before the connection is closed.
  virtual std::string on_malformed(const http1::RequestHead& best_effort, http1::HeadError,
                                   std::string_view reason, const ClientInfo&) = 0;
  virtual void on_response_head(Session&, ExchangeId, const http1::ResponseHead&, ResponseDecision&) = 0;
  // A response of kind dispatch is whole, and its app let go of. The exchange waits for send_to, resend,
  // answer or cut_tunnel, now or later.
  virtual void on_dispatch(Session&, ExchangeId, std::string_view /*text*/) {}
  // The request body passed body_limit. Not empty: answer this and end (no on_end); empty: go on.
  virtual std::string on_body_over(Session&, ExchangeId) = 0;
  // true: keep reading from the app and discard; false: close it; then on_end.
  virtual bool on_client_left(ExchangeId) = 0;
  // The client closed its direction behind a whole request: it left, as browsers, fetch and curl do when they
  // abort, or it only waits for the answer (RFC 9112 9.6); nobody can tell. true: take it for gone.
  virtual bool on_client_half_closed(ExchangeId) { return false; }
  virtual FailureDecision on_upstream_failed(Session&, ExchangeId, UpstreamFailure, ExchangeTotals) = 0;
  virtual void on_end(ExchangeId, ExchangeTotals) = 0;
  // A client waits to be accepted, and no descriptor is left for it. Told again and again while that lasts.
  virtual void on_no_descriptor() {}
  // Public origin for rewriting Location: "http://" + the request's host is made by the session; this is the
  // scheme.
  virtual bool https() const = 0;

 protected:
  ~EdgePolicy() = default;
};

}  // namespace vsim::net
