// docs/man/vercel-sim.1, made from the help texts: what they say is said once. Pure text; a test holds the
// file to it.
#pragma once

#include <string>

namespace vsim::cli {

std::string man_page();

}  // namespace vsim::cli
