// A recording beside what its requests met this time: what broke that had not, what is mended, what is the
// same. Pure: values in, values and text out. Called by cli/replay.cpp.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "replay/recording.hpp"

namespace vsim::replay {

// What one request met in a replay.
struct Met {
  std::optional<RecordedOutcome> outcome;  // nullopt: it was not sent, or the run ended before it did
  std::string why_not;                     // then: a sentence without a full stop
  std::vector<std::string> renewed;        // cookies that were sent with another value than recorded
};

enum class Change : std::uint8_t {
  broke,    // it had not been broken
  other,    // broken as before, in another way
  mended,   // it had been broken
  differs,  // not broken, but another status: no limit's doing
  same,
  not_sent,  // see Met::why_not
};
inline constexpr std::size_t kChanges = 6;
std::string_view to_string(Change);

// Broken: a limit struck that would strike on Vercel, or the app failed: 5xx, or no whole answer.
bool is_broken(const RecordedOutcome&);
Change compare(const RecordedOutcome& recorded, const Met& met);

struct Line {
  const RecordedRequest* request = nullptr;
  Change change = Change::same;
  Met met;
};
// A replay on one profile. The recording must outlive it.
struct Replayed {
  std::string profile;
  std::vector<Line> lines;  // as Recording::requests; empty: the app did not run
  int exit_code = 0;
  std::string report;  // render_json() of the run; empty: none
  std::size_t count(Change) const;
};
Replayed make_replayed(const Recording&, std::string profile, std::vector<Met> met);

// "ok", "ok 404", "FUNCTION_INVOCATION_TIMEOUT", "500".
std::string word_for(const RecordedOutcome&);

// What a person reads of one profile.
std::string render_comparison(const Recording&, const Replayed&);
// Several: which route is broken on which of them, and what was not sent.
std::string render_table(const Recording&, const std::vector<Replayed>&);
// docs/replay.md describes it.
std::string render_json(const Recording&, const std::vector<Replayed>&);

}  // namespace vsim::replay
