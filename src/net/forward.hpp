// Heads as they are passed on: hop-by-hop fields out, our fields in, framing of our own (RFC 9110 7.6, 9112).
// No I/O. The bodies' framing is in body_relay.hpp.
#pragma once

#include <string>
#include <string_view>

#include "net/edge.hpp"
#include "net/http1.hpp"

namespace vsim::net {

// Appends the head for the app. `decision` is of kind forward. `max_forwards` replaces Max-Forwards when not
// negative.
void append_request_head(std::string& out, const http1::RequestHead& head, const RequestDecision& decision,
                         long max_forwards);

// The header line that says where this request body ends; none for no body.
void append_framing(std::string& out, const http1::BodyFraming& body);

// How the client learns where the body ends.
enum class ClientFraming : std::uint8_t { none, length, chunked, close };

struct ResponseForward {
  ClientFraming framing = ClientFraming::none;
  int client_minor = 1;
  bool keep_alive = true;
  bool upgrade = false;   // a 101: Connection and Upgrade are forwarded
  bool bodiless = false;  // HEAD or 304: Content-Length is forwarded as it came
  bool drop_server = false;
  std::string_view extra;
  std::string_view date;           // added when the app sent none
  std::string_view app_origin;     // a Location that starts with it …
  std::string_view public_scheme;  // … becomes public_scheme://public_host
  std::string_view public_host;
};
void append_response_head(std::string& out, const http1::ResponseHead& head, const ResponseForward& how);
// 100, 102, 103: forwarded as they come, without hop-by-hop fields.
void append_interim_head(std::string& out, const http1::ResponseHead& head);

// Now, as an IMF-fixdate, made once a second.
std::string_view http_date();

}  // namespace vsim::net
