#include "app/template.hpp"

#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <chrono>
#include <utility>

#include "log/log.hpp"
#include "process/usage.hpp"

namespace vsim::app {
namespace {

using namespace std::chrono_literals;

// As long as an instance may take to start (SchedulerOptions::spawn_limit); after that it is of no use.
constexpr auto kPatience = 90s;
constexpr int kMostInVain = 3;
constexpr std::string_view kReason = "cannot be copied: ";  // src/agent/instance/copying.cjs
constexpr std::string_view kAnew = "begins anew: ";         // src/agent/instance/ahead.cjs

}  // namespace

TemplateProcess::TemplateProcess(boost::asio::io_context& io, process::Children& supervisor,
                                 Callbacks callbacks)
    : io_(io),
      supervisor_(supervisor),
      callbacks_(std::move(callbacks)),
      out_([this](std::string_view text, process::OutputLines::End, bool) { on_line(text, false); }),
      err_([this](std::string_view text, process::OutputLines::End, bool) { on_line(text, true); }),
      patience_(io) {}

TemplateProcess::~TemplateProcess() = default;

void TemplateProcess::start(process::SpawnOptions options) {
  stop();
  options_ = std::move(options);
  in_vain_ = 0;
  launch();
}

void TemplateProcess::start_ahead(process::SpawnOptions options) {
  stop();
  options_ = std::move(options);
  in_vain_ = 0;
  ahead_ = Ahead::waits;
  launch();
  if (server_) log::debug(log::Logger::app, "the template begins ahead, pid {}", server_->pid());
}

bool TemplateProcess::go_on(std::string_view boot_file, process::SpawnOptions for_the_next) {
  if (ahead_ != Ahead::waits || !server_ || !server_->tell(boot_file)) return false;
  options_ = std::move(for_the_next);
  ahead_ = Ahead::goes_on;
  log::debug(log::Logger::app, "the template goes on");
  foreground();
  wait_no_longer();
  return true;
}

void TemplateProcess::launch() {
  state_ = State::starting;
  reason_.clear();
  ++in_vain_;
  process::ForkServer::Callbacks callbacks;
  callbacks.output = [this](process::OutputStream stream, std::string_view bytes) {
    (stream == process::OutputStream::out ? out_ : err_).feed(bytes);
  };
  callbacks.ready = [this] {
    patience_.cancel();
    foreground();  // its copies would inherit the priority
    state_ = State::ready;
    program_ = process::program_memory_of(server_->pid());
    ahead_ = Ahead::no;
    log::debug(log::Logger::app, "the template is ready, pid {}", server_->pid());
    callbacks_.settled();
  };
  callbacks.ended = [this](const process::ExitCause& cause) { ended(cause); };
  auto server = process::ForkServer::start(io_, supervisor_, options_, std::move(callbacks));
  if (!server) return give_up(server.error().message);
  server_ = std::move(*server);
  // One that begins ahead leaves the machine to `next dev`, which nobody can ask for anything yet. Then the
  // first of a run is in the way of its first answer, beside the compile: it gets as much as that.
  lowered_ = std::exchange(launched_before_, true) || ahead_ == Ahead::waits;
  if (lowered_) process::lower(server_->pid());
  if (ahead_ == Ahead::no) wait_no_longer();
}

void TemplateProcess::wait_no_longer() {
  patience_.expires_after(kPatience);
  patience_.async_wait([this](boost::system::error_code error) {
    if (error || state_ != State::starting) return;
    boost::asio::post(io_, [keep = std::exchange(server_, nullptr)] {});
    give_up(fmt::format("the process that is to be copied was not ready within {} s", kPatience.count()));
  });
}

void TemplateProcess::stop() {
  state_ = State::none;
  ahead_ = Ahead::no;
  patience_.cancel();
  server_.reset();
}

void TemplateProcess::foreground() {
  if (server_ && std::exchange(lowered_, false)) process::raise(server_->pid());
}

void TemplateProcess::fork(const std::function<std::string(std::string_view mark)>& text,
                           process::ForkServer::Answer answer, int orders) {
  const auto told = [this, answer = std::move(answer)](Result<process::Coming> coming) {
    if (coming) in_vain_ = 0;
    answer(std::move(coming));
  };
  server_->fork(text, told, orders);
}

void TemplateProcess::ended(const process::ExitCause& cause) {
  out_.flush(true);
  err_.flush(true);
  const bool was_ready = state_ == State::ready;
  patience_.cancel();
  boost::asio::post(io_, [keep = std::exchange(server_, nullptr)] {});  // it is on the stack
  const Ahead ahead = std::exchange(ahead_, Ahead::no);
  if (ahead != Ahead::no) {
    log::debug(log::Logger::app, "the template that had begun ahead {}: {}", process::describe(cause),
               reason_);
    launched_before_ = false;
    in_vain_ = 0;
    if (ahead == Ahead::goes_on) return launch();
    state_ = State::none;
    return;
  }
  if (was_ready && in_vain_ < kMostInVain) return launch();
  give_up(!reason_.empty() ? reason_
                           : fmt::format("the process that is copied for them {}", process::describe(cause)));
}

void TemplateProcess::give_up(const std::string& why) {
  state_ = State::given_up;
  callbacks_.gave_up(why);
  callbacks_.settled();
}

void TemplateProcess::on_line(std::string_view text, bool error) {
  for (const std::string_view reason : {kReason, kAnew}) {
    if (!error || !text.starts_with(reason)) continue;
    reason_ = text.substr(reason.size());
    return;
  }
  // Of modules of Next alone: if it is of no use another follows, which says it too.
  if (ahead_ == Ahead::waits) return log::debug(log::Logger::app, "[template] {}", text);
  callbacks_.output({fmt::format("[template] {}\n", text), error});
}

}  // namespace vsim::app
