// What process/ needs from the operating system beyond plain POSIX file calls. linux.cpp implements it, and
// linux_launch.cpp the start of a program; a port implements this header again and touches nothing else.
// Decides nothing, calls nobody back. Used by process/ and its tests only.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "process/exit_cause.hpp"
#include "process/own_tmp.hpp"

namespace vsim::process {

// Columns and rows of a terminal.
struct WindowSize {
  unsigned short columns = 80;
  unsigned short rows = 24;
};

namespace os {

Error system_error(std::string_view what, int err);  // "what: " and the system's words for `err`

// Owns one file descriptor. Everything here hands out descriptors that are closed on exec.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}
  Fd& operator=(Fd&& o) noexcept {
    reset(std::exchange(o.fd_, -1));
    return *this;
  }
  ~Fd() { reset(); }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

struct Pipe {
  Fd read, write;
};
Result<Pipe> make_pipe();
Result<Pipe> make_socket_pair();  // both ends read and write
Result<Pipe> make_packet_pair();  // the same, of packets that keep their bounds
Fd open_null_device();

struct Pty {
  Fd master, slave;  // output passes unchanged (no "\n" to "\r\n"), nothing is echoed
};
Result<Pty> open_pty(WindowSize);
void resize_pty(int master, WindowSize);
// nullopt when fd is no terminal.
std::optional<WindowSize> terminal_size(int fd);

// One program to start. The new process gets: a session and a process group of its own (both ids are its
// pid) unless `own_session` is false, default signal dispositions, an empty signal mask, descriptors 0 to 2
// as given, `inherit` as 3, 4, …, and no other.
struct Launch {
  std::vector<std::string> argv;  // argv[0] is looked up in the PATH of `env` when it has no slash
  std::string program;            // if given, this file is run and argv[0] is only a name
  std::vector<std::string> env;
  std::string cwd;  // empty: ours
  int input = -1, output = -1, error = -1;
  std::vector<int> inherit;
  bool own_session = true;            // false: it stays in our session, process group and terminal
  bool controlling_terminal = false;  // `output` is a pty's slave and becomes the session's terminal
  bool die_with_parent = true;    // SIGKILL when the calling thread ends, however it went; the leader only
  int nice = 0;                   // added to our own niceness
  std::optional<OwnTmp> own_tmp;  // nullopt: ours
  unsigned descriptors = 0;       // the most that it and its descendants may have; 0: as the system lets us
};
// Returns when the program runs (its exec has succeeded) or with the reason why it does not.
Result<pid_t> launch(const Launch&);

// A descriptor that becomes readable when the process (a child of ours) has ended.
Result<Fd> open_exit_fd(pid_t);
// The cause if it has ended; the process stays a zombie, so that its pid and group id cannot be given to
// another.
std::optional<ExitCause> peek_exit(pid_t);
// Takes the zombie away. Never blocks.
void reap(pid_t);
// Whether launch() started it, or adopt() took it, and reap() has not taken it away.
bool launched_here(pid_t);
// A process that has become our child without launch().
void adopt(pid_t);

// As many open files and sockets as the system lets this process have: each request needs two. What launch()
// starts gets what we had before.
void raise_descriptor_limit();

// From now on orphaned descendants become our children instead of init's.
void adopt_orphans();

struct ProcessInfo {
  pid_t pid = 0, parent = 0, group = 0, session = 0;
  bool alive = false;  // false: a zombie
  std::uint64_t minor_faults = 0;
};
std::optional<ProcessInfo> inspect(pid_t);
// Direct children, of all threads; zombies included.
std::vector<pid_t> children_of(pid_t);
// Every process of the machine we can see. For the guardian, which has no tree to walk.
std::vector<ProcessInfo> all_processes();
// Whether an entry "NAME=value" of the environment the process was started with begins so. False for zombies
// and foreign processes.
bool started_with(pid_t, std::string_view entry_prefix);

// A path that runs our own program again, even when its file has been replaced or deleted meanwhile.
std::string own_program();
void set_process_name(const char* name);  // what `ps -o comm` and killall see; at most 15 bytes

}  // namespace os
}  // namespace vsim::process
