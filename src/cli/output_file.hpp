// Files that we write because somebody named them: events and reports. They may hold addresses and texts of
// the app, so nobody else may read them, and nothing that is not ours is overwritten.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace vsim::cli {

// Opens `where` for writing, empty, with mode 0600 if it is new. Refused: a symbolic link (below /dev it is
// followed: /dev/stderr, /dev/fd/3), somebody else's file, and one that is there and does not hold `ours` in
// its first 4 KiB, as an older one of the same kind does. The descriptor is the caller's. `option`: "--html".
Result<int> open_output(std::string_view option, const std::string& where, std::string_view ours);

}  // namespace vsim::cli
