// What the proxy counts and sees of one exchange, and policy judges: net/ says it, engine/ reads it.
#pragma once

#include <cstdint>

namespace vsim {

struct ExchangeTotals {
  std::uint64_t bytes_in = 0, bytes_out = 0;  // bodies, without framing
};

// How the app failed an exchange.
enum class UpstreamFailure : std::uint8_t {
  refused,        // no connection
  reset,          // connection ended before a whole response head
  garbage,        // the head is not HTTP
  truncated,      // the body ended early (head was forwarded)
  no_descriptor,  // we may open none: nobody was asked
};

}  // namespace vsim
