// What the app writes, as it is handed to whoever shows it.
#pragma once

#include <string_view>

namespace vsim::app {

struct OutputLine {
  std::string_view text;  // with its end, and what it begins with when an instance wrote it: "[i3] "
  bool error =
      false;  // written to standard error; false too where that is not known (a terminal has one stream)
  std::string_view instance = {};  // that wrote it; empty: next dev, or what runs in its place
};

}  // namespace vsim::app
