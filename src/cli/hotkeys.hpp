// The keys of `run` on a terminal.
#pragma once

#include <string>

namespace vsim::cli {

enum class Hotkey { none, help, open, deploy, restart, plan, retire, time_scale, clear, quit };
Hotkey hotkey_of(char key);
std::string hotkeys_help();
// Opens `url` in the person's browser: $BROWSER, else what the desktop has. False when there is none.
bool open_browser(const std::string& url);

}  // namespace vsim::cli
