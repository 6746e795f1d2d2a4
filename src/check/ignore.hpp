// `// vercel-sim-ignore RULE reason`, on the line or above it. Pure. Used by checker.cpp only.
#pragma once

#include <string>
#include <vector>

#include "check/ast.hpp"

namespace vsim::check {

struct Ignore {
  int node = kNone;  // the comment
  std::string rule;
  std::string reason;
  int line = 0;    // of the comment
  int target = 0;  // the line it speaks of: its own when code stands before it, else the next line of code
  bool used = false;
};

std::vector<Ignore> read_ignores(const Ast& ast);

}  // namespace vsim::check
