#include "process/supervisor.hpp"

#include <errno.h>
#include <fmt/format.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <boost/asio.hpp>
#include <map>
#include <random>
#include <set>

#include "log/log.hpp"
#include "process/guardian.hpp"

namespace vsim::process {
namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t kReadSize = 16UL * 1024;
// What a dead child's pipes may still hold: the kernel's largest pipe is 1 MiB by default
// (/proc/sys/fs/pipe-max-size).
constexpr std::size_t kDrainLimit = 4UL * 1024 * 1024;
// After SIGKILL a process is gone within milliseconds, unless it hangs in the kernel (a dead NFS mount): then
// we stop waiting.
constexpr milliseconds kKillPatience{2000};
constexpr milliseconds kFirstLook{1}, kLastLook{20};  // between two looks at what is left, doubling

// All descendants that are alive, in no order.
void add_descendants(pid_t pid, std::set<pid_t>& out) {
  for (pid_t child : os::children_of(pid)) {
    if (!out.insert(child).second) continue;
    add_descendants(child, out);
  }
}

}  // namespace

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
  std::map<pid_t, Child::Impl*> children;  // by pid, until reaped
  asio::signal_set deaths;
  asio::steady_timer timer;
  std::vector<std::function<void()>> when_stopped;
  steady_clock::time_point give_up;
};

struct Child::Impl : std::enable_shared_from_this<Child::Impl> {
  // running ──(leader ends)──► ending: waits for its descendants ──► done: reaped, exit told
  enum class State { running, ending, done };

  Impl(std::shared_ptr<Supervisor::Core> core_in, ChildCallbacks callbacks_in)
      : core(std::move(core_in)),
        callbacks(std::move(callbacks_in)),
        out(core->io),
        err(core->io),
        exit_fd(core->io),
        timer(core->io) {}
  ~Impl();

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
  std::array<char, kReadSize> buffer;
};

// --- Supervisor

void Supervisor::Core::watch_deaths() {
  deaths.async_wait([weak = weak_from_this()](error_code ec, int) {
    const auto self = weak.lock();
    if (ec || !self) return;
    self->orphans();
    self->watch_deaths();
  });
}

std::vector<os::ProcessInfo> Supervisor::Core::orphans() {
  std::vector<os::ProcessInfo> out;
  for (pid_t pid : os::children_of(::getpid())) {
    if (os::launched_here(pid)) continue;
    const auto info = os::inspect(pid);
    // Another part of the program may start processes of its own (system()): those stay in our session, ours
    // do only when one was started in place.
    if (!info || (info->session == own_session && !shares_session)) continue;
    if (info->alive)
      out.push_back(*info);
    else
      os::reap(pid);
  }
  return out;
}

void Supervisor::Core::check_stopped() {
  if (when_stopped.empty() || !children.empty()) return;
  const auto left = orphans();
  if (!left.empty() && steady_clock::now() < give_up) {
    for (const os::ProcessInfo& p : left) ::kill(p.pid, SIGKILL);
    timer.expires_after(kFirstLook);
    timer.async_wait([self = shared_from_this()](error_code ec) {
      if (!ec) self->check_stopped();
    });
    return;
  }
  for (auto& done : std::exchange(when_stopped, {})) done();
}

Supervisor::Supervisor(asio::io_context& io, Guardian* guardian)
    : core_(std::make_shared<Core>(io, guardian)) {
  std::random_device random;
  core_->run = fmt::format("VERCEL_SIM_CHILD={}-{:08x}.", ::getpid(), random());
  if (guardian) guardian->mark(core_->run);
  os::adopt_orphans();
  error_code ec;
  core_->deaths.add(SIGCHLD, ec);
  core_->watch_deaths();
}

Supervisor::~Supervisor() {
  error_code ec;
  core_->deaths.cancel(ec);
}

Result<std::unique_ptr<Child>> Supervisor::spawn(SpawnOptions options, ChildCallbacks callbacks) {
  auto impl = std::make_shared<Child::Impl>(core_, std::move(callbacks));
  impl->state = Child::Impl::State::done;  // until there is a process
  impl->mark = fmt::format("{}{}.", core_->run, core_->next_child++);
  impl->keep_detached = options.keep_detached;
  impl->in_place = options.in_place;
  impl->is_pty = !options.in_place && options.output == SpawnOptions::Output::pty;
  if (options.in_place) core_->shares_session = true;

  os::Launch launch;
  launch.argv = std::move(options.argv);
  launch.env = std::move(options.env);
  if (!options.keep_detached) {
    const std::size_t equals = impl->mark.find('=');
    set_env(launch.env, std::string_view(impl->mark).substr(0, equals),
            std::string_view(impl->mark).substr(equals + 1));
  }
  launch.cwd = std::move(options.cwd);
  launch.inherit = std::move(options.inherit);
  launch.nice = options.nice;
  launch.own_tmp = std::move(options.own_tmp);
  launch.descriptors = options.descriptors;

  os::Fd out_read, out_write, err_read, err_write, in_read;
  if (impl->in_place) {
    launch.own_session = false;
    launch.output = STDOUT_FILENO;
    launch.error = STDERR_FILENO;
  } else if (impl->is_pty) {
    auto pty = os::open_pty(options.window);
    if (!pty) return pty.error();
    out_read = std::move(pty->master);
    out_write = std::move(pty->slave);
    launch.controlling_terminal = true;
    launch.output = launch.error = out_write.get();
  } else {
    auto a = os::make_pipe(), b = os::make_pipe();
    if (!a) return a.error();
    if (!b) return b.error();
    out_read = std::move(a->read);
    out_write = std::move(a->write);
    err_read = std::move(b->read);
    err_write = std::move(b->write);
    launch.output = out_write.get();
    launch.error = err_write.get();
  }
  if (impl->in_place) {
    launch.input = STDIN_FILENO;
  } else if (options.input == SpawnOptions::Input::open) {
    auto p = os::make_pipe();
    if (!p) return p.error();
    in_read = std::move(p->read);
    impl->input = std::move(p->write);
    // An empty pipe takes as much in one piece (PIPE_BUF).
    const std::string& first = options.first_input;
    if (!first.empty() &&
        ::write(impl->input.get(), first.data(), first.size()) != static_cast<ssize_t>(first.size()))
      return Error{"cannot write to a new pipe", {}};
  } else {
    in_read = os::open_null_device();
  }
  if (!impl->in_place) launch.input = in_read.get();
  const auto pid = os::launch(launch);
  if (!pid)
    return log::warn(log::Logger::process, "not started: {}", fmt::join(launch.argv, " ")), pid.error();
  if (const auto watched = impl->watch(*pid, std::move(out_read), std::move(err_read)); !watched)
    return watched.error();
  log::debug(log::Logger::process, "started pid {}: {}", impl->pid, fmt::join(launch.argv, " "));
  return std::unique_ptr<Child>(new Child(std::move(impl)));
}

Result<Coming> Supervisor::expect() {
  auto in = os::make_pipe(), out = os::make_pipe(), err = os::make_pipe();
  if (!in) return in.error();
  if (!out) return out.error();
  if (!err) return err.error();
  Coming coming;
  coming.mark = fmt::format("{}{}.", core_->run, core_->next_child++);
  coming.input = std::move(in->read);
  coming.input_end = std::move(in->write);
  coming.output = std::move(out->write);
  coming.output_end = std::move(out->read);
  coming.error = std::move(err->write);
  coming.error_end = std::move(err->read);
  return coming;
}

Result<std::unique_ptr<Child>> Supervisor::adopt(Coming coming, std::string_view first_input,
                                                 ChildCallbacks callbacks) {
  auto impl = std::make_shared<Child::Impl>(core_, std::move(callbacks));
  impl->state = Child::Impl::State::done;  // until it is watched
  impl->mark = std::move(coming.mark);
  impl->input = std::move(coming.input_end);
  os::adopt(coming.pid);
  if (const auto watched = impl->watch(coming.pid, std::move(coming.output_end), std::move(coming.error_end));
      !watched)
    return watched.error();
  // An empty pipe takes as much in one piece (PIPE_BUF), also when its reader has ended meanwhile: SIGPIPE is
  // ignored by whoever reads from children.
  if (::write(impl->input.get(), first_input.data(), first_input.size()) < 0 && errno != EPIPE)
    return Error{"cannot write to a new pipe", {}};
  return std::unique_ptr<Child>(new Child(std::move(impl)));
}

void Supervisor::stop_all(milliseconds grace, std::function<void()> done) {
  core_->when_stopped.push_back(std::move(done));
  core_->give_up = steady_clock::now() + grace + kKillPatience;
  for (auto& [pid, impl] : core_->children) impl->stop(grace);
  asio::post(core_->io, [core = core_] { core->check_stopped(); });
}

// --- Child

// It runs, or has run.
Result<bool> Child::Impl::watch(pid_t of, os::Fd out_end, os::Fd err_end) {
  pid = of;
  state = State::running;
  core->children.emplace(of, this);
  if (core->guardian) core->guardian->watch(of);
  auto exit = os::open_exit_fd(of);
  if (!exit) return exit.error();  // our destructor ends the child
  error_code ec;
  exit_fd.assign(exit->release(), ec);
  if (!ec && out_end) out.assign(out_end.release(), ec);
  if (!ec && err_end) err.assign(err_end.release(), ec);
  if (ec) return Error{fmt::format("cannot watch a child process: {}", ec.message()), {}};
  if (out.is_open()) out.non_blocking(true, ec);
  if (err.is_open()) err.non_blocking(true, ec);
  begin();
  return true;
}

void Child::Impl::begin() {
  exit_fd.async_wait(asio::posix::descriptor_base::wait_read, [self = shared_from_this()](error_code ec) {
    if (!ec) self->on_leader_end();
  });
  if (out.is_open()) read(OutputStream::out);
  if (err.is_open()) read(OutputStream::err);
}

// Waits, then reads: an async_read_some may have taken bytes that its handler has not yet told when the end
// is noticed, and finish() would overtake them.
void Child::Impl::read(OutputStream s) {
  descriptor(s).async_wait(asio::posix::descriptor_base::wait_read,
                           [self = shared_from_this(), s](error_code ec) {
                             if (ec || self->state == State::done) return;
                             if (self->read_once(s)) self->read(s);
                           });
}

// False at the end of the stream. EIO is a pty's way of saying it.
bool Child::Impl::read_once(OutputStream s) {
  error_code ec;
  const std::size_t n = descriptor(s).read_some(asio::buffer(buffer), ec);
  if (!ec && !muted && callbacks.output) callbacks.output(s, {buffer.data(), n});
  return !ec || ec == asio::error::would_block || ec == asio::error::interrupted;
}

// Tells what a child that is dead has left in its pipe.
void Child::Impl::drain(OutputStream s) {
  auto& d = descriptor(s);
  if (!d.is_open()) return;
  error_code ec;
  for (std::size_t total = 0; total < kDrainLimit;) {
    const std::size_t n = d.read_some(asio::buffer(buffer), ec);
    if (ec == asio::error::interrupted) continue;
    if (ec) break;
    total += n;
    if (!muted && callbacks.output) callbacks.output(s, {buffer.data(), n});
  }
  d.close(ec);
}

void Child::Impl::on_leader_end() {
  cause = os::peek_exit(pid).value_or(CauseUnknown{});
  state = State::ending;
  log::debug(log::Logger::process, "pid {} {}{}", pid, describe(cause), stopping ? ", as asked" : "");
  // Nobody asked it to stop: what it leaves behind has no one to answer to.
  if (!stopping) kill_at = steady_clock::now();
  look();
}

void Child::Impl::look_after(milliseconds wait) {
  timer.expires_after(wait);
  timer.async_wait([self = shared_from_this()](error_code ec) {
    if (!ec && self->state == State::ending) self->look();
  });
}

void Child::Impl::look() {
  const auto now = steady_clock::now();
  if (now >= kill_at) {
    ::kill(-pid, SIGKILL);
    for (pid_t p : leftovers()) ::kill(p, SIGKILL);
  }
  if (leftovers().empty() || (kill_at < now && now - kill_at > kKillPatience)) return finish();
  look_after(next_look);
  next_look = std::min(next_look * 2, kLastLook);
}

void Child::Impl::finish() {
  drain(OutputStream::out);
  drain(OutputStream::err);
  error_code ec;
  exit_fd.close(ec);
  timer.cancel();
  input.reset();
  if (core->guardian) core->guardian->unwatch(pid);
  os::reap(pid);
  core->children.erase(pid);
  state = State::done;
  callbacks.output = nullptr;
  const auto exit = std::exchange(callbacks.exit, nullptr);
  if (!muted && exit) exit(cause);
  asio::post(core->io, [c = core] { c->check_stopped(); });
}

std::set<pid_t> Child::Impl::outsiders() {
  std::set<pid_t> all;
  if (state == State::running) add_descendants(pid, all);
  std::erase_if(all, [&](pid_t p) {
    const auto info = os::inspect(p);
    if (!info || !info->alive || (info->group == pid && !in_place)) return true;
    return keep_detached && info->session != pid;
  });
  return all;
}

std::vector<pid_t> Child::Impl::leftovers() {
  std::set<pid_t> found;
  for (const os::ProcessInfo& p : core->orphans()) {
    const bool in_session = p.session == pid || p.group == pid;
    const bool detached = !keep_detached && (strays.contains(p.pid) || os::started_with(p.pid, mark) ||
                                             core->children.size() == 1);
    if (!in_session && !detached) continue;
    if (detached) strays.insert(p.pid);  // one that is being killed has no environment to know it by any more
    found.insert(p.pid);
    add_descendants(p.pid, found);
  }
  std::vector<pid_t> alive;
  for (pid_t p : found) {
    const auto info = os::inspect(p);
    if (info && info->alive && !(keep_detached && info->session != pid)) alive.push_back(p);
  }
  return alive;
}

void Child::Impl::signal_all(int signal) {
  if (state == State::done) return;
  const std::set<pid_t> below = outsiders();
  strays.insert(below.begin(), below.end());
  ::kill(in_place ? pid : -pid, signal);
  for (pid_t p : strays) {
    // A stray's number is its own as long as it is ours: below the leader, or adopted. Anything else has been
    // reaped meanwhile.
    const auto info = os::inspect(p);
    if (!info || !info->alive) continue;
    if (info->session != core->own_session || below.contains(p) || os::started_with(p, mark))
      ::kill(p, signal);
  }
}

void Child::Impl::stop(milliseconds grace) {
  if (state == State::done) return;
  const auto at = steady_clock::now() + grace;
  if (!stopping) {
    stopping = true;
    log::debug(log::Logger::process, "pid {} is asked to stop, {} ms from being killed", pid, grace.count());
    signal_all(SIGTERM);
    signal_all(SIGCONT);
  }
  if (at >= kill_at) return;
  kill_at = at;
  if (state == State::ending) return look_after(milliseconds(0));
  timer.expires_at(at);
  timer.async_wait([self = shared_from_this()](error_code ec) {
    if (!ec && self->state == State::running) self->kill();
  });
}

void Child::Impl::kill() {
  if (state == State::done) return;
  stopping = true;
  kill_at = std::min(kill_at, steady_clock::now());
  signal_all(SIGKILL);
  if (state == State::ending) look_after(milliseconds(0));
}

// Reached in the running state only when the io_context ends before the child does: nobody is left to wait
// for it, so this does.
Child::Impl::~Impl() {
  if (state == State::done) return;
  signal_all(SIGKILL);
  const auto end = steady_clock::now() + kKillPatience;
  while (!os::peek_exit(pid) && steady_clock::now() < end) {
    const timespec pause{0, 1'000'000};
    ::nanosleep(&pause, nullptr);
  }
  state = State::ending;
  for (pid_t p : leftovers()) ::kill(p, SIGKILL);
  if (core->guardian) core->guardian->unwatch(pid);
  os::reap(pid);
  core->children.erase(pid);
}

Child::Child(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Child::~Child() {
  impl_->muted = true;
  impl_->kill();
}
pid_t Child::pid() const { return impl_->pid; }
bool Child::running() const { return impl_->state == Impl::State::running; }
void Child::stop(milliseconds grace) { impl_->stop(grace); }
void Child::kill() { impl_->kill(); }
void Child::signal(int signal) {
  if (impl_->state == Impl::State::done) return;
  if (impl_->in_place)
    impl_->signal_all(signal);
  else
    ::kill(-impl_->pid, signal);
}
void Child::freeze() { impl_->signal_all(SIGSTOP); }
void Child::thaw() { impl_->signal_all(SIGCONT); }
void Child::resize(WindowSize size) {
  if (impl_->is_pty && impl_->state != Impl::State::done) os::resize_pty(impl_->out.native_handle(), size);
}

}  // namespace vsim::process
