// The options that say where reports go, shared by `test` and `report`: --html, --junit, --sarif, --json FILE
// and --github; and the writing of them.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "report/render.hpp"

namespace vsim::cli {

struct ReportOutputs {
  std::optional<std::string> html, junit, sarif, json;  // a file, "-" for standard output
  bool github = false;
  bool any() const { return html || junit || sarif || json || github; }
  bool operator==(const ReportOutputs&) const = default;
};

// With their dashes.
std::span<const std::string_view> report_option_names();
// Whether it takes a value; --github does not.
bool report_option_takes_value(std::string_view name);
// `name` is one of them. What is wrong with the value, as a sentence that names the option; empty when it is
// taken.
std::string set_report_output(ReportOutputs& out, std::string_view name, std::string_view value);
// What is wrong with all of them together ("only one report can go to standard output"); empty when nothing
// is.
std::string problem_with(const ReportOutputs& out);

// `text` as the value of option `name`; folders are made.
Result<bool> write_text(std::string_view name, const std::string& file, std::string_view text);

// Writes all that was asked for; folders are made. --github prints annotations to standard output and adds
// the summary to the file that GITHUB_STEP_SUMMARY names, when it names one. The first failure ends it.
Result<bool> write_reports(const report::Run& run, const ReportOutputs& outputs,
                           const report::Extras& extras = {});

}  // namespace vsim::cli
