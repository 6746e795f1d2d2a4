// Names of things in this module. Pure.
#pragma once

#include <cstdint>
#include <string>

namespace vsim::instance {

// One process for the whole of its life; counted from 1, shown as "i1". `none`: isolation is off.
enum class InstanceId : std::uint64_t { none = 0 };
std::string name_of(InstanceId);  // "i1"
// A function and a function group, counted from 1 in the order they were first told.
enum class FunctionId : std::uint32_t { none = 0 };
enum class GroupId : std::uint32_t { none = 0 };
// Counts announced compiles. 0: nothing has changed since the start.
using Generation = std::uint64_t;

}  // namespace vsim::instance
