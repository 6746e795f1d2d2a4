// `vercel-sim report EVENTS.jsonl`: the reports of a recorded run. Reads the file, starts nothing.
#pragma once

#include "cli/options.hpp"

namespace vsim::cli {

// 0; 64 when the events cannot be read or a report cannot be written. What was found does not matter.
int run_report(const ReportOptions& options);

}  // namespace vsim::cli
