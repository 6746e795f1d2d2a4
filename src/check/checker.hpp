// `vercel-sim check` without the reading and the printing: sources in, findings out. Pure; never throws.
// Called by cli/check.cpp and the tests.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "check/program.hpp"
#include "check/query.hpp"
#include "check/rule.hpp"
#include "profile/profile.hpp"

namespace vsim::check {

// The name under which mistakes in ignore comments are reported; not a rule, cannot be ignored.
inline constexpr std::string_view kIgnoreId = "vercel-sim-ignore";

struct Finding {
  std::string rule;  // its id, or kIgnoreId
  Severity severity = Severity::off;
  std::string file;          // relative to the project
  int line = 0, column = 0;  // from 1, characters; column 0: the line as a whole
  int length = 1;            // characters, on the first line
  std::string message;
  std::string source_line;
  std::string name, detail;  // what it is about: the capture @name, and what a predicate has found out
};

struct Report {
  std::vector<Finding> findings;        // by file, line, column
  std::size_t files = 0;                // sources parsed
  std::size_t ignored = 0;              // findings that a comment silenced
  std::vector<std::string> unfinished;  // sources not looked at, or not by every rule: Bounds
  std::size_t count(Severity) const;
};

// Rules whose severity is off for the profile's compute model do not run. `queries`: of a caller that looks
// more than once. `only`: one rule's id; empty: all.
Report check(const Input& input, const profile::Profile& profile, const Bounds& bounds = {},
             Queries* queries = nullptr, std::string_view only = {});

}  // namespace vsim::check
