// The reports: each a function of the model, without clock, machine or locale. Pure. The formats are
// described in docs/reports.md. Called by cli/report_outputs.cpp.
#pragma once

#include <string>
#include <vector>

#include "report/model.hpp"

namespace vsim::report {

// A finding of `vercel-sim check`, for the reports that show what the sources say beside what happened.
struct StaticFinding {
  std::string rule, title, explanation, fix, docs;  // docs: a URL
  std::string level;                                // SARIF's word: error, warning, note
  std::string file;
  int line = 0, column = 0, length = 1;
  std::string message;
  std::vector<std::string> codes;  // what the rule foresees: names of codes
};

// A problem that the project says is meant (`expect:` of vercel-sim.yaml).
struct Expected {
  limits::Code code = limits::Code::none;
  std::string route, file, path;  // as in the Problem
  std::string reason;
};

// What is not in the events. Without it a report of a recorded run is byte for byte that of the live one.
struct Extras {
  std::string prefix;  // before every file of the project: "apps/web/" in a monorepo
  std::vector<StaticFinding> findings;
  std::vector<Expected> expected;
};

std::string render_text(const Run&, const Extras& = {});  // for a terminal, no colours
std::string render_junit(const Run&, const Extras& = {});
std::string render_sarif(const Run&, const Extras& = {});
std::string render_json(const Run&, const Extras& = {});
std::string render_otlp(const Run&, const Extras& = {});      // OTLP/JSON: a trace for each invocation
std::string render_github(const Run&, const Extras& = {});    // annotations: ::error file=…
std::string render_markdown(const Run&, const Extras& = {});  // GitHub's job summary

}  // namespace vsim::report
