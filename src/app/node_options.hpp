// NODE_OPTIONS of the child: the user's own words and ours after them. Pure text.
#pragma once

#include <string>
#include <string_view>

namespace vsim::app {

// Adds `--require script` in front (so that --inspect and other preloads of the user stay theirs) and a
// header size above every platform limit, unless the user set one: the platform's 431 must strike, not
// Node's.
std::string with_agent(std::string_view users, std::string_view script);

}  // namespace vsim::app
