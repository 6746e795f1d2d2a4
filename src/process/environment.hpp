// The environment of a child as a list of "NAME=value", the form the system takes. Order is kept; a name
// occurs once.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vsim::process {

using Environment = std::vector<std::string>;

// A copy of ours. Call on the main thread: environ has no lock.
Environment current_environment();
std::optional<std::string_view> get_env(const Environment& env, std::string_view name);
void set_env(Environment& env, std::string_view name, std::string_view value);
void unset_env(Environment& env, std::string_view name);

}  // namespace vsim::process
