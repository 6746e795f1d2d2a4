// What a function leaves behind when its response and its waitUntil work are done (docs/platform.md
// section 8, "after response"): timers, servers, requests that nobody waits for. Never refuses; only says so.
// Pure; asked when an instance is given back.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/hanging.hpp"
#include "base/time.hpp"
#include "limits/verdict.hpp"
#include "profile/profile.hpp"

namespace vsim::limits {

namespace background {

// A line of the app's own rather than one of a package, which nobody could mend; `otherwise` if there is
// none. Valid as long as both.
std::string_view place(std::span<const Hanging> hanging, std::string_view otherwise);
// "interval of 1s at app/x/route.ts:12:3, socket by the package pg": the first few, and how many more.
std::string list(std::span<const Hanging> hanging);
// What no waitUntil() could wait for.
bool only_intervals(std::span<const Hanging> hanging);
// `hanging` is not empty. `freezes`: idle instances are really frozen here, which an inspector forbids.
Verdict frozen(const profile::Profile& p, profile::Isolation isolation, bool freezes,
               std::span<const Hanging> hanging, std::string_view route, std::string_view file);

// The route under which verdicts on middleware (proxy.ts) are told: it has none of its own.
inline constexpr std::string_view kMiddleware = "middleware";
// What middleware has left behind when its answer was there. `stopped`: it was really stopped, as where
// functions freeze. Told of once for each request that middleware answered.
Verdict frozen_middleware(const profile::Profile& p, bool stopped, std::span<const Hanging> hanging);

}  // namespace background
}  // namespace vsim::limits
