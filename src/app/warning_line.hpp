// Which of the app's lines are warnings: noise where every instance writes them again, and no errors. Pure.
#pragma once

#include <string_view>

namespace vsim::app {

// A line without escapes and indentation: Node's "(node:4711) [DEP0040] DeprecationWarning: …" with the
// advice below it, and Next's "⚠ …".
inline bool is_warning_line(std::string_view text) {
  return text.starts_with("(node:") || text.starts_with("(Use `node --trace-") ||
         text.starts_with("\u26a0") || text.starts_with("Warning: ");
}

}  // namespace vsim::app
