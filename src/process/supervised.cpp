// Supervisor: one child, from its start to when nothing of it is left.
#include <errno.h>
#include <fmt/format.h>
#include <signal.h>
#include <time.h>

#include "log/log.hpp"
#include "process/supervisor_impl.hpp"

namespace vsim::process {
namespace {

// What a dead child's pipes may still hold: the kernel's largest pipe is 1 MiB by default
// (/proc/sys/fs/pipe-max-size).
constexpr std::size_t kDrainLimit = 4UL * 1024 * 1024;

// All descendants that are alive, in no order.
void add_descendants(pid_t pid, std::set<pid_t>& out) {
  for (pid_t child : os::children_of(pid)) {
    if (!out.insert(child).second) continue;
    add_descendants(child, out);
  }
}

}  // namespace

// It runs, or has run.
Result<bool> Supervisor::Process::watch(pid_t of, os::Fd out_end, os::Fd err_end) {
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

void Supervisor::Process::begin() {
  exit_fd.async_wait(asio::posix::descriptor_base::wait_read, [self = shared_from_this()](error_code ec) {
    if (!ec) self->on_leader_end();
  });
  if (out.is_open()) read(OutputStream::out);
  if (err.is_open()) read(OutputStream::err);
}

// Waits, then reads: an async_read_some may have taken bytes that its handler has not yet told when the end
// is noticed, and finish() would overtake them.
void Supervisor::Process::read(OutputStream s) {
  descriptor(s).async_wait(asio::posix::descriptor_base::wait_read,
                           [self = shared_from_this(), s](error_code ec) {
                             if (ec || self->state == State::done) return;
                             if (self->read_once(s)) self->read(s);
                           });
}

// False at the end of the stream. EIO is a pty's way of saying it.
bool Supervisor::Process::read_once(OutputStream s) {
  error_code ec;
  const std::size_t n = descriptor(s).read_some(asio::buffer(buffer), ec);
  if (!ec && !muted && callbacks.output) callbacks.output(s, {buffer.data(), n});
  return !ec || ec == asio::error::would_block || ec == asio::error::interrupted;
}

// Tells what a child that is dead has left in its pipe.
void Supervisor::Process::drain(OutputStream s) {
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

void Supervisor::Process::on_leader_end() {
  cause = os::peek_exit(pid).value_or(CauseUnknown{});
  state = State::ending;
  log::debug(log::Logger::process, "pid {} {}{}", pid, describe(cause), stopping ? ", as asked" : "");
  // Nobody asked it to stop: what it leaves behind has no one to answer to.
  if (!stopping) kill_at = steady_clock::now();
  look();
}

void Supervisor::Process::look_after(milliseconds wait) {
  timer.expires_after(wait);
  timer.async_wait([self = shared_from_this()](error_code ec) {
    if (!ec && self->state == State::ending) self->look();
  });
}

void Supervisor::Process::look() {
  const auto now = steady_clock::now();
  if (now >= kill_at) {
    ::kill(-pid, SIGKILL);
    for (pid_t p : leftovers()) ::kill(p, SIGKILL);
  }
  if (leftovers().empty() || (kill_at < now && now - kill_at > kKillPatience)) return finish();
  look_after(next_look);
  next_look = std::min(next_look * 2, kLastLook);
}

void Supervisor::Process::finish() {
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

std::set<pid_t> Supervisor::Process::outsiders() {
  std::set<pid_t> all;
  if (state == State::running) add_descendants(pid, all);
  std::erase_if(all, [&](pid_t p) {
    const auto info = os::inspect(p);
    if (!info || !info->alive || (info->group == pid && !in_place)) return true;
    return keep_detached && info->session != pid;
  });
  return all;
}

std::vector<pid_t> Supervisor::Process::leftovers() {
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

void Supervisor::Process::signal_all(int signal) {
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

void Supervisor::Process::stop(milliseconds grace) {
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

void Supervisor::Process::kill() {
  if (state == State::done) return;
  stopping = true;
  kill_at = std::min(kill_at, steady_clock::now());
  signal_all(SIGKILL);
  if (state == State::ending) look_after(milliseconds(0));
}

// Reached in the running state only when the io_context ends before the child does: nobody is left to wait
// for it, so this does.
Supervisor::Process::~Process() {
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

}  // namespace vsim::process
