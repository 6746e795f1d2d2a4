// A process that makes copies of itself when it is told to: a Node process that has everything loaded
// (src/agent/instance/copying.cjs, src/agent/fork.c), a child that is started for it or one that is there.
// The copies are children of ours like those that the supervisor starts: their causes of death, groups,
// output and input are ours alone. Decides nothing. I/O thread only.
// docs/decisions/0012-instances-are-forks.md has the why.
//
// The wire, packets on a socket that is the child's descriptor 3:
//   R                      from the child: it can be copied from now on
//   <word>                 to it, before that: what it waits for (src/agent/instance/ahead.cjs)
//   <n> <text>             to it, with the descriptors that become 0, 1 and 2 of the copy, and 3, such a
//   socket,
//                          if it may be copied itself; the copy gets the text too
//   P <n> <pid>            from it: the copy stands, in a session of its own
//   E <n> <errno>          from it: there is none
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "process/children.hpp"

namespace vsim::process {

class ForkServer {
 public:
  struct Callbacks {
    std::function<void(OutputStream, std::string_view)> output;
    std::function<void()> ready;
    // It is gone, by itself or not. Every fork that was asked for has been answered before. May destroy it.
    std::function<void(const ExitCause&)> ended;
  };
  // A copy that stands, before it is anybody's: adopt() it, or it is killed.
  using Answer = std::function<void(Result<Coming>)>;

  // `options.inherit` must be empty.
  static Result<std::unique_ptr<ForkServer>> start(boost::asio::io_context&, Children&, SpawnOptions,
                                                   Callbacks);
  // The same by a child of somebody else's, on our end of the socket that is its descriptor 3. Of the
  // callbacks only `ready` is called, and only end() answers what is open when the child has ended.
  static Result<std::unique_ptr<ForkServer>> over(boost::asio::io_context&, Children&, os::Fd socket,
                                                  Callbacks);
  ~ForkServer();  // kills the child that it has started, not its copies; nothing is called back
  ForkServer(const ForkServer&) = delete;
  ForkServer& operator=(const ForkServer&) = delete;

  bool ready() const;
  pid_t pid() const;  // of the child that it has started
  // A word that it waits for before it is ready; at most 4 KiB. False: it does not take it.
  bool tell(std::string_view word);
  void end();  // there is nobody any more: all that was asked is answered so
  // `text` is asked for the mark that must stand in the copy's environment; at most 32 KiB. Never calls back
  // from inside this call.
  // `orders`: the copy's own descriptor 3; stays the caller's.
  void fork(const std::function<std::string(std::string_view mark)>& text, Answer, int orders = -1);

 private:
  struct Impl;
  explicit ForkServer(std::shared_ptr<Impl>);
  std::shared_ptr<Impl> impl_;
};

}  // namespace vsim::process
