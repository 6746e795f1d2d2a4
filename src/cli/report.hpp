// `vercel-sim report EVENTS.jsonl`: the reports of a recorded run. Reads the file, starts nothing.
#pragma once

#include <span>
#include <string_view>

#include "cli/options.hpp"

namespace vsim::cli {

// The command line, without "report". Opens no file.
Result<Options, UsageError> parse_report(std::span<const std::string_view> words);

// 0; 64 when the events cannot be read or a report cannot be written. What was found does not matter.
int run_report(const Report& options);

}  // namespace vsim::cli
