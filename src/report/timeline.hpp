// The timeline of the HTML report: a lane for each instance and what ran on it, as inline SVG. Instances that
// do not overlap share a lane, so that a run with thousands of them stays readable. Private to the module.
#pragma once

#include <string>

#include "report/model.hpp"

namespace vsim::report {

// A <figure>; empty when there is nothing to draw. At most a few thousand shapes: what is left out is said,
// and calls with a violation are left out last.
std::string render_timeline(const Run&);

}  // namespace vsim::report
