// The fields of a line on the control channel. What is missing or of another type is empty, 0 or false:
// agents of other versions are understood as far as they can be.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"

namespace vsim::agent::line {

// Valid as long as the object.
std::string_view text(const boost::json::object&, std::string_view key);
double number(const boost::json::object&, std::string_view key);
std::optional<std::uint64_t> counter(const boost::json::object&, std::string_view key);
// At most what an int holds; 0 for anything else.
int small_number(const boost::json::object&, std::string_view key);
bool flag(const boost::json::object&, std::string_view key);
// Of the field `id`. Ids are 64 bits, more than a JavaScript number holds: they travel as decimal text.
InvocationId id(const boost::json::object&);
std::vector<std::string> texts(const boost::json::object&, std::string_view key);

}  // namespace vsim::agent::line
