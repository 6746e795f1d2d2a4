#include "cli/hotkeys.hpp"

#include <sys/wait.h>

#include <utility>

#include "process/environment.hpp"
#include "process/os.hpp"

namespace vsim::cli {

Hotkey hotkey_of(char key) {
  static constexpr std::pair<char, Hotkey> kKeys[] = {
      {'h', Hotkey::help},    {'?', Hotkey::help},   {'o', Hotkey::open},
      {'r', Hotkey::restart}, {'d', Hotkey::deploy}, {'p', Hotkey::plan},
      {'s', Hotkey::set},     {'i', Hotkey::retire}, {'t', Hotkey::time_scale},
      {'c', Hotkey::clear},   {'q', Hotkey::quit},   {'\x04', Hotkey::quit}};  // Ctrl-D
  for (const auto& [one, hotkey] : kKeys)
    if (one == key) return hotkey;
  return Hotkey::none;
}

std::string hotkeys_help() {
  return "\n  h  this text\n  o  open the app in the browser\n  d  a new deployment, under open sockets and "
         "streams: who comes back?\n  r  restart the app, and with it every "
         "instance\n"
         "  p  the next plan: hobby, hobby-fluid, pro, … (requests under way keep their limits)\n"
         "  s  set one limit: type it, such as duration.default=5s\n"
         "  i  retire all instances: each function gets a fresh one\n"
         "  t  time scale: 1x, 2x, 5x, 10x\n"
         "  c  clear the screen\n  q  quit (as Ctrl-C)\n\n";
}

TypedLine::End TypedLine::take(char key) {
  constexpr std::size_t kLongest = 200;
  echo_.clear();
  const auto erase = [&] {
    text_.pop_back();
    echo_ += "\b \b";
  };
  switch (key) {
    case '\n':
    case '\r':
      echo_ = "\n";
      return text_.empty() ? End::given_up : End::enter;
    case '\x7f':
    case '\b':
      if (!text_.empty()) erase();
      return End::not_yet;
    case '\x15':  // Ctrl-U
      while (!text_.empty()) erase();
      return End::not_yet;
    case '\x04':  // Ctrl-D
      echo_ = "\n";
      return End::given_up;
    default:
      // Keys and values are ASCII.
      if (key > ' ' && key < '\x7f' && text_.size() < kLongest) {
        text_ += key;
        echo_ = key;
      }
      return End::not_yet;
  }
}

bool open_browser(const std::string& url) {
  // $BROWSER may name several, with colons between them. In WSL the browser is Windows' own. The shell is
  // over at once; what it has started is nobody's child.
  constexpr const char* kScript = R"(url=$1
try() {
  command -v "$1" >/dev/null 2>&1 || return
  "$@" </dev/null >/dev/null 2>&1 &
  exit 0
}
IFS=:
for one in $BROWSER; do try "$one" "$url"; done
case $(uname -sr) in
  Darwin*) try open "$url" ;;
  *icrosoft*) try wslview "$url"; try rundll32.exe url.dll,FileProtocolHandler "$url" ;;
esac
try xdg-open "$url"
exit 127
)";
  process::os::Launch launch;
  launch.argv = {"/bin/sh", "-c", kScript, "sh", url};
  launch.env = process::current_environment();
  launch.die_with_parent = false;
  const process::os::Fd null = process::os::open_null_device();
  launch.input = launch.output = launch.error = null.get();
  const auto pid = process::os::launch(launch);
  int status = 1;
  return pid && ::waitpid(*pid, &status, 0) == *pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace vsim::cli
