// Supervisor: all children, how they start and how the last of them is ended; supervised.cpp has one of them.
#include "process/supervisor.hpp"

#include <errno.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <random>

#include "log/log.hpp"
#include "process/supervisor_impl.hpp"
#include "process/usage.hpp"

namespace vsim::process {

class Supervisor::Handle final : public Child {
 public:
  explicit Handle(std::shared_ptr<Process> process) : process_(std::move(process)) {}
  ~Handle() override {
    process_->muted = true;
    process_->kill();
  }
  pid_t pid() const override { return process_->pid; }
  bool running() const override { return process_->state == Process::State::running; }
  void stop(milliseconds grace) override { process_->stop(grace); }
  void kill() override { process_->kill(); }
  void signal(int signal) override {
    if (process_->state == Process::State::done) return;
    if (process_->in_place)
      process_->signal_all(signal);
    else
      ::kill(-process_->pid, signal);
  }
  void freeze() override { process_->signal_all(SIGSTOP); }
  void thaw() override { process_->signal_all(SIGCONT); }
  void resize(WindowSize size) override {
    if (process_->is_pty && process_->state != Process::State::done)
      os::resize_pty(process_->out.native_handle(), size);
  }
  void lower() override { process::lower(process_->pid); }
  void raise() override { process::raise(process_->pid); }
  void lower_for_good() override { process::lower_for_good(process_->pid); }

 private:
  std::shared_ptr<Process> process_;
};

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
  auto process = std::make_shared<Process>(core_, std::move(callbacks));
  process->state = Process::State::done;  // until there is a process
  process->mark = fmt::format("{}{}.", core_->run, core_->next_child++);
  process->keep_detached = options.keep_detached;
  process->in_place = options.in_place;
  process->is_pty = !options.in_place && options.output == SpawnOptions::Output::pty;
  if (options.in_place) core_->shares_session = true;

  os::Launch launch;
  launch.argv = std::move(options.argv);
  launch.env = std::move(options.env);
  if (!options.keep_detached) {
    const std::size_t equals = process->mark.find('=');
    set_env(launch.env, std::string_view(process->mark).substr(0, equals),
            std::string_view(process->mark).substr(equals + 1));
  }
  launch.cwd = std::move(options.cwd);
  launch.inherit = std::move(options.inherit);
  launch.nice = options.nice;
  launch.own_tmp = std::move(options.own_tmp);
  launch.descriptors = options.descriptors;

  os::Fd out_read, out_write, err_read, err_write, in_read;
  if (process->in_place) {
    launch.own_session = false;
    launch.output = STDOUT_FILENO;
    launch.error = STDERR_FILENO;
  } else if (process->is_pty) {
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
  if (process->in_place) {
    launch.input = STDIN_FILENO;
  } else if (options.input == SpawnOptions::Input::open) {
    auto p = os::make_pipe();
    if (!p) return p.error();
    in_read = std::move(p->read);
    process->input = std::move(p->write);
    // An empty pipe takes as much in one piece (PIPE_BUF).
    const std::string& first = options.first_input;
    if (!first.empty() &&
        ::write(process->input.get(), first.data(), first.size()) != static_cast<ssize_t>(first.size()))
      return Error{"cannot write to a new pipe", {}};
  } else {
    in_read = os::open_null_device();
  }
  if (!process->in_place) launch.input = in_read.get();
  const auto pid = os::launch(launch);
  if (!pid)
    return log::warn(log::Logger::process, "not started: {}", fmt::join(launch.argv, " ")), pid.error();
  if (const auto watched = process->watch(*pid, std::move(out_read), std::move(err_read)); !watched)
    return watched.error();
  log::debug(log::Logger::process, "started pid {}: {}", process->pid, fmt::join(launch.argv, " "));
  return std::unique_ptr<Child>(new Handle(std::move(process)));
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
  auto process = std::make_shared<Process>(core_, std::move(callbacks));
  process->state = Process::State::done;  // until it is watched
  process->mark = std::move(coming.mark);
  process->input = std::move(coming.input_end);
  os::adopt(coming.pid);
  if (const auto watched =
          process->watch(coming.pid, std::move(coming.output_end), std::move(coming.error_end));
      !watched)
    return watched.error();
  // An empty pipe takes as much in one piece (PIPE_BUF), also when its reader has ended meanwhile: SIGPIPE is
  // ignored by whoever reads from children.
  if (::write(process->input.get(), first_input.data(), first_input.size()) < 0 && errno != EPIPE)
    return Error{"cannot write to a new pipe", {}};
  return std::unique_ptr<Child>(new Handle(std::move(process)));
}

void Supervisor::stop_all(milliseconds grace, std::function<void()> done) {
  core_->when_stopped.push_back(std::move(done));
  core_->give_up = steady_clock::now() + grace + kKillPatience;
  for (auto& [pid, process] : core_->children) process->stop(grace);
  asio::post(core_->io, [core = core_] { core->check_stopped(); });
}

}  // namespace vsim::process
