// os.hpp: how a program is started, through a launcher of Boost.Process v2. Decides nothing.
// docs/decisions/0002-child-processes.md says what that launcher can't do, and how it is bridged here.
#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/process/v2/default_launcher.hpp>
#include <boost/process/v2/posix/vfork_launcher.hpp>

#include "process/find_program.hpp"
#include "process/os.hpp"
#include "process/own_tmp_child.hpp"

namespace vsim::process::os {
namespace {

// What the launcher takes for the executor of a child: a context that has nothing to do with the fork. One of
// the I/O thread's would be told of it in the child, and make its epoll anew in memory that is ours.
struct Untold {
  boost::asio::execution_context* context;
  boost::asio::execution_context& query(boost::asio::execution::context_t) const noexcept { return *context; }
  template <class F>
  void execute(F&&) const {}
  bool operator==(const Untold&) const noexcept = default;
};

}  // namespace
}  // namespace vsim::process::os

// What the launcher makes of a child: nothing. The one of any other executor opens a pidfd, kills the child
// when it goes and reaps it at its end, which is the supervisor's to do (reap()).
template <>
struct boost::process::v2::basic_process<vsim::process::os::Untold> {
  explicit basic_process(vsim::process::os::Untold, int = -1) {}
};

namespace vsim::process::os {
namespace {

namespace v2 = boost::process::v2;

// Makes `fd` a copy of it that is at least `least`, if it is less, so that placing others cannot overwrite
// it.
bool lift(int& fd, int least, Fd& copy) {
  if (fd >= least) return true;
  copy.reset(::fcntl(fd, F_DUPFD_CLOEXEC, least));
  fd = copy.get();
  return fd >= 0;
}

struct Failure {
  const char* step;  // a string of ours, whose memory the child shares; null: the exec itself
  int err;
};

// Our own soft limit before raise_descriptor_limit().
rlim_t& descriptors_before() {
  static rlim_t limit = 0;
  return limit;
}

// The initializers of a child: the launcher calls them between vfork and exec, in the order in which launch()
// names them. The child shares our memory until its exec, while we stand still: a plain fork copies the page
// tables, which took 36 ms at 200 MB resident, on the I/O thread. So they make system calls only and change
// no memory of ours but errno, each in a frame of its own, below the launcher's.

// Says over a pipe, which a successful exec closes, why there was none.
struct FailurePipe {
  int fd;
  [[noreturn]] void fail(const char* step) const {
    const Failure failure{step, errno};
    const ssize_t n = ::write(fd, &failure, sizeof failure);
    static_cast<void>(n);
    ::_exit(127);
  }
  // The launcher itself would leave by exit(), which destroys our objects. Of anything, because 1.81 looks
  // for a function of other arguments than it calls.
  template <class... Any>
  void on_exec_error(const Any&...) const {
    fail(nullptr);
  }
};

// Whose it is: its parent, session, signals and terminal.
struct Standing {
  const Launch& l;
  int terminal;
  pid_t parent;
  FailurePipe report;
  template <class... Any>
  [[gnu::noinline]] v2::error_code on_exec_setup(const Any&...) const {
    if (l.die_with_parent) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != parent) ::_exit(127);  // it went before we asked
    }
    if (l.own_session) ::setsid();
    // SIG_DFL, no flags, an empty mask, as the kernel has them: sigaction() leaves two out.
    static constexpr unsigned long kByDefault[4] = {};
    for (int s = 1; s < NSIG; ++s) ::syscall(SYS_rt_sigaction, s, kByDefault, nullptr, NSIG / 8);
    if (l.controlling_terminal && ::ioctl(terminal, TIOCSCTTY, 0) != 0) report.fail("no terminal for it");
    return {};
  }
};

struct Descriptors {
  const int* from;  // what becomes 0, 1, 2, …
  int count;
  FailurePipe report;
  template <class... Any>
  [[gnu::noinline]] v2::error_code on_exec_setup(const Any&...) const {
    for (int i = 0; i < count; ++i)
      if (::dup2(from[i], i) < 0) report.fail("no descriptors for it");
    // Asio opens its sockets without close-on-exec, so all else is closed. What is above the last of its list
    // the launcher closes; what lies between them 1.81 forgets. Linux 5.9; before it the flag is the only
    // guard.
    ::syscall(SYS_close_range, count, report.fd - 1, 0u);
    return {};
  }
};

struct Limits {
  rlim_t descriptors;  // the soft limit; 0: as ours
  bool is_bound;       // the hard one too
  int nice;
  template <class... Any>
  [[gnu::noinline]] v2::error_code on_exec_setup(const Any&...) const {
    rlimit limit{};
    if (descriptors != 0 && ::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
      limit.rlim_cur = descriptors < limit.rlim_max ? descriptors : limit.rlim_max;
      if (is_bound) limit.rlim_max = limit.rlim_cur;
      ::setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (nice != 0) ::setpriority(PRIO_PROCESS, 0, ::getpriority(PRIO_PROCESS, 0) + nice);
    return {};
  }
};

// What it sees of the disk, and the last: signals reach it from here on.
struct Disk {
  const vsim_own_tmp* tmp;  // null: ours
  const char* cwd;          // empty: ours
  FailurePipe report;
  template <class... Any>
  [[gnu::noinline]] v2::error_code on_exec_setup(const Any&...) const {
    // Of the disk as it was, an instance finds the descriptor.
    int all = -1;
    if (tmp && vsim_take_own_tmp(tmp, &all) != nullptr) report.fail("no /tmp of its own for it");
    if (tmp && tmp->disk && tmp->in_user_namespace && vsim_may_mount_only(1) != 0)
      report.fail("no /tmp of its own for it");
    if (*cwd && ::chdir(cwd) != 0) report.fail(cwd);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    return {};
  }
};

Error explain(const Launch& l, const std::string& program, Failure f) {
  const std::string& name = l.argv.front();
  if (f.step) return system_error(fmt::format("cannot start {}: {}", name, f.step), f.err);
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

std::vector<const char*> pointers(const std::vector<std::string>& strings) {
  std::vector<const char*> out;
  out.reserve(strings.size() + 1);
  for (const std::string& s : strings) out.push_back(s.c_str());
  out.push_back(nullptr);
  return out;
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

  std::vector<int> fds{l.input, l.output, l.error};
  fds.insert(fds.end(), l.inherit.begin(), l.inherit.end());
  const int count = static_cast<int>(fds.size());
  // One number is left free for a descriptor of the whole disk (Disk).
  FailurePipe to_us{report->write.get()};
  std::vector<Fd> copies(fds.size() + 1);
  bool is_lifted = lift(to_us.fd, count + 1, copies.back());
  for (std::size_t i = 0; is_lifted && i < fds.size(); ++i) is_lifted = lift(fds[i], count, copies[i]);
  if (!is_lifted)
    return system_error(fmt::format("cannot start {}: no descriptors for it", l.argv.front()), errno);

  std::vector<const char*> argv = pointers(l.argv);
  const std::vector<const char*> env = pointers(l.env);
  std::optional<TmpForChild> tmp;
  if (l.own_tmp) tmp.emplace(*l.own_tmp);
  want_child_deaths();
  v2::posix::vfork_launcher launcher;
  launcher.env = env.data();
  for (int fd = 3; fd <= count; ++fd) launcher.fd_whitelist.push_back(fd);
  launcher.fd_whitelist.push_back(to_us.fd);
  boost::asio::execution_context context;
  v2::error_code error;
  // No handler of ours may run in the child: it would change our memory.
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  launcher(Untold{&context}, error, *program, argv.data(), Standing{l, fds[1], ::getpid(), to_us},
           Descriptors{fds.data(), count, to_us},
           Limits{l.descriptors != 0 ? l.descriptors : descriptors_before(), l.descriptors != 0, l.nice},
           Disk{tmp ? tmp->get() : nullptr, l.cwd.c_str(), to_us}, to_us);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  const pid_t pid = launcher.pid;
  if (pid < 0) {
    Error e = system_error(fmt::format("cannot start {}", l.argv.front()), error.value());
    if (error.value() == EAGAIN) e.fix = "the limit of processes is reached (ulimit -u)";
    return e;
  }
  report->write.reset();
  copies.clear();
  Failure failure{};
  ssize_t n;
  do n = ::read(report->read.get(), &failure, sizeof failure);
  while (n < 0 && errno == EINTR);
  if (n != static_cast<ssize_t>(sizeof failure)) {
    adopt(pid);
    return pid;
  }
  int status;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return explain(l, *program, failure);
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

}  // namespace vsim::process::os
