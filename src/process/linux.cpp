#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <mutex>
#include <set>

#include "process/clone.hpp"
#include "process/environment.hpp"
#include "process/find_program.hpp"
#include "process/os.hpp"
#include "process/own_tmp_child.hpp"

namespace vsim::process::os {
namespace {

Error system_error(std::string_view what, int err) { return {fmt::format("{}: {}", what, strerror(err))}; }

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

// The descriptor itself, or a copy of it that is at least `least`, so that placing others cannot overwrite
// it.
struct Lifted {
  Fd owned;
  int fd = -1;
};
bool lift(int fd, int least, Lifted& out) {
  out.fd = fd;
  if (fd >= least) return true;
  out.owned.reset(::fcntl(fd, F_DUPFD_CLOEXEC, least));
  out.fd = out.owned.get();
  return out.fd >= 0;
}

enum class Stage : int { terminal, descriptors, tmp, cwd, exec };
struct Failure {
  Stage stage;
  int err;
};

// The child shares our memory until its exec (CLONE_VM), while we stand still (CLONE_VFORK), as in
// posix_spawn: a plain fork copies the page tables, which took 36 ms at 200 MB resident, on the I/O thread.
// So it may only make system calls, on a stack of its own, and change no memory of ours but errno.
#define VSIM_IN_CHILD __attribute__((no_sanitize("address", "undefined", "thread")))

// What it needs, laid out before.
struct Prepared {
  const char* program;
  char* const* argv;
  char* const* env;
  const char* cwd;
  int stdio[3];
  const int* inherit;
  int inherit_count;
  int report;  // write end of the pipe that tells the parent why there was no exec; closed by a successful
               // one
  bool own_session;
  bool controlling_terminal;
  bool die_with_parent;
  int nice;
  rlim_t descriptors;       // the soft limit; 0: as ours
  bool is_bound;            // the hard one too
  const vsim_own_tmp* tmp;  // null: ours
  pid_t parent;
};

// Our own soft limit before raise_descriptor_limit().
rlim_t& descriptors_before() {
  static rlim_t limit = 0;
  return limit;
}

[[noreturn]] VSIM_IN_CHILD void fail_in_child(const Prepared& p, Stage stage) {
  const Failure failure{stage, errno};
  ssize_t n = ::write(p.report, &failure, sizeof failure);
  static_cast<void>(n);
  ::_exit(127);
}

[[noreturn]] VSIM_IN_CHILD void run_child(const Prepared& p) {
  if (p.die_with_parent) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != p.parent) ::_exit(127);  // it went before we asked
  }
  if (p.own_session) ::setsid();
  // SIG_DFL, no flags, an empty mask, as the kernel has them. Not by sigaction(): ThreadSanitizer's notes
  // what it is given in our memory, and would deliver no signal to us any more.
  static constexpr unsigned long kByDefault[4] = {};
  for (int s = 1; s < NSIG; ++s) ::syscall(SYS_rt_sigaction, s, kByDefault, nullptr, NSIG / 8);
  if (p.controlling_terminal && ::ioctl(p.stdio[1], TIOCSCTTY, 0) != 0) fail_in_child(p, Stage::terminal);
  for (int i = 0; i < 3; ++i)
    if (::dup2(p.stdio[i], i) < 0) fail_in_child(p, Stage::descriptors);
  for (int i = 0; i < p.inherit_count; ++i)
    if (::dup2(p.inherit[i], 3 + i) < 0) fail_in_child(p, Stage::descriptors);
  // Asio opens its sockets without close-on-exec, so everything else is closed here. Linux 5.9; before it the
  // flag is the only guard.
  const unsigned first = 3u + static_cast<unsigned>(p.inherit_count);
  const unsigned report = static_cast<unsigned>(p.report);
  if (report > first) ::syscall(SYS_close_range, first, report - 1, 0u);
  ::syscall(SYS_close_range, report + 1, ~0u, 0u);
  rlimit limit{};
  if (p.descriptors != 0 && ::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = p.descriptors < limit.rlim_max ? p.descriptors : limit.rlim_max;
    if (p.is_bound) limit.rlim_max = limit.rlim_cur;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  if (p.nice != 0) ::setpriority(PRIO_PROCESS, 0, ::getpriority(PRIO_PROCESS, 0) + p.nice);
  // Of the disk as it was, an instance finds the descriptor.
  int all = -1;
  if (p.tmp && vsim_take_own_tmp(p.tmp, &all) != nullptr) fail_in_child(p, Stage::tmp);
  if (p.tmp && p.tmp->disk && p.tmp->in_user_namespace && vsim_may_mount_only(1) != 0)
    fail_in_child(p, Stage::tmp);
  if (p.cwd && ::chdir(p.cwd) != 0) fail_in_child(p, Stage::cwd);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(p.program, p.argv, p.env);
  fail_in_child(p, Stage::exec);
}

VSIM_IN_CHILD int run_cloned_child(void* prepared) { run_child(*static_cast<const Prepared*>(prepared)); }

Error explain(const Launch& l, const std::string& program, Failure f) {
  const std::string& name = l.argv.front();
  switch (f.stage) {
    case Stage::terminal:
      return system_error(fmt::format("cannot start {}: no terminal for it", name), f.err);
    case Stage::descriptors:
      return system_error(fmt::format("cannot start {}: no descriptors for it", name), f.err);
    case Stage::tmp:
      return system_error(fmt::format("cannot start {}: no /tmp of its own for it", name), f.err);
    case Stage::cwd:
      return system_error(fmt::format("cannot start {} in {}", name, l.cwd), f.err);
    case Stage::exec:
      break;
  }
  if (f.err == ENOENT)
    return {fmt::format("cannot start {}: the interpreter named in the first line of {} does not exist", name,
                        program),
            "correct its #! line, or install what it names"};
  if (f.err == ENOEXEC)
    return {
        fmt::format("cannot start {}: {} is neither a program nor a script with a #! line", name, program),
        "run it through its interpreter, such as sh or node"};
  if (f.err == E2BIG)
    return {fmt::format("cannot start {}: arguments and environment are too long", name), {}};
  return system_error(fmt::format("cannot start {}", name), f.err);
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> out;
  out.reserve(strings.size() + 1);
  for (const std::string& s : strings) out.push_back(const_cast<char*>(s.c_str()));
  out.push_back(nullptr);
  return out;
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

// A process that ignores SIGCHLD (some parents leave it so) has its children reaped by the kernel, and their
// causes of death with them.
void want_child_deaths() {
  struct sigaction now;
  if (::sigaction(SIGCHLD, nullptr, &now) != 0) return;
  const bool ignored = !(now.sa_flags & SA_SIGINFO) && now.sa_handler == SIG_IGN;
  if (!ignored && !(now.sa_flags & SA_NOCLDWAIT)) return;
  if (ignored) now.sa_handler = SIG_DFL;
  now.sa_flags &= ~SA_NOCLDWAIT;
  ::sigaction(SIGCHLD, &now, nullptr);
}

}  // namespace

void Fd::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Result<Pipe> make_pipe() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) return system_error("cannot make a pipe", errno);
  return Pipe{Fd(fds[0]), Fd(fds[1])};
}

Result<Pipe> make_socket_pair() {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
    return system_error("cannot make a socket pair", errno);
  return Pipe{Fd(fds[0]), Fd(fds[1])};
}

Result<Pipe> make_packet_pair() {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0)
    return system_error("cannot make a socket pair", errno);
  return Pipe{Fd(fds[0]), Fd(fds[1])};
}

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

Result<pid_t> launch(const Launch& l) {
  if (l.argv.empty() || l.argv.front().empty()) return Error{"cannot start a command: it is empty", {}};
  if (!l.cwd.empty()) {
    struct stat st;
    if (::stat(l.cwd.c_str(), &st) != 0 || !S_ISDIR(st.st_mode))
      return Error{fmt::format("cannot start {}: the directory {} does not exist", l.argv.front(), l.cwd),
                   {}};
  }
  const auto program =
      l.program.empty() ? find_program(l.argv.front(), l.env, l.cwd) : Result<std::string>(l.program);
  if (!program) return program.error();
  auto report = make_pipe();
  if (!report) return report.error();

  const int least = 3 + static_cast<int>(l.inherit.size());
  Lifted stdio[3], report_end;
  std::vector<Lifted> inherit(l.inherit.size());
  bool lifted = lift(l.input, least, stdio[0]) && lift(l.output, least, stdio[1]) &&
                lift(l.error, least, stdio[2]) && lift(report->write.get(), least, report_end);
  std::vector<int> inherit_fds;
  for (std::size_t i = 0; lifted && i < inherit.size(); ++i) {
    lifted = lift(l.inherit[i], least, inherit[i]);
    inherit_fds.push_back(inherit[i].fd);
  }
  if (!lifted)
    return system_error(fmt::format("cannot start {}: no descriptors for it", l.argv.front()), errno);

  const std::vector<char*> argv = pointers(l.argv), env = pointers(l.env);
  std::optional<TmpForChild> tmp;
  if (l.own_tmp) tmp.emplace(*l.own_tmp);
  Prepared prepared{program->c_str(),
                    argv.data(),
                    env.data(),
                    l.cwd.empty() ? nullptr : l.cwd.c_str(),
                    {stdio[0].fd, stdio[1].fd, stdio[2].fd},
                    inherit_fds.data(),
                    static_cast<int>(inherit_fds.size()),
                    report_end.fd,
                    l.own_session,
                    l.controlling_terminal,
                    l.die_with_parent,
                    l.nice,
                    l.descriptors != 0 ? l.descriptors : descriptors_before(),
                    l.descriptors != 0,
                    tmp ? tmp->get() : nullptr,
                    ::getpid()};
  want_child_deaths();
  ChildStack stack;
  // No handler of ours may run in the child: it would change our memory.
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = clone_sharing(run_cloned_child, stack.top(), SIGCHLD, &prepared);
  const int clone_error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) {
    Error e = system_error(fmt::format("cannot start {}", l.argv.front()), clone_error);
    if (clone_error == EAGAIN) e.fix = "the limit of processes is reached (ulimit -u)";
    return e;
  }
  report->write.reset();
  report_end.owned.reset();
  Failure failure{};
  ssize_t n;
  do n = ::read(report->read.get(), &failure, sizeof failure);
  while (n < 0 && errno == EINTR);
  if (n != static_cast<ssize_t>(sizeof failure)) {
    const std::lock_guard lock(launched().mutex);
    launched().pids.insert(pid);
    return pid;
  }
  int status;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return explain(l, *program, failure);
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

void raise_descriptor_limit() {
  constexpr rlim_t kMost = 1 << 18;  // some systems say a thousand million, and programs that walk them all
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlim_t before = limit.rlim_cur, wanted = std::min(limit.rlim_max, kMost);
  if (before == RLIM_INFINITY || before >= wanted) return;
  limit.rlim_cur = wanted;
  if (::setrlimit(RLIMIT_NOFILE, &limit) == 0) descriptors_before() = before;
}

void adopt_orphans() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }

std::optional<ProcessInfo> inspect(pid_t pid) {
  std::string text;
  if (!read_file(fmt::format("/proc/{}/stat", pid).c_str(), text, 4096)) return std::nullopt;
  // "pid (name) state ppid pgrp session …"; the name may hold anything, parentheses and spaces too.
  const std::size_t close = text.rfind(')');
  if (close == std::string::npos || close + 2 >= text.size()) return std::nullopt;
  ProcessInfo info;
  info.pid = pid;
  const char state = text[close + 2];
  info.alive = state != 'Z' && state != 'X';
  const char* at = text.data() + close + 3;
  const char* end = text.data() + text.size();
  for (pid_t* field : {&info.parent, &info.group, &info.session}) {
    while (at < end && *at == ' ') ++at;
    const auto r = std::from_chars(at, end, *field);
    if (r.ec != std::errc()) return std::nullopt;
    at = r.ptr;
  }
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
