#include "routes/function.hpp"

namespace vsim::routes {

std::string_view to_string(Kind k) {
  switch (k) {
    case Kind::unknown:
      return "unknown";
    case Kind::pages:
      return "pages";
    case Kind::app_page:
      return "app_page";
    case Kind::app_route:
      return "app_route";
    case Kind::pages_api:
      return "pages_api";
    case Kind::middleware:
      return "middleware";
  }
  return "?";
}

std::string_view to_string(Runtime r) { return r == Runtime::edge ? "edge" : "nodejs"; }

}  // namespace vsim::routes
