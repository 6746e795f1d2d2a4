// The options of `run`, which `test` and `replay` share, and those that they have alone: one table for the
// command line, for vercel-sim.yaml and for completion. Opens no file. Called by options.cpp and
// project_config.cpp.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/options.hpp"

namespace vsim::cli {

Result<Options, UsageError> parse_run(std::span<const std::string_view> words);
Result<Options, UsageError> parse_test(std::span<const std::string_view> words);
Result<Options, UsageError> parse_replay(std::span<const std::string_view> words);

// For the other commands that know one of these: what the option of that name means. False: not a value of
// it.
bool set_setting(Run&, std::string_view text);
bool set_time_scale(Run&, std::string_view text);
bool set_text(std::string& out, std::string_view text);

// What a vercel-sim.yaml may give of the table; names without the dashes.
std::vector<std::string_view> default_names();
// Gives `name` the value of a vercel-sim.yaml. What was expected when the value is wrong; the options of the
// command line are left as they are (Run::given).
std::optional<std::string> set_default(Test&, std::string_view name, std::string_view value);

}  // namespace vsim::cli
