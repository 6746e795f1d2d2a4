// The supervisor's inside, shared by supervisor.cpp (all of them) and supervised.cpp (one of them) only.
#pragma once

#include <unistd.h>

#include <array>
#include <boost/asio.hpp>
#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "process/guardian.hpp"
#include "process/supervisor.hpp"

namespace vsim::process {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// After SIGKILL a process is gone within milliseconds, unless it hangs in the kernel (a dead NFS mount): then
// we stop waiting.
inline constexpr milliseconds kKillPatience{2000};
inline constexpr milliseconds kFirstLook{1}, kLastLook{20};  // between two looks at what is left, doubling

struct Supervisor::Core : std::enable_shared_from_this<Supervisor::Core> {
  Core(asio::io_context& io_in, Guardian* guardian_in)
      : io(io_in), guardian(guardian_in), deaths(io), timer(io) {}

  void watch_deaths();
  // Our children that we did not start: descendants of a child whose parent died. Zombies among them are
  // reaped on the way.
  std::vector<os::ProcessInfo> orphans();
  void check_stopped();

  asio::io_context& io;
  Guardian* guardian;
  std::string run;  // begins the mark of every child of this supervisor
  std::uint64_t next_child = 1;
  pid_t own_session = ::getsid(0);
  bool shares_session = false;  // a child was started in place: orphans of our own session are ours too
  std::map<pid_t, Process*> children;  // by pid, until reaped
  asio::signal_set deaths;
  asio::steady_timer timer;
  std::vector<std::function<void()>> when_stopped;
  steady_clock::time_point give_up;
};

struct Supervisor::Process : std::enable_shared_from_this<Process> {
  // running ──(leader ends)──► ending: waits for its descendants ──► done: reaped, exit told
  enum class State { running, ending, done };

  Process(std::shared_ptr<Supervisor::Core> core_in, ChildCallbacks callbacks_in)
      : core(std::move(core_in)),
        callbacks(std::move(callbacks_in)),
        out(core->io),
        err(core->io),
        exit_fd(core->io),
        timer(core->io) {}
  ~Process();

  Result<bool> watch(pid_t, os::Fd out_end, os::Fd err_end);
  void begin();
  void read(OutputStream);
  bool read_once(OutputStream);
  void drain(OutputStream);
  void on_leader_end();
  void look();  // in `ending`: is anything left?
  void look_after(milliseconds);
  void finish();
  std::set<pid_t> outsiders();  // descendants of the living leader that are not in its group
  std::vector<pid_t> leftovers();
  void signal_all(int signal);
  void stop(milliseconds grace);
  void kill();
  asio::posix::stream_descriptor& descriptor(OutputStream s) { return s == OutputStream::out ? out : err; }

  std::shared_ptr<Supervisor::Core> core;
  ChildCallbacks callbacks;
  bool muted = false;  // the Child object is gone
  pid_t pid = 0;
  std::string mark;
  bool keep_detached = false;
  bool is_pty = false;
  bool in_place = false;
  State state = State::running;
  bool stopping = false;
  steady_clock::time_point kill_at = steady_clock::time_point::max();
  milliseconds next_look = kFirstLook;
  ExitCause cause;
  std::set<pid_t> strays;  // seen below the leader outside its group
  asio::posix::stream_descriptor out, err, exit_fd;
  os::Fd input;  // kept open for Input::open
  asio::steady_timer timer;
  std::array<char, 16UL * 1024> buffer;
};

}  // namespace vsim::process
