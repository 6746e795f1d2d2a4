// The closed vocabulary of what can go wrong. Vercel's own identifiers where it has one (facts 2), SIM_ for
// what only the emulator can say. Adding a code fails to compile until the table in code.cpp (and so docs and
// `explain`) knows it. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace vsim::limits {

enum class Code : std::uint8_t {
  none,
  bad_request,               // 400, malformed HTTP: no identifier of Vercel's is known; wire name BAD_REQUEST
  malformed_request_header,  // 400, header value that is not UTF-8
  url_too_long,              // 414
  request_header_too_large,  // 431
  invalid_request_method,    // 405, CONNECT and TRACE
  function_payload_too_large,               // 413
  function_response_payload_too_large,      // 500
  function_invocation_timeout,              // 504
  edge_function_invocation_timeout,         // 504
  function_invocation_failed,               // 500
  no_response_from_function,                // 502
  middleware_invocation_timeout,            // 504
  middleware_invocation_failed,             // 500
  router_external_target_connection_error,  // 502, the --upstream server cannot be reached
  function_throttled,                       // 503
  infinite_loop_detected,                   // 508
  sim_not_ready,                            // 503, the app is starting or restarting
  sim_host_not_allowed,                     // 403, vercel-sim does not serve that name (engine/door.hpp)
  sim_origin_not_allowed,                   // 403, a page of another site
  sim_out_of_descriptors,                   // 503, vercel-sim may open no more files and sockets
  sim_websocket_refused,
  sim_websocket_closed_at_limit,
  sim_polling_false_pass,  // Socket.IO long polling delivered in one shared process
  sim_max_duration_over_plan,
  sim_background_work_frozen,  // timers, servers, requests without an answer after the response
  sim_state_not_shared,        // what one instance remembered was looked for in another
  sim_code_from_strings,       // eval, new Function, WebAssembly from bytes on the edge runtime
  sim_response_broken_off,     // a response that ended before it was whole
  sim_no_socket_server,        // a Socket.IO client or a WebSocket met something that is no socket server
  sim_connections_refused,     // another address refused a connection while several instances held some
  sim_localhost_self_fetch,    // a function asks its own server by a loopback name
  sim_loopback_server,         // or another one of this machine
  sim_ipv6_only,               // a host that has no IPv4 address
  sim_smtp_port,               // port 25
  sim_read_only_filesystem,    // a write outside /tmp
  sim_made_at_build,           // what the build renders once has changed between two requests
  sim_file_not_traced,         // a file was read that tracing does not put into the function
  sim_tmp_full,                // /tmp of an instance
  sim_tmp_not_shared,          // a file in /tmp that another instance has
  sim_program_not_there,       // a program that no function has was started
  sim_deployment_protected,    // $VERCEL_URL without the header that passes Deployment Protection
  sim_too_many_descriptors,    // of an instance: EMFILE
  kCount
};

struct CodeInfo {
  Code code;
  std::string_view name;    // "FUNCTION_INVOCATION_TIMEOUT", "SIM_WEBSOCKET_REFUSED"
  int status;               // what the client gets; 0 where the client gets no error response
  std::string_view title;   // one line: what happened
  std::string_view why;     // why Vercel does it
  std::string_view fix;     // what to do, naming products and API where they help
  std::string_view source;  // URL of the rule
};

// Total: every Code has a row.
const CodeInfo& info(Code);
// By its name, any case; Code::none when unknown.
Code find_code(std::string_view name);

}  // namespace vsim::limits
