#include "routes/finding.hpp"

#include <fmt/format.h>

namespace vsim::routes {

std::string_view to_string(RouteSeverity s) {
  switch (s) {
    case RouteSeverity::hint:
      return "hint";
    case RouteSeverity::warning:
      return "warning";
    case RouteSeverity::error:
      return "error";
  }
  return "?";
}

std::string format_finding(const RouteFinding& f) {
  std::string where = f.file;
  if (f.line > 0) where += fmt::format(":{}", f.line);
  if (f.line > 0 && f.column > 0) where += fmt::format(":{}", f.column);
  if (!where.empty()) where += ": ";
  return fmt::format("{}{}: {}", where, to_string(f.severity), f.message);
}

}  // namespace vsim::routes
