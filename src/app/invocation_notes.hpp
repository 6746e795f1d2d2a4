// The part of an invocation's story that is no event, as JSON of the API: the heads of its request and of its
// response, with their secrets masked, and what was printed meanwhile, with how sure it is whose line it is.
// Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "app/story_notes.hpp"
#include "base/time.hpp"

namespace vsim::app {

struct Presence {
  Duration from{}, until{};
};
struct NotesAsked {
  std::uint64_t id = 0;
  std::string_view instance;     // empty: none of ours, and next dev prints for all
  Presence ran;                  // its function's code; since the start of the run
  std::vector<Presence> others;  // of others on that instance
};

// What is printed just before a response ends is read a moment later.
inline constexpr Duration kPrintedLate = std::chrono::milliseconds(250);
inline constexpr std::size_t kMostLines = 300;

// Members of an object, without braces: request, response, lines, lines_left_out, notes_left_out.
std::string notes_json(const NotesPicture&, const NotesAsked&);

}  // namespace vsim::app
