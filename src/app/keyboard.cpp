#include "app/keyboard.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <csignal>
#include <string_view>
#include <utility>

namespace vsim::app {
namespace {

// An arrow or a function key is several bytes, and no key of ours: "ESC [ A", "ESC O P", "ESC [ 1 5 ~".
std::size_t escape_length(std::string_view keys) {
  if (keys.front() != '\x1b') return 0;
  if (keys.size() < 2 || (keys[1] != '[' && keys[1] != 'O')) return 1;
  std::size_t end = 2;
  while (end < keys.size() && !(keys[end] >= '@' && keys[end] <= '~')) ++end;
  return std::min(end + 1, keys.size());
}

}  // namespace

bool Keyboard::is_ours() { return ::isatty(STDIN_FILENO) == 1 && ::tcgetpgrp(STDIN_FILENO) == ::getpgrp(); }

std::unique_ptr<Keyboard> Keyboard::open(boost::asio::io_context& io, std::function<void(char)> pressed) {
  char name[256];
  termios before{};
  if (!is_ours() || ::tcgetattr(STDIN_FILENO, &before) != 0 ||
      ::ttyname_r(STDIN_FILENO, name, sizeof name) != 0)
    return nullptr;
  const int terminal = ::open(name, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (terminal < 0) return nullptr;
  return std::unique_ptr<Keyboard>(new Keyboard(io, terminal, before, std::move(pressed)));
}

Keyboard::Keyboard(boost::asio::io_context& io, int terminal, const termios& before,
                   std::function<void(char)> pressed)
    : terminal_(io, terminal), before_(before), pressed_(std::move(pressed)) {
  // Who reads a terminal in the background is stopped, unless he asks for an error instead.
  std::signal(SIGTTIN, SIG_IGN);
  take_keys();
}

Keyboard::~Keyboard() {
  if (::tcgetpgrp(terminal_.native_handle()) == ::getpgrp())
    ::tcsetattr(terminal_.native_handle(), TCSANOW, &before_);
}

void Keyboard::take_keys() {
  const int fd = terminal_.native_handle();
  termios now{};
  // In the background they are another's.
  if (::tcgetpgrp(fd) != ::getpgrp() || ::tcgetattr(fd, &now) != 0) return;
  if ((now.c_lflag & (ICANON | ECHO)) != 0) {
    now.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    now.c_cc[VMIN] = 1;
    now.c_cc[VTIME] = 0;
    ::tcsetattr(fd, TCSANOW, &now);
  }
  if (!std::exchange(reading_, true)) read();
}

void Keyboard::read() {
  terminal_.async_read_some(boost::asio::buffer(bytes_),
                            [this](boost::system::error_code error, std::size_t n) {
                              if (error == boost::asio::error::operation_aborted)
                                return;  // it is gone, or we are
                              if (error) {
                                reading_ = false;  // in the background, until the terminal is ours again
                                return;
                              }
                              std::string_view keys(bytes_.data(), n);
                              while (!keys.empty()) {
                                const std::size_t skipped = escape_length(keys);
                                if (skipped == 0) pressed_(keys.front());
                                keys.remove_prefix(skipped == 0 ? 1 : skipped);
                              }
                              read();
                            });
}

}  // namespace vsim::app
