#include "cli/hotkeys.hpp"

#include <sys/wait.h>

#include <cstdlib>

#include "process/environment.hpp"
#include "process/os.hpp"

namespace vsim::cli {

Hotkey hotkey_of(char key) {
  switch (key) {
    case 'h':
    case '?':
      return Hotkey::help;
    case 'o':
      return Hotkey::open;
    case 'r':
      return Hotkey::restart;
    case 'c':
      return Hotkey::clear;
    case 'q':
    case '\x04':
      return Hotkey::quit;  // Ctrl-D
    default:
      return Hotkey::none;
  }
}

std::string hotkeys_help() {
  return "\n  h  this text\n  o  open the app in the browser\n  r  restart the app, and with it every "
         "instance\n"
         "  c  clear the screen\n  q  quit (as Ctrl-C)\n\n";
}

bool open_browser(const std::string& url) {
  const char* chosen = std::getenv("BROWSER");
  process::os::Launch launch;
  // The shell is over at once; what it has started is nobody's child.
  launch.argv = {"/bin/sh",
                 "-c",
                 "command -v \"$1\" >/dev/null 2>&1 || exit 127; \"$1\" \"$2\" </dev/null >/dev/null 2>&1 &",
                 "sh",
                 chosen != nullptr && *chosen != '\0' ? chosen : "xdg-open",
                 url};
  launch.env = process::current_environment();
  launch.die_with_parent = false;
  const process::os::Fd null = process::os::open_null_device();
  launch.input = launch.output = launch.error = null.get();
  const auto pid = process::os::launch(launch);
  int status = 1;
  return pid && ::waitpid(*pid, &status, 0) == *pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace vsim::cli
