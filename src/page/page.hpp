// The page that draws a run: lanes of instances, what was cut and why, the story of each request. One HTML
// file with its style and script in it, joined from src/page/ by cmake/page.cmake; it asks for nothing but
// the stream of events, and offline for nothing at all: a policy in its head, with the hashes of both,
// forbids the rest. Pure.
#pragma once

#include <string>
#include <string_view>

#include "report/render.hpp"

namespace vsim::page {

// Follows /_vercel-sim/events.
std::string_view live();

// The same page with the run's events in it (Run::events), and what is not in them. One file, for a browser
// anywhere.
std::string render_html(const report::Run&, const report::Extras& = {});

}  // namespace vsim::page
