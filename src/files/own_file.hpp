// Files that we write because somebody named them: events, reports, recordings, our own log. They may hold
// addresses and texts of the app, so nobody else may read them, and nothing that is not ours is overwritten.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace vsim::files {

// How a file of ours is known, and what another is called.
struct OwnKind {
  std::function<bool(std::string_view begin)> is_ours;  // by its first 4 KiB at most; empty: not looked at
  std::string_view otherwise;
};

// Why what is open must not be written to; empty: it is a regular file of this user, and empty or ours.
std::string refusal(int fd, const OwnKind& kind);

// Opens `where` for reading and writing with `more` flags; with O_CREAT among them, mode 0600 if it is new.
// No link is followed, no pipe waited for. The descriptor is the caller's; the error says why, without the
// name.
Result<int> open_own(const std::string& where, int more, const OwnKind& kind);

}  // namespace vsim::files
