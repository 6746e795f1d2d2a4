// The formats of reports, one row each: the options of test, replay and report, their help, completion, what
// an older file of ours looks like and the writer all follow from it. A new format is a file in src/report/
// with one function, and a row in report_formats.cpp. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "report/render.hpp"

namespace vsim::cli {

using Render = std::string (*)(const report::Run&, const report::Extras&);

struct Format {
  std::string_view option;     // "--junit"
  std::string_view title;      // as the list of commands names it
  std::string_view value;      // "FILE"; "": it goes to standard output and takes no value
  std::string_view in_test;    // help of vercel-sim test
  std::string_view in_report;  // help of vercel-sim report
  std::string_view in_replay;  // "": it is of one run, and replay writes it as test does
  std::string_view ours;       // stands near the start of an older one: what holds it may be overwritten
  Render render = nullptr;
  Render summary = nullptr;  // goes to the end of the file that GITHUB_STEP_SUMMARY names
};

// In the order of the help.
std::span<const Format> formats();

}  // namespace vsim::cli
