// A child that makes copies of itself when it is told to: a Node process that has everything loaded
// (src/agent/copying.cjs, src/agent/fork.c). The copies are children of ours like those that the supervisor
// starts: their causes of death, groups, output and input are ours alone. Decides nothing. I/O thread only.
// docs/decisions/0012-instances-are-forks.md has the why.
//
// The wire, packets on a socket that is the child's descriptor 3:
//   R                      from the child: it can be copied from now on
//   <n> <text>             to it, with the descriptors that become 0, 1 and 2 of the copy, which also gets
//   the text P <n> <pid>            from it: the copy stands, in a session of its own E <n> <errno> from it:
//   there is none
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "process/supervisor.hpp"

namespace vsim::process {

class ForkServer {
 public:
  struct Callbacks {
    std::function<void(Stream, std::string_view)> output;
    std::function<void()> ready;
    // It is gone, by itself or not. Every fork that was asked for has been answered before. May destroy it.
    std::function<void(const ExitCause&)> ended;
  };
  // A copy that stands, before it is anybody's: adopt() it, or it is killed.
  using Answer = std::function<void(Result<Coming>)>;

  // `options.inherit` must be empty.
  static Result<std::unique_ptr<ForkServer>> start(boost::asio::io_context&, Supervisor&, SpawnOptions,
                                                   Callbacks);
  ~ForkServer();  // kills the child, not its copies; nothing is called back
  ForkServer(const ForkServer&) = delete;
  ForkServer& operator=(const ForkServer&) = delete;

  bool ready() const;
  pid_t pid() const;
  // `text` is asked for the mark that must stand in the copy's environment; at most 32 KiB. Never calls back
  // from inside this call.
  void fork(const std::function<std::string(std::string_view mark)>& text, Answer);

 private:
  struct Impl;
  explicit ForkServer(std::shared_ptr<Impl>);
  std::shared_ptr<Impl> impl_;
};

}  // namespace vsim::process
