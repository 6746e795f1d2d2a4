// The wire form of Vercel's error responses (docs/platform.md section 3): text, JSON or HTML by
// Accept, byte for byte for text and JSON; HTML has the same words, title, code and id in our own markup.
// Pure.
#pragma once

#include <string>
#include <string_view>

#include "limits/code.hpp"

namespace vsim::limits {

struct PlatformErrorRequest {
  Code code = Code::none;
  int status = 0;                // 0: the code's own; else overrides it (websocket.refusal_status)
  std::string_view accept = {};  // the request's Accept, empty when there was none
  std::string_view id = {};      // the whole x-vercel-id, "dev1::abcde-1785…-0123456789ab"
  std::string_view host = {};    // public host, for the link to the logs in the HTML form
  std::string_view date = {};    // IMF-fixdate
  bool https = false;            // strict-transport-security only then
  bool head_only = false;        // HEAD: same head, no body
  bool keep_alive = false;       // else `connection: close`
};

// The complete HTTP/1.1 response, status line to last byte. Carries x-vercel-error (platform codes),
// x-vercel-id, server, cache-control, content-type, content-length, date and, for every code, `x-vercel-sim:
// <code name>`.
std::string render_platform_error(const PlatformErrorRequest&);

}  // namespace vsim::limits
