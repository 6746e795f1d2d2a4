// What is kept of a request body for whoever records it: the bytes as they pass on their way to the app,
// without framing, up to a bound. Made by the edge for an exchange, filled by its BodyRelay. I/O thread only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vsim::net {

struct BodyCopy {
  explicit BodyCopy(std::size_t limit) : most(limit) {}
  std::size_t most;        // no more bytes than this are kept
  std::string bytes;       // the beginning; all of it when whole() says so
  std::uint64_t seen = 0;  // how much passed
  bool ended = false;      // its end passed
  bool whole() const { return ended && seen == bytes.size(); }

  void take(std::string_view run) {
    seen += run.size();
    if (bytes.size() < most) bytes.append(run.substr(0, most - bytes.size()));
  }
};

}  // namespace vsim::net
