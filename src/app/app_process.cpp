#include "app/app_process.hpp"

#include <boost/asio/post.hpp>
#include <chrono>

#include "log/log.hpp"

namespace vsim::app {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kKeepLines = 40;
constexpr auto kProbeEvery = 50ms;
constexpr auto kTellAfter = 30s;
// A crash now and then is the developer's; this many in a minute will not mend by themselves.
constexpr std::size_t kMostCrashes = 4;

std::string without_escapes(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x1b') {
      while (i < text.size() && !((text[i] >= 'A' && text[i] <= 'Z') || (text[i] >= 'a' && text[i] <= 'z')))
        ++i;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

}  // namespace

AppProcess::AppProcess(boost::asio::io_context& io, process::Children& supervisor, ProcessSpec spec,
                       Callbacks callbacks)
    : OnClock(io),
      io_(io),
      supervisor_(supervisor),
      spec_(std::move(spec)),
      callbacks_(std::move(callbacks)),
      timer_(io),
      quiet_timer_(io) {}

Result<bool> AppProcess::start() {
  ready_ = told_waiting_ = false;
  started_ = now();
  last_lines_.clear();
  lines_ = std::make_unique<process::OutputLines>(
      [this](std::string_view text, process::OutputLines::End end, bool) { on_line(text, end); });
  process::SpawnOptions options;
  options.argv = spec_.argv;
  options.env = spec_.env;
  options.cwd = spec_.cwd;
  options.output = spec_.pty ? process::SpawnOptions::Output::pty : process::SpawnOptions::Output::pipes;
  options.window = spec_.window;
  options.input = process::SpawnOptions::Input::open;
  process::ChildCallbacks callbacks;
  callbacks.output = [this](process::OutputStream, std::string_view bytes) { on_output(bytes); };
  callbacks.exit = [this](const process::ExitCause& cause) { on_exit(cause); };
  auto child = supervisor_.spawn(std::move(options), std::move(callbacks));
  if (!child) return child.error();
  child_ = std::move(*child);
  probe();
  return true;
}

void AppProcess::on_output(std::string_view bytes) {
  lines_->feed(bytes);
  if (!lines_->pending()) return;
  quiet_timer_.expires_after(100ms);  // a prompt, a progress line
  quiet_timer_.async_wait([this](boost::system::error_code error) {
    if (!error && lines_) lines_->flush();
  });
}

void AppProcess::on_line(std::string_view text, process::OutputLines::End end) {
  if (!text.empty()) {
    last_lines_.push_back(without_escapes(text));
    if (last_lines_.size() > kKeepLines) last_lines_.pop_front();
  }
  std::string line(text);
  if (end == process::OutputLines::End::newline) line += '\n';
  if (end == process::OutputLines::End::carriage) line += spec_.pty ? '\r' : '\n';
  callbacks_.output(line);
}

// It may take long: say so once.
void AppProcess::probe() {
  timer_.expires_after(kProbeEvery);
  timer_.async_wait([this](boost::system::error_code error) {
    if (error || ready_ || stopping_ || !child_) return;
    if (!told_waiting_ && now() - started_ > kTellAfter) {
      told_waiting_ = true;
      callbacks_.waiting();
    }
    if (callbacks_.answers && callbacks_.answers()) return become_ready();
    probe();
  });
}

void AppProcess::become_ready() {
  if (ready_ || stopping_) return;
  ready_ = true;
  log::info(log::Logger::app, "{} is ready after {} ms", spec_.name, (now() - started_) / 1ms);
  timer_.cancel();
  callbacks_.ready();
}

void AppProcess::on_exit(const process::ExitCause& cause) {
  quiet_timer_.cancel();
  timer_.cancel();
  lines_->flush(true);
  const bool was_ready = std::exchange(ready_, false);
  log::info(log::Logger::app, "{} {}{}", spec_.name, process::describe(cause), stopping_ ? ", as asked" : "");
  // Not in the child's own callback: it is still on the stack.
  boost::asio::post(io_, [this, cause, was_ready] {
    child_.reset();
    if (stopping_) return;
    if (std::exchange(restart_asked_, false)) {
      callbacks_.gone();
      if (!start()) callbacks_.died(cause, false);
      return;
    }
    const TimePoint at = now();
    std::erase_if(crashes_, [&](TimePoint crash) { return at - crash > 1min; });
    crashes_.push_back(at);
    if (!callbacks_.died(cause, was_ready && crashes_.size() <= kMostCrashes)) return;
    const auto wait = 250ms * (1 << crashes_.size());
    callbacks_.restarting("in " + std::to_string(wait / 1ms) + " ms");
    timer_.expires_after(wait);
    timer_.async_wait([this, cause](boost::system::error_code error) {
      if (error || stopping_) return;
      if (!start()) callbacks_.died(cause, false);
    });
  });
}

void AppProcess::resize(process::WindowSize window) {
  spec_.window = window;
  if (child_ && spec_.pty) child_->resize(window);
}

void AppProcess::restart() {
  if (!child_ || stopping_ || restart_asked_) return;
  restart_asked_ = true;
  callbacks_.restarting("");
  child_->stop(1s);  // next dev does not obey while a page holds its hot reload
}

void AppProcess::kill() {
  if (child_) child_->kill();
}

}  // namespace vsim::app
