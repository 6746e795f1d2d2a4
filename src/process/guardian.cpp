#include "process/guardian.hpp"

#include <errno.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <set>

#include "log/log.hpp"

namespace vsim::process {
namespace {

// How long it goes on killing what will not die (a process hanging in the kernel).
constexpr int kRounds = 400, kRoundMs = 5;

// At a clean end it has nothing to do and is gone in a few milliseconds. Waiting for that leaves no zombie
// where pid 1 reaps none.
constexpr int kPatienceMs = 300;

struct Registered {
  std::set<pid_t> groups;
  std::vector<std::string> marks, paths;
};

std::string line(char command, std::string_view text) {
  std::string out(1, command);
  out.append(text).push_back('\n');
  return out;
}

void apply(std::string_view command, Registered& r) {
  if (command.size() < 2) return;
  const std::string_view text = command.substr(1);
  pid_t group = 0;
  switch (command[0]) {
    case '+':
    case '-':
      std::from_chars(text.data(), text.data() + text.size(), group);
      if (group <= 1) return;  // kill(-1) would be everything
      if (command[0] == '+')
        r.groups.insert(group);
      else
        r.groups.erase(group);
      return;
    case 'm':
      r.marks.emplace_back(text);
      return;
    case 'p':
      r.paths.emplace_back(text);
      return;
    case 'f':
      std::erase(r.paths, std::string(text));
      return;
    default:
      return;
  }
}

// One round of killing. False when nothing was left to kill.
bool kill_round(const Registered& r) {
  for (pid_t g : r.groups) ::kill(-g, SIGKILL);
  const auto all = os::all_processes();
  std::set<pid_t> doomed;
  for (const os::ProcessInfo& p : all) {
    const bool marked = std::any_of(r.marks.begin(), r.marks.end(),
                                    [&](const std::string& m) { return os::started_with(p.pid, m); });
    if (r.groups.contains(p.group) || r.groups.contains(p.session) || marked) doomed.insert(p.pid);
  }
  for (std::size_t before = 0; before != doomed.size();) {  // and everything below them
    before = doomed.size();
    for (const os::ProcessInfo& p : all)
      if (doomed.contains(p.parent)) doomed.insert(p.pid);
  }
  doomed.erase(::getpid());
  bool alive = false;
  for (const os::ProcessInfo& p : all) {
    if (!p.alive || !doomed.contains(p.pid)) continue;
    alive = true;
    ::kill(p.pid, SIGKILL);
  }
  return alive;
}

void clean_up(const Registered& r) {
  auto remove_paths = [&] {
    for (const std::string& p : r.paths) {
      std::error_code ec;
      std::filesystem::remove_all(p, ec);
    }
  };
  if (!r.groups.empty() || !r.marks.empty()) {
    for (int i = 0; i < kRounds && kill_round(r); ++i) {
      if (i == 0) remove_paths();
      const timespec pause{0, kRoundMs * 1'000'000L};
      ::nanosleep(&pause, nullptr);
    }
  }
  remove_paths();  // again: a dying process may have made another file
}

}  // namespace

Result<std::unique_ptr<Guardian>> Guardian::start(Options options) {
  std::unique_ptr<Guardian> g(new Guardian);
  g->options_ = std::move(options);
  if (const auto pid = g->launch(); !pid) return pid.error();
  return g;
}

Result<pid_t> Guardian::launch() {
  auto pair = os::make_socket_pair();
  if (!pair) return pair.error();
  const os::Fd null = os::open_null_device();
  os::Launch l;
  l.program = options_.program;
  l.argv = {"vercel-sim", "__guardian"};
  l.cwd.assign(1, '/');  // keeps no directory busy
  l.input = pair->read.get();
  l.output = l.error = null.get();  // and no pipe of ours open
  l.die_with_parent = false;
  const auto pid = os::launch(l);
  if (!pid) return pid.error();
  pid_ = *pid;
  socket_ = std::move(pair->write);
  log::debug(log::Logger::process, "guardian: pid {}", pid_);
  return pid_;
}

Guardian::~Guardian() {
  socket_.reset();
  if (pid_ <= 0) return;
  if (const auto exit_fd = os::open_exit_fd(pid_)) {
    pollfd p{exit_fd->get(), POLLIN, 0};
    ::poll(&p, 1, kPatienceMs);
  }
  os::reap(pid_);
}

std::string Guardian::all_registered() const { return fmt::format("{}", fmt::join(registered_, "")); }

void Guardian::send(std::string_view text) {
  std::string everything;
  for (int attempt = 0; attempt < 2; ++attempt) {
    std::string_view rest = text;
    bool failed = false;
    while (!rest.empty()) {
      const ssize_t n = ::send(socket_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) {
        failed = true;
        break;
      }
      rest.remove_prefix(static_cast<std::size_t>(n));
    }
    if (!failed) return;
    // Somebody killed it: a new one is told everything again, this line among it.
    os::reap(pid_);
    log::warn(log::Logger::process, "the guardian (pid {}) has gone: a new one is started", pid_);
    if (const auto started = launch(); !started) {
      log::warn(log::Logger::process, "no new guardian: {}", started.error().message);
      return;
    }
    text = everything = all_registered();
  }
}

void Guardian::watch(pid_t group) {
  registered_.push_back(line('+', std::to_string(group)));
  send(registered_.back());
}

void Guardian::unwatch(pid_t group) {
  std::erase(registered_, line('+', std::to_string(group)));
  send(line('-', std::to_string(group)));
}

void Guardian::mark(std::string_view entry_prefix) {
  registered_.push_back(line('m', entry_prefix));
  send(registered_.back());
}

void Guardian::remove_on_death(std::string_view path) {
  registered_.push_back(line('p', path));
  send(registered_.back());
}

void Guardian::forget_path(std::string_view path) {
  std::erase(registered_, line('p', path));
  send(line('f', path));
}

int guardian_main(int, char**) {
  // It ends when its socket does and by nothing else that is meant for vercel-sim.
  for (int s : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2}) ::signal(s, SIG_IGN);
  os::set_process_name("vsim-guardian");  // so that `killall vercel-sim` does not match it
  Registered registered;
  std::string pending;
  char buffer[4096];
  for (;;) {
    const ssize_t n = ::read(0, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    pending.append(buffer, static_cast<std::size_t>(n));
    std::size_t at = 0;
    for (std::size_t end; (end = pending.find('\n', at)) != std::string::npos; at = end + 1)
      apply(std::string_view(pending).substr(at, end - at), registered);
    pending.erase(0, at);
  }
  clean_up(registered);
  return 0;
}

}  // namespace vsim::process
