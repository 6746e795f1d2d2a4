// Something a person should know about their sources: where, how bad, in whose words, and what to do. Pure
// data; who shows it decides the form.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vsim::routes {

enum class RouteSeverity : std::uint8_t {
  hint,     // worth knowing, nothing breaks
  warning,  // a setting that has no effect, or a file that could not be read as meant
  error,    // `vercel build` or `next build` would fail on it
};

struct RouteFinding {
  RouteSeverity severity = RouteSeverity::warning;
  std::string file;     // relative to the project; "" when it concerns the project as a whole
  int line = 0;         // 1-based, 0: the file as a whole
  int column = 0;       // 1-based, in bytes, 0: unknown
  std::string message;  // Vercel's or Next's own words where they have some
  std::string fix = {};
  bool operator==(const RouteFinding&) const = default;
};

std::string_view to_string(RouteSeverity);
// "app/api/x/route.ts:3:14: warning: …" on one line, without the fix.
std::string format_finding(const RouteFinding&);

}  // namespace vsim::routes
