// Which of the app's lines are errors, for --quiet: by where they are written to, where that is known, and by
// what errors of Node and Next look like. What belongs to one, its stack and its code frame, goes with it.
// Pure.
#pragma once

#include <map>
#include <string>

#include "app/output_line.hpp"

namespace vsim::cli {

class AppErrors {
 public:
  bool shows(const app::OutputLine&);

 private:
  std::map<std::string, bool, std::less<>>
      inside_;  // by instance, "" is next dev: its last line was of an error
};

}  // namespace vsim::cli
