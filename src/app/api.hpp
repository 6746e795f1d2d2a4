// What GET /_vercel-sim/api/… says of a run: the API of docs/openapi.json, for tools. It works on the lines
// of the run's events as event::encode writes them, and keeps nothing itself. Any thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/story_notes.hpp"
#include "base/time.hpp"
#include "profile/profile.hpp"

namespace vsim::app {

// What is asked about, as it was at one moment.
struct ApiWorld {
  std::string run;                          // a name of this run
  Duration at{};                            // now, from its start on
  std::uint64_t left_out = 0;               // how many of its events are not kept
  bool takes_actions = false;               // there is somebody who carries them out
  std::optional<profile::Profile> profile;  // that holds now
  std::vector<std::string> kept;  // what is still true of what is left out: a line each, without a newline
  // All others in order, as the stream of events has them: each_event_line() reads them.
  std::vector<std::shared_ptr<const std::string>> events;
  NotesPicture notes;  // of invocations; only where one is asked about
};

struct ApiAnswer {
  int status = 200;  // 200, 400 (the query), 404
  std::string body;  // JSON
};

// `path`: what stands behind /_vercel-sim/api/; `query`: what stands behind '?'.
ApiAnswer ask_api(std::string_view path, std::string_view query, const ApiWorld&);

// {"error": …, "fix": …}
std::string api_error(std::string_view error, std::string_view fix = {});
// The events among the messages of a stream: "data: {…}\n\n" each, the others begin with their name.
template <class Take>
void each_event_line(std::string_view text, Take take) {
  constexpr std::string_view kData = "data: ", kEnd = "\n\n";
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(kEnd), text.size());
    if (text.starts_with(kData)) take(text.substr(kData.size(), end - kData.size()));
    text.remove_prefix(std::min(end + kEnd.size(), text.size()));
  }
}
// Of a name or value in a query: %XX and + undone.
std::string query_decoded(std::string_view text);
// The text or number of a field of a line that event::encode wrote; strings as they stand, escapes and all.
// Empty: it is not there.
std::string_view value_of(std::string_view line, std::string_view key);

}  // namespace vsim::app
