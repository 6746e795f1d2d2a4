// A header field as the codec has read it (net/http1.hpp) and as limits look at it (limits/head.hpp). Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace vsim::http {

// Fields the proxy acts on; all others are `other` and pass through as they came.
enum class Field : std::uint8_t {
  other,
  accept,
  connection,
  content_length,
  cookie,
  date,
  expect,
  forwarded,
  host,
  keep_alive,
  location,
  max_forwards,
  origin,
  proxy_authenticate,
  proxy_authorization,
  proxy_connection,
  sec_websocket_extensions,
  sec_websocket_key,
  sec_websocket_protocol,
  sec_websocket_version,
  server,
  set_cookie,
  strict_transport_security,
  te,
  trailer,
  transfer_encoding,
  upgrade,
  via,
  x_forwarded_for,
  x_forwarded_host,
  x_forwarded_port,
  x_forwarded_proto,
  x_real_ip,
  x_vercel,  // any other name that starts with "x-vercel-" (x-vercel-sim-* is x_vsim)
  x_vsim,    // any name that starts with "x-vsim-" or "x-vercel-sim"
  // Not to be forwarded: `Connection` names it, or it poses as a framing field (Content_Length), or it may
  // not stand in this response (a length in 1xx and 204).
  dropped,
};

struct Header {
  std::string_view name, value;  // value without surrounding white space
  Field field = Field::other;
};

}  // namespace vsim::http
