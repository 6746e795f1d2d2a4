// What an emulator takes from the process and the machine that it runs in, beside clock, files and sockets.
// The program gives it this_machine(); a test gives what it likes.
#pragma once

#include <functional>
#include <string>

namespace vsim::app {

struct World {
  // By what the agent in `next dev` and we know each other: nobody else may guess it. Asked once in a run.
  std::function<std::string()> secret;
  // The signals of this process are the emulator's: they end it, and a reader that has left is an error code.
  // One emulator in a process at most.
  bool signals = true;
};

World this_machine();

}  // namespace vsim::app
