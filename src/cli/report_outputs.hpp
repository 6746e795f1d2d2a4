// Where the reports of a run go, as `test`, `replay` and `report` were asked, and the writing of them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "cli/report_formats.hpp"

namespace vsim::cli {

class ReportOutputs {
 public:
  // The file of a format, "-" for standard output; the last one asked for. False: `file` names none.
  bool ask(const Format&, std::string_view file);
  // Where the report of option `name` goes; nullptr when nobody asked for it.
  const std::string* find(std::string_view name) const;
  // The same, and it is not asked for any more: somebody else writes it.
  std::optional<std::string> take(std::string_view name);
  // Something goes to standard output; `by_name`: because its file is "-".
  bool to_standard_output(bool by_name) const;
  bool empty() const { return files_.empty(); }
  // What is wrong with all of them together ("only one report can go to standard output"); empty when nothing
  // is.
  std::string problem() const;

  // Writes all that was asked for; folders are made. --github prints annotations to standard output and adds
  // the summary to the file that GITHUB_STEP_SUMMARY names, when it names one. The first failure ends it.
  Result<bool> write(const report::Run& run, const report::Extras& extras = {}) const;

 private:
  std::vector<std::pair<std::string_view, std::string>> files_;  // by option
};

// `text` as the value of option `name`; folders are made.
Result<bool> write_text(std::string_view name, const std::string& file, std::string_view text);

}  // namespace vsim::cli
