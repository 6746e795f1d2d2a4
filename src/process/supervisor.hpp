// Starts, watches and stops child processes; decides nothing. A child is a session of its own (but for
// `in_place`), so a Ctrl-C in our terminal does not reach it, and a stop reaches all of its descendants: its
// process group by one signal, those that left the group by walking the process tree (orphans come to us, see
// os::adopt_orphans). Everything runs on the thread of the io_context; no call blocks on a child.
// docs/decisions/0002-child-processes.md says what Boost.Process does here and what can escape.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string_view>

#include "process/children.hpp"

namespace boost::asio {
class io_context;
}

namespace vsim::process {

class Guardian;

class Supervisor final : public Children {
 public:
  // `guardian` (may be null) is told of every child, and must outlive the supervisor.
  explicit Supervisor(boost::asio::io_context&, Guardian* guardian = nullptr);
  ~Supervisor() override;  // children keep working without it

  Result<std::unique_ptr<Child>> spawn(SpawnOptions, ChildCallbacks) override;
  Result<Coming> expect() override;
  Result<std::unique_ptr<Child>> adopt(Coming, std::string_view first_input, ChildCallbacks) override;
  void stop_all(std::chrono::milliseconds grace, std::function<void()> done) override;

 private:
  struct Core;
  struct Process;
  class Handle;
  std::shared_ptr<Core> core_;
};

}  // namespace vsim::process
