// What is kept of a request that may go to more than one app, one after the other. Session's; exists from the
// first head until an answer for the client begins (and the body that was already taken has been sent on). No
// I/O.
#pragma once

#include <string>

#include "net/body_relay.hpp"
#include "net/http1.hpp"

namespace vsim::net {

struct HeldRequest {
  // The edge's body limit comes first (4.5 MB on Vercel). This one is for limits that are only observed:
  // beyond it nothing is kept, and the request cannot be dispatched any more.
  static constexpr std::size_t kMostKept = 64u << 20;
  // Of a withheld body, in the client's buffer: enough for most to arrive whole, so that a client that leaves
  // is noticed.
  static constexpr std::size_t kMostInput = 64UL * 1024;
  static constexpr std::size_t kMostDispatch = 1u << 20;  // docs/agent-protocol.md

  std::string head;  // as the first app got it, without the empty line
  std::string body;  // as far as it was taken from the client, framed for an app
  std::string text;  // of a dispatch, as far as it has come
  http1::BodyFraming framing;
  std::size_t sent = 0;       // bytes of `body` that the present app got
  bool flowing = false;       // the present app wants the body
  bool client_waits = false;  // for a 100 (Continue) of ours
  bool settled = false;       // an answer for the client has begun: only the rest of `body` is still needed
  bool lost = false;          // too long to be kept

  // What is on its way to the present app, which has all that came before.
  void keep(const Pieces& pieces) {
    if (lost) return;
    for (int i = 0; i < pieces.size(); ++i)
      body.append(static_cast<const char*>(pieces.data()[i].iov_base), pieces.data()[i].iov_len);
    if (body.size() > kMostKept) {
      lost = true;
      body = {};
    }
    sent = body.size();
  }
};

}  // namespace vsim::net
