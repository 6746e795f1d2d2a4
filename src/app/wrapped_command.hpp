// The command that `vercel-sim test` wraps: a test runner, run in our place (its standard streams, terminal
// and directory are ours) once the app is ready. Starts it, passes interruptions on, gives up when the app
// does not get ready in time; its end is told once. Decides no exit code but the command's own. I/O thread
// only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/clock.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "process/children.hpp"

namespace vsim::app {

// What tests the app from inside our own process instead.
class InProcess {
 public:
  virtual ~InProcess() = default;
  // The app is ready at `base_url`. Once, on the I/O thread; `done` is called there, once, later, unless
  // stop() comes first.
  virtual void start(boost::asio::io_context& io, const std::string& base_url,
                     std::function<void()> done) = 0;
  virtual void interrupt() = 0;  // come to an end now; `done` is still called
  virtual void stop() = 0;       // touch nothing any more: the io context goes
};

struct CommandSpec {
  std::vector<std::string> argv;
  std::string name;                    // as typed, for people and events
  process::Environment env;            // whole, but for BASE_URL and PORT
  Duration ready_timeout{};            // from our start to the app's being ready
  std::shared_ptr<InProcess> program;  // not null: this, and no command
};

// How it ended; what `test` says and reports.
struct CommandEnd {
  process::ExitCause cause;
  Duration took{};
  int interrupted_by = 0;  // the signal that ended the whole run; 0: it ended by itself
  // The command's own code; 128 + n when a signal ended it or the run.
  int exit_code() const;
};

class WrappedCommand : private OnClock {
 public:
  struct Callbacks {
    std::function<void()> never_ready;           // the time is over
    std::function<void(const CommandEnd&)> end;  // exactly once after a start() that succeeded
  };
  WrappedCommand(boost::asio::io_context& io, CommandSpec spec, Callbacks callbacks);
  ~WrappedCommand();

  void expect_ready();  // the time begins
  void app_is_ready();  // and ends, although the command does not start yet
  // The app is ready. Once.
  Result<bool> start(process::Children&, const std::string& base_url, std::uint16_t port);
  bool started() const { return started_; }
  // SIGINT, SIGTERM or SIGHUP came to us. `from_terminal`: the kernel gave it to the whole foreground group,
  // so the command has it already. False when the command does not run: then the caller stops.
  bool interrupted(int signal, bool from_terminal);

 private:
  void ended(const process::ExitCause&);

  boost::asio::io_context& io_;
  CommandSpec spec_;
  Callbacks callbacks_;
  std::unique_ptr<process::Child> child_;
  Timer timer_;
  TimePoint began_{};
  bool started_ = false, program_runs_ = false;
  int interrupted_by_ = 0;
};

}  // namespace vsim::app
