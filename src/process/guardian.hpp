// A small process that outlives us: when vercel-sim is gone, however it went, it kills what was registered
// (frozen processes and grandchildren too) and removes the registered paths, well within a second. It is our
// own program run again ("vercel-sim __guardian"), in a session of its own, so a Ctrl-C or a kill of our
// process group does not reach it. It reads registrations from a socket and acts at its end of file; after a
// clean stop nothing is registered any more and it just leaves. Why run again and not only fork: no copy of
// our memory and descriptors stays alive, and `ps` shows what it is.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "process/os.hpp"

namespace vsim::process {

class Guardian {
 public:
  struct Options {
    std::string program = os::own_program();  // must call guardian_main() when argv[1] is "__guardian"
  };
  // Returns when the process exists (about a millisecond); it gets ready on its own.
  static Result<std::unique_ptr<Guardian>> start(Options);
  static Result<std::unique_ptr<Guardian>> start() { return start(Options()); }
  // Ends it; it cleans up what is still registered first. Waits for that a few hundred milliseconds at most.
  ~Guardian();
  Guardian(const Guardian&) = delete;
  Guardian& operator=(const Guardian&) = delete;

  // A process group (and session) to kill. Call unwatch before its leader is reaped: afterwards the number
  // may belong to another.
  void watch(pid_t group);
  void unwatch(pid_t group);
  // Everything whose initial environment has an entry that begins so is killed too: those that left their
  // group.
  void mark(std::string_view entry_prefix);
  // A file, or a directory with all it holds; links are removed and not followed.
  void remove_on_death(std::string_view path);
  void forget_path(std::string_view path);

  pid_t pid() const { return pid_; }

 private:
  Guardian() = default;
  Result<pid_t> launch();
  void send(std::string_view line);
  std::string all_registered() const;

  Options options_;
  pid_t pid_ = 0;
  os::Fd socket_;
  std::vector<std::string> registered_;  // the lines a new one is told when the guardian itself was killed
};

// The guardian's own main. Descriptor 0 is the socket.
int guardian_main(int argc, char** argv);

}  // namespace vsim::process
