// Single keys of the person at the terminal of this program. While it lives the terminal hands over keys at
// once and does not show them; Ctrl-C, Ctrl-\ and Ctrl-Z do what they always do. The terminal is as it was
// when this is gone. I/O thread only.
#pragma once

#include <termios.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <functional>
#include <memory>

namespace vsim::app {

class Keyboard {
 public:
  // Null when standard input is no terminal, or when another program reads it: this one is a job in the
  // background, or is started by something that hands its own terminal on.
  static std::unique_ptr<Keyboard> open(boost::asio::io_context&, std::function<void(char)> pressed);
  ~Keyboard();
  Keyboard(const Keyboard&) = delete;
  Keyboard& operator=(const Keyboard&) = delete;

 private:
  Keyboard(boost::asio::io_context&, int terminal, const termios& before, std::function<void(char)> pressed);
  void take_keys();
  void read();
  void after_stop();

  boost::asio::posix::stream_descriptor
      terminal_;  // an opening of its own: reading does not change that of others
  boost::asio::signal_set continued_;
  termios before_;
  std::function<void(char)> pressed_;
  std::array<char, 64> bytes_{};
};

}  // namespace vsim::app
