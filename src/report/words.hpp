// What the renderers share: grouping, texts and escapes. Private to the module.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report/render.hpp"

namespace vsim::report {

// The problems of one code, violations apart from warnings.
struct ProblemGroup {
  limits::Code code = limits::Code::none;
  bool violation = false;
  std::size_t count = 0;
  std::vector<const Problem*> places;
};
// Violations first, then by first time.
std::vector<ProblemGroup> groups(const Run&);

// The entry that says this one is meant; null when there is none.
const Expected* expected(const Problem&, const Extras&);
// Whether the problem is what the finding is about: a code of its rule, in its file; of state that is lost,
// its variable too.
bool foresees(const StaticFinding&, const Problem&);
// How often what the finding is about was seen in the run.
std::size_t times_struck(const StaticFinding&, const Run&);
// The first finding of `check` that foresaw it; null when there is none.
const StaticFinding* foreseen(const Problem&, const Extras&);

std::string_view code_name(const Problem&);  // "FUNCTION_INVOCATION_TIMEOUT"
std::string message_of(const Problem&);      // a sentence of what happened, with numbers, no full stop
std::string_view fix_of(const Problem&);     // of this case, else the general one
std::string_view source_of(const Problem&);  // URL
std::string place_of(const Problem&);        // "/api/slow", else the path, else the file
std::string file_of(const Problem&, const Extras&);  // with prefix and line; empty when unknown
std::string limit_of(const Problem&);    // "10s, measured 10.0s (duration.default, profile hobby, …)"
std::string request_of(const Problem&);  // "GET /api/slow?x=1 → 504 on i3, 1.2s after the start"
std::string docs_of(limits::Code);       // "docs/codes/….md"
std::string times(std::size_t n);        // "once", "3 times"
std::string iso_time(WallTime);          // "2026-11-22T21:04:05.123Z"
std::string seconds(Duration);           // "1.234", for machines
// "4 violations (1 expected), 3 warnings"; "no violation".
std::string headline(const Run&, const Extras&);
// Of the violations, how many the project says are meant.
std::size_t meant(const Run&, const Extras&);
// "Deployment 2 after 12.0s met 2 sockets and 1 stream: 2 came back (slowest 0.4s), 1 was lost."
std::string told(const Deployment&);
// "Switched to pro-fluid after 12.0s, to time scale 5x after 13.0s."; empty when nothing was.
std::string switched(const Run&);
// How the run ended, where that needs a word; empty when it ended as it should.
std::string ending(const Run&);

std::string xml(std::string_view);       // text and attribute values of XML 1.0
std::string markdown(std::string_view);  // text, also inside a table

}  // namespace vsim::report
