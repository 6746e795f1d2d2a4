#include "routes/finding.hpp"

#include <fmt/format.h>
#include <boost/describe/enum.hpp>
#include <boost/describe/enum_to_string.hpp>

namespace vsim::routes {

BOOST_DESCRIBE_ENUM(RouteSeverity, hint, warning, error)

std::string_view to_string(RouteSeverity s) { return boost::describe::enum_to_string(s, "?"); }

std::string format_finding(const RouteFinding& f) {
  std::string where = f.file;
  if (f.line > 0) where += fmt::format(":{}", f.line);
  if (f.line > 0 && f.column > 0) where += fmt::format(":{}", f.column);
  if (!where.empty()) where += ": ";
  return fmt::format("{}{}: {}", where, to_string(f.severity), f.message);
}

}  // namespace vsim::routes
