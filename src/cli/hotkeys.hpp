// The keys of `run` on a terminal.
#pragma once

#include <string>

namespace vsim::cli {

enum class Hotkey { none, help, open, deploy, restart, plan, set, retire, time_scale, clear, quit };
Hotkey hotkey_of(char key);
std::string hotkeys_help();

// A line that is typed key by key, and shown as it is typed.
class TypedLine {
 public:
  enum class End { not_yet, enter, given_up };  // given_up: an empty line, or Ctrl-D
  End take(char key);
  const std::string& text() const { return text_; }
  // What the terminal shows of the last key.
  const std::string& echo() const { return echo_; }

 private:
  std::string text_, echo_;
};
// Opens `url` in the person's browser: $BROWSER, else what the desktop has. False when there is none.
bool open_browser(const std::string& url);

}  // namespace vsim::cli
