// Single keys of the person at the terminal of this program. While it lives the terminal hands over keys at
// once and does not show them; Ctrl-C, Ctrl-\ and Ctrl-Z do what they always do. The terminal is as it was
// when this is gone. I/O thread only.
#pragma once

#include <termios.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>

namespace vsim::app {

class Keyboard {
 public:
  // False when standard input is no terminal, or when another program reads it: this one is a job in the
  // background, or is started by something that hands its own terminal on.
  static bool is_ours();
  // Null when it is not ours.
  static std::unique_ptr<Keyboard> open(boost::asio::io_context&, std::function<void(char)> pressed);
  ~Keyboard();
  // Once more, after the shell had the terminal: no signal tells of that. To be called now and then.
  void take_keys();
  Keyboard(const Keyboard&) = delete;
  Keyboard& operator=(const Keyboard&) = delete;

 private:
  Keyboard(boost::asio::io_context&, int terminal, const termios& before, std::function<void(char)> pressed);
  void read();

  // An opening of its own: reading it does not change that of others.
  boost::asio::posix::stream_descriptor terminal_;
  termios before_;
  std::function<void(char)> pressed_;
  std::array<char, 64> bytes_{};
  bool reading_ = false;
};

}  // namespace vsim::app
