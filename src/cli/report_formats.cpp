#include "cli/report_formats.hpp"

#include "page/page.hpp"

namespace vsim::cli {

std::span<const Format> formats() {
  static constexpr Format kFormats[] = {
      {.option = "--html",
       .title = "HTML",
       .value = "FILE",
       .in_test = "one page to look at and to send on",
       .in_report = "one page to send to a colleague: timeline, verdicts, fixes; loads nothing",
       .ours = "vercel-sim",
       .render = page::render_html},
      {.option = "--junit",
       .title = "JUnit",
       .value = "FILE",
       .in_test = "JUnit XML, for CI systems",
       .in_report = "JUnit XML for CI",
       .ours = "<testsuites name=\"vercel-sim\"",
       .render = report::render_junit},
      {.option = "--sarif",
       .title = "SARIF",
       .value = "FILE",
       .in_test = "SARIF 2.1.0, for GitHub code scanning and editors",
       .in_report = "SARIF 2.1.0 for code scanning",
       .ours = "\"name\": \"vercel-sim\"",
       .render = report::render_sarif},
      {.option = "--json",
       .title = "JSON",
       .value = "FILE",
       .in_test = "everything, for programs",
       .in_report = "everything, as docs/report-schema.json describes it",
       .in_replay = "every request, recorded and replayed, with the report of each run",
       .ours = "\"vercel-sim-re",  // a report, or a replay
       .render = report::render_json},
      {.option = "--otlp",
       .title = "OTLP",
       .value = "FILE",
       .in_test = "a trace for each invocation, for OpenTelemetry collectors",
       .in_report = "OpenTelemetry: a trace for each invocation, with its phases as spans",
       .ours = "\"scope\":{\"name\":\"vercel-sim\"",
       .render = report::render_otlp},
      {.option = "--github",
       .title = "GitHub",
       .in_test = "annotations of a GitHub job, and its summary",
       .in_report = "annotations on standard output, and the job summary when GITHUB_STEP_SUMMARY is set",
       .render = report::render_github,
       .summary = report::render_markdown},
  };
  return kFormats;
}

}  // namespace vsim::cli
