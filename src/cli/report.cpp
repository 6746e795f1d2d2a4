#include "cli/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "cli/option_words.hpp"
#include "cli/read_file.hpp"
#include "cli/run.hpp"
#include "report/collector.hpp"

namespace vsim::cli {
namespace {

constexpr int kUsage = 64;

}  // namespace

Outcome parse_report(Words words) {
  std::vector<std::string_view> known(report_option_names().begin(), report_option_names().end());
  known.push_back(kNoColor);
  known.push_back(kHelp);
  Options options;
  Report report;
  UsageError error{"vercel-sim report", {}, "vercel-sim report --help"};
  const auto problem = [&](std::string text) {
    if (!text.empty()) error.problems.push_back(std::move(text));
  };
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string_view name = words[i];
    if (is_help(name)) return Options{ShowHelp{HelpTopic::report}};
    if (name.size() < 2 || name.front() != '-') {
      if (name.empty() || !report.events.empty())
        problem(fmt::format("expects one file of events; got {}", quoted(name)));
      else
        report.events = name;
      continue;
    }
    std::optional<std::string_view> value;
    if (const std::size_t equals = name.find('='); equals != std::string_view::npos) {
      value = name.substr(equals + 1);
      name = name.substr(0, equals);
    }
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      problem(fmt::format("unknown option {}{}", name, did_you_mean(name, known)));
      // What follows a misspelt option is its value, not the events.
      const auto meant = nearest_name(name, known);
      if (!value && meant && report_option_takes_value(*meant) && i + 1 < words.size()) ++i;
    } else if (!report_option_takes_value(name)) {
      if (value) problem(fmt::format("{} takes no value; got {}", name, quoted(*value)));
      if (name == kNoColor)
        options.no_color = true;
      else
        set_report_output(report.outputs, name, "");
    } else if (!value && (i + 1 == words.size() || words[i + 1].starts_with("--"))) {
      problem(fmt::format("{} needs a value: a file, or - for standard output", name));
    } else {
      problem(set_report_output(report.outputs, name, value ? *value : words[++i]));
    }
  }
  if (report.events.empty() && error.problems.empty())
    problem("expects the file that --events wrote, such as: vercel-sim report events.jsonl");
  problem(problem_with(report.outputs));
  if (!error.problems.empty()) return error;
  options.command = std::move(report);
  return options;
}

int run_report(const Report& options) {
  const auto text = read_file(options.events, kMostRecordedBytes);
  if (!text) {
    print_error(text.error());
    return kUsage;
  }
  const std::string name = options.events == "-" ? "standard input" : options.events;
  const auto recorded = report::read_events(*text, name, options.outputs.html.has_value());
  if (!recorded) {
    print_error(recorded.error());
    return kUsage;
  }
  if (recorded->cut) fmt::print(stderr, "warning: {}: the last line is not whole and was left out\n", name);
  if (recorded->unknown > 0)
    fmt::print(stderr, "warning: {}: {} of a type this version does not know {} left out\n", name,
               recorded->unknown == 1 ? "one event" : fmt::format("{} events", recorded->unknown),
               recorded->unknown == 1 ? "was" : "were");
  if (!options.outputs.any()) {
    const std::string summary = report::render_text(recorded->run);
    if (std::fwrite(summary.data(), 1, summary.size(), stdout) != summary.size()) return kUsage;
    return 0;
  }
  if (const auto written = write_reports(recorded->run, options.outputs); !written) {
    print_error(written.error());
    return kUsage;
  }
  return 0;
}

}  // namespace vsim::cli
