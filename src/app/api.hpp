// What GET /_vercel-sim/api/… says of a run: the API of docs/openapi.json, for tools. It works on the lines
// of the run's events as event::encode writes them, and keeps nothing itself. Any thread.
#pragma once

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
  std::uint64_t left_out = 0;               // how many of its first events are not kept any more
  bool takes_actions = false;               // there is somebody who carries them out
  std::optional<profile::Profile> profile;  // that holds now
  std::vector<std::string> kept;  // what is still true of what is left out: a line each, without a newline
  // All others in order: "data: {…}\n\n" each, as the stream of events has them.
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
// Of a name or value in a query: %XX and + undone.
std::string query_decoded(std::string_view text);
// The text or number of a field of a line that event::encode wrote; strings as they stand, escapes and all.
// Empty: it is not there.
std::string_view value_of(std::string_view line, std::string_view key);

}  // namespace vsim::app
