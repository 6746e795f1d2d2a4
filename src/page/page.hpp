// The page that draws a run: lanes of instances, what was cut and why, the story of each request. One HTML
// file with its style and script in it, joined from src/page/ by cmake/page.cmake; it asks for nothing but
// the stream of events, and offline for nothing at all: a policy in its head, with the hashes of both,
// forbids the rest. Pure.
#pragma once

#include <string>
#include <string_view>

namespace vsim::page {

// Follows /_vercel-sim/events.
std::string_view live();

}  // namespace vsim::page
