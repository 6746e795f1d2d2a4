#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <mutex>
#include <set>

#include "process/os.hpp"

namespace vsim::process::os {
namespace {

// Reads a whole small file of /proc. False when the process is gone or not ours to read.
bool read_file(const char* path, std::string& out, std::size_t limit) {
  Fd fd(::open(path, O_RDONLY | O_CLOEXEC));
  if (!fd) return false;
  out.clear();
  char buffer[8192];
  while (out.size() < limit) {
    const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    if (n == 0) break;
    out.append(buffer, static_cast<std::size_t>(n));
  }
  return true;
}

// Calls f with every entry of the directory that is a number: pids in /proc, tids in /proc/N/task.
template <class F>
void for_each_number(const char* directory, F f) {
  DIR* dir = ::opendir(directory);
  if (!dir) return;
  while (const dirent* e = ::readdir(dir)) {
    pid_t number = 0;
    const char* end = e->d_name + strlen(e->d_name);
    const auto r = std::from_chars(e->d_name, end, number);
    if (r.ec == std::errc() && r.ptr == end) f(number);
  }
  ::closedir(dir);
}

// The children of this process are a table of the whole process, like the kernel's own, whoever launched
// them.
struct Launched {
  std::mutex mutex;
  std::set<pid_t> pids;
};
Launched& launched() {
  static Launched table;
  return table;
}

Result<Pipe> make_pair(int type) {
  int fds[2];
  if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds) != 0)
    return system_error("cannot make a socket pair", errno);
  return Pipe{Fd(fds[0]), Fd(fds[1])};
}

}  // namespace

Error system_error(std::string_view what, int err) { return {fmt::format("{}: {}", what, strerror(err))}; }

void Fd::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Result<Pipe> make_pipe() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) return system_error("cannot make a pipe", errno);
  return Pipe{Fd(fds[0]), Fd(fds[1])};
}

Result<Pipe> make_socket_pair() { return make_pair(SOCK_STREAM); }
Result<Pipe> make_packet_pair() { return make_pair(SOCK_SEQPACKET); }

Fd open_null_device() { return Fd(::open("/dev/null", O_RDWR | O_CLOEXEC)); }

Result<Pty> open_pty(WindowSize size) {
  Pty pty;
  pty.master.reset(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!pty.master || ::grantpt(pty.master.get()) != 0 || ::unlockpt(pty.master.get()) != 0)
    return system_error("cannot open a pseudo terminal", errno);
  // Not by name: /dev/pts may be another one than the master's in a container.
  pty.slave.reset(::ioctl(pty.master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!pty.slave) return system_error("cannot open a pseudo terminal", errno);
  termios t;
  if (::tcgetattr(pty.slave.get(), &t) == 0) {
    t.c_oflag &= ~static_cast<tcflag_t>(ONLCR);
    t.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL);
    ::tcsetattr(pty.slave.get(), TCSANOW, &t);
  }
  resize_pty(pty.master.get(), size);
  return pty;
}

void resize_pty(int master, WindowSize size) {
  winsize w{};
  w.ws_col = size.columns;
  w.ws_row = size.rows;
  ::ioctl(master, TIOCSWINSZ, &w);
}

std::optional<WindowSize> terminal_size(int fd) {
  winsize w{};
  if (::isatty(fd) != 1 || ::ioctl(fd, TIOCGWINSZ, &w) != 0) return std::nullopt;
  WindowSize size;
  if (w.ws_col != 0) size.columns = w.ws_col;
  if (w.ws_row != 0) size.rows = w.ws_row;
  return size;
}

Result<Fd> open_exit_fd(pid_t pid) {
  Fd fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!fd) {
    Error e = system_error("cannot watch a child process", errno);
    if (errno == ENOSYS) e.fix = "Linux 5.3 or newer is needed";
    return e;
  }
  return fd;
}

std::optional<ExitCause> peek_exit(pid_t pid) {
  siginfo_t info{};
  int r;
  do r = ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT);
  while (r < 0 && errno == EINTR);
  if (r < 0) return CauseUnknown{};
  if (info.si_pid == 0) return std::nullopt;
  if (info.si_code == CLD_EXITED) return Exited{info.si_status};
  return Signaled{info.si_status, info.si_code == CLD_DUMPED};
}

void reap(pid_t pid) {
  const std::lock_guard lock(launched().mutex);
  int status;
  pid_t r;
  do r = ::waitpid(pid, &status, WNOHANG);
  while (r < 0 && errno == EINTR);
  if (r != 0) launched().pids.erase(pid);
}

bool launched_here(pid_t pid) {
  const std::lock_guard lock(launched().mutex);
  return launched().pids.contains(pid);
}

void adopt(pid_t pid) {
  const std::lock_guard lock(launched().mutex);
  launched().pids.insert(pid);
}

void adopt_orphans() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }

std::optional<ProcessInfo> inspect(pid_t pid) {
  std::string text;
  if (!read_file(fmt::format("/proc/{}/stat", pid).c_str(), text, 4096)) return std::nullopt;
  // "pid (name) state ppid pgrp session tty_nr tpgid flags minflt …"; the name may hold anything, parentheses
  // and spaces too.
  const std::size_t close = text.rfind(')');
  if (close == std::string::npos || close + 2 >= text.size()) return std::nullopt;
  ProcessInfo info;
  info.pid = pid;
  const char state = text[close + 2];
  info.alive = state != 'Z' && state != 'X';
  const char* at = text.data() + close + 3;
  const char* end = text.data() + text.size();
  std::array<std::int64_t, 7> fields{};
  for (std::int64_t& field : fields) {
    while (at < end && *at == ' ') ++at;
    const auto r = std::from_chars(at, end, field);
    if (r.ec != std::errc()) return std::nullopt;
    at = r.ptr;
  }
  info.parent = static_cast<pid_t>(fields[0]);
  info.group = static_cast<pid_t>(fields[1]);
  info.session = static_cast<pid_t>(fields[2]);
  info.minor_faults = static_cast<std::uint64_t>(fields[6]);
  return info;
}

std::vector<pid_t> children_of(pid_t pid) {
  std::vector<pid_t> out;
  bool supported = false;  // the file needs CONFIG_PROC_CHILDREN, which common kernels have
  std::string text;
  for_each_number(fmt::format("/proc/{}/task", pid).c_str(), [&](pid_t tid) {
    if (!read_file(fmt::format("/proc/{}/task/{}/children", pid, tid).c_str(), text, 1 << 20)) return;
    supported = true;
    const char* at = text.data();
    const char* end = at + text.size();
    while (at < end) {
      pid_t child = 0;
      const auto r = std::from_chars(at, end, child);
      if (r.ec != std::errc()) break;
      out.push_back(child);
      at = r.ptr;
      while (at < end && *at == ' ') ++at;
    }
  });
  if (!supported && ::access("/proc/self/task", R_OK) == 0 && ::kill(pid, 0) == 0) {
    for (const ProcessInfo& p : all_processes())
      if (p.parent == pid) out.push_back(p.pid);
  }
  return out;
}

std::vector<ProcessInfo> all_processes() {
  std::vector<ProcessInfo> out;
  for_each_number("/proc", [&](pid_t pid) {
    if (auto info = inspect(pid)) out.push_back(*info);
  });
  return out;
}

bool started_with(pid_t pid, std::string_view entry_prefix) {
  std::string text;
  if (!read_file(fmt::format("/proc/{}/environ", pid).c_str(), text, 4u << 20)) return false;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\0', at), text.size());
    if (std::string_view(text).substr(at, end - at).starts_with(entry_prefix)) return true;
    at = end + 1;
  }
  return false;
}

std::string own_program() { return "/proc/self/exe"; }

void set_process_name(const char* name) { ::prctl(PR_SET_NAME, name); }

}  // namespace vsim::process::os
