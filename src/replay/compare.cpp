#include "replay/compare.hpp"

#include <fmt/format.h>
#include <boost/describe/enum.hpp>
#include <boost/describe/enum_to_string.hpp>

#include <algorithm>

#include "report/model.hpp"

namespace vsim::replay {

BOOST_DESCRIBE_ENUM(Change, broke, other, mended, differs, same, not_sent)

std::string_view to_string(Change change) { return boost::describe::enum_to_string(change, ""); }

namespace {

std::vector<limits::Code> violations(const RecordedOutcome& o) {
  std::vector<limits::Code> out;
  for (const limits::Code code : o.codes)
    if (report::is_violation_code(code)) out.push_back(code);
  std::sort(out.begin(), out.end());
  return out;
}

// The app's own: it failed, without a limit that has a name for it.
bool failed(const RecordedOutcome& o) {
  return o.status >= 500 || (o.ended_by == event::EndedBy::app && !o.left);
}

// A 304 is a 200 that the client had already.
int kind_of_status(int status) { return status == 304 ? 200 : status; }

}  // namespace

bool is_broken(const RecordedOutcome& o) { return !violations(o).empty() || failed(o); }

Change compare(const RecordedOutcome& recorded, const Met& met) {
  if (!met.outcome) return Change::not_sent;
  const RecordedOutcome& now = *met.outcome;
  const bool before = is_broken(recorded), after = is_broken(now);
  if (before != after) return after ? Change::broke : Change::mended;
  if (before) {
    const bool same = violations(recorded) == violations(now) && failed(recorded) == failed(now);
    return same ? Change::same : Change::other;
  }
  // A client that left before the head has no status to compare.
  if (recorded.status == 0 || now.status == 0) return Change::same;
  return kind_of_status(recorded.status) == kind_of_status(now.status) ? Change::same : Change::differs;
}

std::size_t Replayed::count(Change change) const {
  return static_cast<std::size_t>(
      std::count_if(lines.begin(), lines.end(), [&](const Line& l) { return l.change == change; }));
}

Replayed make_replayed(const Recording& recording, std::string profile, std::vector<Met> met) {
  Replayed out;
  out.profile = std::move(profile);
  for (std::size_t i = 0; i < std::min(met.size(), recording.requests.size()); ++i) {
    const RecordedRequest& r = recording.requests[i];
    const Change change = compare(r.outcome, met[i]);
    out.lines.push_back({&r, change, std::move(met[i])});
  }
  return out;
}

std::string word_for(const RecordedOutcome& o) {
  std::string out;
  for (const limits::Code code : o.codes) {
    if (!report::is_violation_code(code)) continue;
    if (!out.empty()) out += " + ";
    out += limits::info(code).name;
  }
  if (!out.empty()) return out;
  if (o.status == 0) return failed(o) ? "no answer" : "ok";
  if (failed(o))
    return o.status >= 500 ? fmt::format("{}", o.status) : fmt::format("{}, cut short", o.status);
  return o.status < 400 ? "ok" : fmt::format("ok {}", o.status);
}

}  // namespace vsim::replay
