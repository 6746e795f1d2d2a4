#include "app/keyboard.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
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

std::unique_ptr<Keyboard> Keyboard::open(boost::asio::io_context& io, std::function<void(char)> pressed) {
  char name[256];
  termios before{};
  if (::isatty(STDIN_FILENO) != 1 || ::tcgetpgrp(STDIN_FILENO) != ::getpgrp() ||
      ::tcgetattr(STDIN_FILENO, &before) != 0 || ::ttyname_r(STDIN_FILENO, name, sizeof name) != 0)
    return nullptr;
  const int terminal = ::open(name, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (terminal < 0) return nullptr;
  return std::unique_ptr<Keyboard>(new Keyboard(io, terminal, before, std::move(pressed)));
}

Keyboard::Keyboard(boost::asio::io_context& io, int terminal, const termios& before,
                   std::function<void(char)> pressed)
    : terminal_(io, terminal), continued_(io, SIGCONT), before_(before), pressed_(std::move(pressed)) {
  take_keys();
  read();
  after_stop();
}

Keyboard::~Keyboard() {
  if (::tcgetpgrp(terminal_.native_handle()) == ::getpgrp())
    ::tcsetattr(terminal_.native_handle(), TCSANOW, &before_);
}

void Keyboard::take_keys() {
  if (::tcgetpgrp(terminal_.native_handle()) != ::getpgrp()) return;  // it would stop us
  termios keys = before_;
  keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  keys.c_cc[VMIN] = 1;
  keys.c_cc[VTIME] = 0;
  ::tcsetattr(terminal_.native_handle(), TCSANOW, &keys);
}

void Keyboard::read() {
  terminal_.async_read_some(boost::asio::buffer(bytes_),
                            [this](boost::system::error_code error, std::size_t n) {
                              if (error) return;  // the terminal is gone, or we are
                              std::string_view keys(bytes_.data(), n);
                              while (!keys.empty()) {
                                const std::size_t skipped = escape_length(keys);
                                if (skipped == 0) pressed_(keys.front());
                                keys.remove_prefix(skipped == 0 ? 1 : skipped);
                              }
                              read();
                            });
}

// Whoever stops a job gives the terminal back as it was before.
void Keyboard::after_stop() {
  continued_.async_wait([this](boost::system::error_code error, int) {
    if (error) return;
    take_keys();
    after_stop();
  });
}

}  // namespace vsim::app
