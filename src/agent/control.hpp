// The control channel between vercel-sim and the agent inside `next dev`: a unix socket in the run directory,
// one JSON object a line (docs/agent-protocol.md). Takes the lines apart and calls the handler; decides
// nothing. I/O thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"

namespace boost::asio {
class io_context;
}

namespace vsim::agent {

// What Next's own evaluated configuration says; absent: the agent could not tell.
struct AppConfig {
  std::optional<std::string> base_path;
  std::optional<std::vector<std::string>> page_extensions;
};

class ControlHandler {
 public:
  virtual void on_hello(int pid, std::string_view next_version, std::string_view bundler,
                        const std::vector<std::string>& missing_hooks) = 0;
  virtual void on_listening() = 0;
  virtual void on_config(const AppConfig&) = 0;
  virtual void on_dispatch(InvocationId, std::string_view page, std::string_view kind,
                           std::string_view runtime, bool is_static) = 0;
  virtual void on_compile(InvocationId, bool ended) = 0;
  virtual void on_handler(InvocationId) = 0;
  virtual void on_compiled(std::string_view page, double ms) = 0;  // for the terminal
  virtual void on_problem(std::string_view message) = 0;           // the channel itself: junk, a wrong token
  virtual void on_closed() = 0;

 protected:
  ~ControlHandler() = default;
};

class ControlChannel {
 public:
  // `handler` and `io` must outlive it.
  ControlChannel(boost::asio::io_context& io, ControlHandler& handler, std::string token);
  ~ControlChannel();
  Result<bool> listen(const std::string& socket_path);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

// One line, for ControlChannel and its tests. False when it is not one the protocol knows; unknown types and
// fields are ignored and true.
bool deliver(std::string_view line, ControlHandler& handler);

}  // namespace vsim::agent
