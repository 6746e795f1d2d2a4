#include "app/wrapped_command.hpp"

#include <boost/asio/post.hpp>
#include <csignal>
#include <utility>

namespace vsim::app {
namespace {

using namespace std::chrono_literals;

// After Ctrl-C a test runner closes browsers, writes traces and its reports; Playwright takes seconds. A
// second Ctrl-C does not wait.
constexpr auto kInterruptGrace = 10s;
constexpr auto kTermGrace = 2s;

}  // namespace

int CommandEnd::exit_code() const {
  if (interrupted_by != 0) return 128 + interrupted_by;
  if (const auto* exited = std::get_if<process::Exited>(&cause)) return exited->code;
  if (const auto* signaled = std::get_if<process::Signaled>(&cause)) return 128 + signaled->signal;
  return 70;  // the system no longer knows
}

WrappedCommand::WrappedCommand(boost::asio::io_context& io, CommandSpec spec, Callbacks callbacks)
    : OnClock(io), io_(io), spec_(std::move(spec)), callbacks_(std::move(callbacks)), timer_(io) {}

WrappedCommand::~WrappedCommand() {
  if (spec_.program) spec_.program->stop();
}

void WrappedCommand::expect_ready() {
  timer_.expires_after(spec_.ready_timeout);
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error && !started_) callbacks_.never_ready();
  });
}

void WrappedCommand::app_is_ready() { timer_.cancel(); }

Result<bool> WrappedCommand::start(process::Children& supervisor, const std::string& base_url,
                                   std::uint16_t port) {
  started_ = true;
  timer_.cancel();
  began_ = now();
  if (spec_.program) {
    program_runs_ = true;
    spec_.program->start(io_, base_url, [this] {
      program_runs_ = false;
      ended(process::Exited{0});
    });
    return true;
  }
  process::SpawnOptions options;
  options.argv = spec_.argv;
  options.env = spec_.env;
  process::set_env(options.env, "BASE_URL", base_url);
  process::set_env(options.env, "PORT", std::to_string(port));
  options.in_place = true;
  process::ChildCallbacks callbacks;
  callbacks.exit = [this](const process::ExitCause& cause) { ended(cause); };
  auto child = supervisor.spawn(std::move(options), std::move(callbacks));
  if (!child) return child.error();
  child_ = std::move(*child);
  return true;
}

void WrappedCommand::ended(const process::ExitCause& cause) {
  timer_.cancel();
  CommandEnd end{cause, now() - began_, interrupted_by_};
  // A Ctrl-C that both of us got: its death by it may be seen before our own signal.
  if (const auto* signaled = std::get_if<process::Signaled>(&cause);
      signaled != nullptr && signaled->signal == SIGINT)
    end.interrupted_by = SIGINT;
  // Not in the child's own callback: it is still on the stack.
  boost::asio::post(io_, [this, end] {
    child_.reset();
    callbacks_.end(end);
  });
}

bool WrappedCommand::interrupted(int signal, bool from_terminal) {
  if (program_runs_) {
    if (std::exchange(interrupted_by_, signal) == 0) spec_.program->interrupt();
    return true;
  }
  if (!child_) return false;
  if (interrupted_by_ != 0) {
    child_->kill();
    return true;
  }
  interrupted_by_ = signal;
  if (!from_terminal) child_->signal(signal);
  timer_.expires_after(kInterruptGrace);
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error && child_) child_->stop(kTermGrace);
  });
  return true;
}

}  // namespace vsim::app
