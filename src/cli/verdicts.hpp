// The verdict of `test`: which of a run's problems are meant (`expect:`), what `check` had said of them, and
// the end of the summary that a person reads. Pure: values in, values and text out. Called by test.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "check/checker.hpp"
#include "cli/expectations.hpp"
#include "report/model.hpp"
#include "report/render.hpp"

namespace vsim::cli {

struct Judgement {
  report::Extras extras;            // for the reports: findings of `check`, and what is meant
  std::size_t failing = 0;          // violations that are not meant, by place: they fail the test
  std::size_t meant = 0;            // those that are
  std::vector<std::string> silent;  // findings whose problem was not seen, one line each
  std::vector<const Expectation*> stale;
};
// `expectations` must outlive what comes back. `prefix`: the project's folder as the reader types it,
// "apps/web/".
Judgement judge(const report::Run& run, Expectations& expectations, const check::Report& report,
                std::string prefix);

// What the summary says besides the report.
struct Closing {
  std::string config_file;  // of the expectations
  std::uint64_t seed = 0;
  bool stale_matters = true;  // false: the command failed, so what it did not reach says nothing
  int exit_code = 0;
  std::string exit_reason;  // "violations"
  bool by_address = true;   // the command had to find us by BASE_URL, and may not have
};
std::string render_closing(const report::Run& run, const Judgement&, const Closing&);

}  // namespace vsim::cli
