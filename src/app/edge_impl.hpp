// What the files of Edge share: edge.cpp (the moments of a request), edge_answer.cpp (what goes back to a
// client) and edge_fleet.cpp (where functions run on instances). Private to this module.
#pragma once

#include <string>
#include <string_view>

#include "app/edge.hpp"

namespace vsim::app {

inline InvocationId invocation(net::ExchangeId id) { return static_cast<InvocationId>(id); }

inline void line(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ", 2).append(value).append("\r\n", 2);
}

inline limits::Head limits_head(const net::http1::RequestHead& head) {
  return {head.method,         head.target,        head.headers,
          head.largest_header, head.headers_total, head.header_not_utf8};
}

}  // namespace vsim::app
