// The command lines of explain, doctor, completion, learn and mcp. Opens no file, prints nothing. Called by
// options.cpp.
#pragma once

#include <span>
#include <string_view>

#include "cli/options.hpp"

namespace vsim::cli {

Result<Options, UsageError> parse_explain(std::span<const std::string_view> words);
Result<Options, UsageError> parse_doctor(std::span<const std::string_view> words);
Result<Options, UsageError> parse_completion(std::span<const std::string_view> words);
Result<Options, UsageError> parse_learn(std::span<const std::string_view> words);
Result<Options, UsageError> parse_mcp(std::span<const std::string_view> words);

}  // namespace vsim::cli
