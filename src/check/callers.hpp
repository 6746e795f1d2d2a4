// Who calls a function of the project, as far as names show it: whether it runs only while modules load, so
// that no request changes what it changes. Pure; asked by the state rules for the few names they would
// report.
#pragma once

#include <string_view>
#include <vector>

#include "check/program.hpp"

namespace vsim::check {

// Code of a callback that a bundler's module wrapper, the process or a timer of the module itself runs.
bool in_load_callback(const Ast& ast, int i);

// Node i runs only while modules load: at the top level, or in functions that are called from there and from
// nowhere else. A function that nobody calls does not run at all. False when it cannot be seen.
bool only_at_load(const Program& program, const File& file, int i, int depth = 0);

// Node i runs when the module is loaded, whatever else runs it: at the top level, in a function called from
// there, in register() of instrumentation.ts.
bool runs_at_load(const Program& program, const File& file, int i, int depth = 0);

struct FunctionAt {
  const File* file = nullptr;
  int function = kNone;  // kNone: not seen
};
// The function that a callee names: itself, one declared around it, at the top level, or in another file.
FunctionAt function_called(const Program& program, const File& file, int callee);

struct CallSite {
  const File* file = nullptr;
  int call = kNone;  // the call_expression
};
// Where a function with a name is called by that name, in its file and where requests import it.
std::vector<CallSite> calls_of(const Program& program, const File& file, int function);

// The value of parameter `name` of a function at one of its calls: the argument's node, or kNone.
int argument_for(const Ast& callee, int function, std::string_view name, const Ast& caller, int call);
// The default value of a parameter, or kNone.
int parameter_default(const Ast& ast, int function, std::string_view name);

}  // namespace vsim::check
