// The options of `run`, those that `test` and `replay` have beside them, and what their values mean: one
// table for the command line, for vercel-sim.yaml and for completion. Reads no words and opens no file.
// Private to this module, called by run_options.cpp.
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "cli/run_options.hpp"

namespace vsim::cli {

enum class For { run, test, replay };
enum class Takes { nothing, value, maybe_value };

// An option and what it sets.
struct Found {
  std::string_view name;
  Takes takes = Takes::nothing;
  std::string_view expects;  // completes "--port expects …"
  std::string_view example;
  std::function<bool(std::string_view value)> set;  // false: not what is expected
};

// What `name` (with its dashes) means to `command`, bound to `target`, which must outlive what is found.
std::optional<Found> find_option(std::string_view name, For command, Replay& target);

// All that `command` knows, --help included.
std::vector<std::string_view> names_of(For command);

}  // namespace vsim::cli
