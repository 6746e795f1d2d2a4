// Warning: Socket.IO's polling fallback delivers here because one process serves everybody; on Vercel without
// Fluid each poll may reach another instance, which answers 400 "Session ID unknown"
// (docs/platform.md 4a). Never enforced. Pure; asked at the response head.
#pragma once

#include <string_view>

#include "limits/verdict.hpp"
#include "profile/profile.hpp"

namespace vsim::limits::polling {

// Of a client of Engine.IO, which Socket.IO is made of: `EIO` and `transport` are in the query.
bool is_engine_io(std::string_view target);
// Of an established Engine.IO session, whatever its transport: `EIO` and `sid` are in the query.
bool is_session(std::string_view target);
// A poll or send of an established Engine.IO session: `EIO`, `transport=polling` and `sid` are in the query.
bool is_session_poll(std::string_view target);
Verdict verdict(const profile::Profile& p, std::string_view route, std::string_view file);

}  // namespace vsim::limits::polling
