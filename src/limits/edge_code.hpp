// Code that is made while it runs, on the edge runtime: `eval`, `new Function`, WebAssembly from bytes. There
// the call throws (https://nextjs.org/docs/messages/edge-dynamic-code-evaluation), and so it does here.
// Whether that breaks the function is its own affair: libraries try it to see where they are. Pure; asked
// when it was called.
#pragma once

#include <string_view>

#include "limits/verdict.hpp"

namespace vsim::limits {

// What the agent saw. Views are valid during the call.
struct CodeRefused {
  std::string_view what;  // "new Function()", "eval()", "WebAssembly.compile()"
  std::string_view at;    // "app/x/route.ts:12:3"; empty: unknown
  bool failed = false;    // the function then failed: it answered with an error, or threw
  bool middleware = false;
};

namespace edge_code {

// `route` and `file`: of the function; middleware has its own. Enforced when the function failed of it.
Verdict refused(const CodeRefused& told, std::string_view route, std::string_view file);

}  // namespace edge_code
}  // namespace vsim::limits
