// A file of the project that a function read while it ran, and that Next's tracing would not have put into
// the function. What tracing takes is found out beside the run (src/agent/shared/trace.cjs); the words are
// here. Pure.
#pragma once

#include <string_view>

#include "limits/verdict.hpp"
#include "profile/profile.hpp"

namespace vsim::limits::not_traced {

struct Read {
  std::string_view what;   // "readFile"
  std::string_view path;   // of the project: "templates/mail.html"
  std::string_view at;     // the app's line: "lib/mail.ts:3:9"
  std::string_view route;  // as `outputFileTracingIncludes` names it: "/api/mail", escaped
  bool directory = false;
  bool excluded = false;  // by outputFileTracingExcludes
};

// The entry of next.config that has the file put into the function.
std::string entry(const Read&);
// `route` and `file`: of the function.
Verdict told(const profile::Profile&, const Read&, std::string_view route, std::string_view file);

}  // namespace vsim::limits::not_traced
