#include "routes/function.hpp"

#include <boost/describe/enum.hpp>
#include <boost/describe/enum_to_string.hpp>

namespace vsim::routes {

BOOST_DESCRIBE_ENUM(Kind, unknown, pages, app_page, app_route, pages_api, middleware)

std::string_view to_string(Kind k) { return boost::describe::enum_to_string(k, "?"); }
std::string_view to_string(Runtime r) { return r == Runtime::edge ? "edge" : "nodejs"; }

}  // namespace vsim::routes
