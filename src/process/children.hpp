// What the rest of the program asks of child processes: to be started, watched, frozen and ended.
// supervisor.hpp does it with this machine's; a test plays them itself. Everything runs on the thread of one
// io_context; no call blocks on a child.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "process/environment.hpp"
#include "process/exit_cause.hpp"
#include "process/os.hpp"
#include "process/own_tmp.hpp"

namespace vsim::process {

enum class OutputStream : std::uint8_t { out, err };  // a pty merges both into `out`

struct SpawnOptions {
  enum class Output : std::uint8_t { pipes, pty };
  enum class Input : std::uint8_t {
    null_device,  // reads end of file at once
    open,  // never ends and never says anything: for programs that stop when their input ends (`tailwindcss
           // --watch`)
  };

  std::vector<std::string> argv;            // argv[0] without a slash is looked up in env's PATH
  Environment env = current_environment();  // whole; one variable of ours, VERCEL_SIM_CHILD, is added
  std::string cwd;                          // empty: ours
  Output output = Output::pipes;
  WindowSize window;  // of the pty
  Input input = Input::null_device;
  std::string first_input;        // what an open input says all the same, at once; at most 4 KiB
  std::vector<int> inherit;       // become descriptors 3, 4, … of the child; still owned by the caller
  int nice = 0;                   // 0 to 19: lower priority than ours
  std::optional<OwnTmp> own_tmp;  // where why_no_own_tmp() has nothing against it
  unsigned descriptors = 0;       // the most that it may have open; 0: as the system lets us
  // Stands in our place, as if the user had typed it: our session, process group, terminal and standard
  // descriptors. `output`, `window` and `input` mean nothing then, and nothing it writes is seen here. A
  // Ctrl-C in the terminal reaches it and us alike.
  bool in_place = false;
  bool keep_detached =
      false;  // leave alone what started a session of its own (a browser that the app opened)
};

struct ChildCallbacks {
  // Raw bytes as they were read. They may split lines and characters: see OutputLines.
  std::function<void(OutputStream, std::string_view)> output;
  // Exactly once, after the last output, when the child is reaped and its descendants are gone. The Child may
  // be destroyed in it.
  std::function<void(const ExitCause&)> exit;
};

// A process that somebody else starts for us, and that becomes our child by that (ForkServer): what it needs
// before it is there.
struct Coming {
  std::string mark;                         // "VERCEL_SIM_CHILD=…", to stand in its environment
  os::Fd input, output, error;              // its descriptors 0 to 2, to be closed here once it has them
  os::Fd input_end, output_end, error_end;  // ours
  pid_t pid = 0;                            // once it is there
};

// One running child. Destroying it while it runs kills it and everything it started, without a callback.
class Child {
 public:
  Child() = default;
  virtual ~Child() = default;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  virtual pid_t pid() const = 0;     // also its process group and session, unless it is in place
  virtual bool running() const = 0;  // the leader has not ended; a frozen one runs

  // SIGTERM to the whole group (a frozen one is continued, so that it can obey), SIGKILL to all that is left
  // after `grace`. Calling it again with a shorter grace moves the end forward. The exit callback tells when
  // it is done, never from inside this call.
  virtual void stop(std::chrono::milliseconds grace) = 0;
  virtual void kill() = 0;              // SIGKILL to all, now; frozen ones too
  virtual void signal(int signal) = 0;  // to the whole group; in place: to all its descendants
  virtual void freeze() = 0;            // SIGSTOP to all
  virtual void thaw() = 0;              // SIGCONT to all
  virtual void resize(WindowSize) = 0;  // of the pty; the kernel sends SIGWINCH
  virtual void lower() = 0;             // usage.hpp, all three
  virtual void raise() = 0;
  virtual void lower_for_good() = 0;
};

// How children start, and how all of them end.
class Children {
 public:
  Children() = default;
  virtual ~Children() = default;
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;

  // Returns once the program runs. No callback is called before this returns.
  virtual Result<std::unique_ptr<Child>> spawn(SpawnOptions, ChildCallbacks) = 0;

  // For a process to come; its input says nothing and never ends.
  virtual Result<Coming> expect() = 0;
  // It is there: a child of ours, or one that has become it, with a session of its own. `first_input` as
  // above. Also when it has ended meanwhile. Its output is not read before this.
  virtual Result<std::unique_ptr<Child>> adopt(Coming, std::string_view first_input, ChildCallbacks) = 0;

  // Stops every child, and orphans that no child accounts for, then calls `done` (also when there was nothing
  // to stop), never from inside this call. Exit callbacks of the children come before it. A second call with
  // a shorter grace hurries the first; each call's `done` is called.
  virtual void stop_all(std::chrono::milliseconds grace, std::function<void()> done) = 0;
};

}  // namespace vsim::process
