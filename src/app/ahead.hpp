// A pipe on which the command `next dev` says what its server will be, before it has started it
// (src/agent/dev/ahead.cjs): by name, since nothing else is written at once by a program that is still being
// loaded. The first line counts, and after it nobody is heard. I/O thread only; the isolation shell owns it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>
#include <string>

#include "agent/control.hpp"

namespace vsim::app {

class AheadPipe {
 public:
  // Null: it cannot be made, and there is no need of it.
  static std::unique_ptr<AheadPipe> make(boost::asio::io_context&, std::string path,
                                         std::function<void(const agent::Ahead&)> told);
  ~AheadPipe();
  const std::string& path() const { return path_; }

 private:
  AheadPipe(boost::asio::io_context&, std::string path, int fd,
            std::function<void(const agent::Ahead&)> told);
  void read();

  boost::asio::posix::stream_descriptor pipe_;
  std::string path_, line_;
  std::function<void(const agent::Ahead&)> told_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();  // a wait that has ended may be heard after us
};

}  // namespace vsim::app
