// Who calls a function of the project, as far as names show it: whether it runs only while modules load, so
// that no request changes what it changes. Pure; asked by the state rules for the few names they would
// report.
#pragma once

#include "check/program.hpp"

namespace vsim::check {

// Code of a callback that a bundler's module wrapper, the process or a timer of the module itself runs.
bool in_load_callback(const Ast& ast, int i);

// Node i runs only while modules load: at the top level, or in functions that are called from there and from
// nowhere else. A function that nobody calls does not run at all. False when it cannot be seen.
bool only_at_load(const Program& program, const File& file, int i, int depth = 0);

}  // namespace vsim::check
