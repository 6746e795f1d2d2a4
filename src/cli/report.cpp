#include "cli/report.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "cli/read_file.hpp"
#include "cli/run.hpp"
#include "report/collector.hpp"

namespace vsim::cli {
int run_report(const ReportOptions& options) {
  const auto text = read_file(options.events, kMostRecordedBytes);
  if (!text) {
    print_error(text.error());
    return kUsage;
  }
  const std::string name = options.events == "-" ? "standard input" : options.events;
  const auto recorded = report::read_events(*text, name, options.outputs.find("--html") != nullptr);
  if (!recorded) {
    print_error(recorded.error());
    return kUsage;
  }
  if (recorded->cut) fmt::print(stderr, "warning: {}: the last line is not whole and was left out\n", name);
  if (recorded->unknown > 0)
    fmt::print(stderr, "warning: {}: {} of a type this version does not know {} left out\n", name,
               recorded->unknown == 1 ? "one event" : fmt::format("{} events", recorded->unknown),
               recorded->unknown == 1 ? "was" : "were");
  if (options.outputs.empty()) {
    const std::string summary = report::render_text(recorded->run);
    if (std::fwrite(summary.data(), 1, summary.size(), stdout) != summary.size()) return kUsage;
    return 0;
  }
  if (const auto written = options.outputs.write(recorded->run); !written) {
    print_error(written.error());
    return kUsage;
  }
  return 0;
}

}  // namespace vsim::cli
