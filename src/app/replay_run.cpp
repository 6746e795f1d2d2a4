#include "app/replay_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <charconv>
#include <random>

namespace vsim::app {
namespace {

using namespace std::chrono_literals;

// After the last answer: an instance tells what was left hanging a moment after its response.
constexpr auto kAfterglow = 250ms;

std::string random_mark() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}{:08x}{:08x}.", device(), device(), device(), device());
}

// It was sent, and the edge knows no end of it: what its client saw.
replay::RecordedOutcome without_end(const ReplayClient::Sent& sent, const replay::RecordedOutcome& recorded) {
  replay::RecordedOutcome out;
  out.ended_by = event::EndedBy::app;
  out.phase = sent.status == 0 ? event::Phase::running : event::Phase::responding;
  out.status = sent.status;
  out.total = sent.took;
  if (sent.left) out.left = recorded.left.value_or(recorded.total);
  return out;
}

}  // namespace

ReplayRun::ReplayRun(const replay::Recording& recording, ReplaySpeed speed,
                     std::function<std::string()> build)
    : recording_(recording),
      speed_(speed),
      mark_(random_mark()),
      build_(std::move(build)),
      outcomes_(recording.requests.size()) {}

ReplayRun::~ReplayRun() = default;

void ReplayRun::start(boost::asio::io_context& io, const std::string& base_url, std::function<void()> done) {
  done_ = std::move(done);
  timer_.emplace(io);
  client_ = std::make_unique<ReplayClient>(recording_, replay::Destination{base_url, build_()}, speed_, mark_,
                                           [this, &io] {  // on its thread
                                             boost::asio::post(io, [this] { client_done(); });
                                           });
  client_->start();
}

void ReplayRun::interrupt() {
  if (client_) client_->interrupt();
  settling_ = interrupted_ = true;
  settle();
}

void ReplayRun::stop() {
  over_ = true;
  done_ = nullptr;
  timer_.reset();
  if (client_) client_->stop();
}

void ReplayRun::ended(replay::RecordedRequest&& request, std::string_view mark) {
  if (over_ || !mark.starts_with(mark_)) return;
  mark.remove_prefix(mark_.size());
  std::size_t index = 0;
  const auto read = std::from_chars(mark.data(), mark.data() + mark.size(), index);
  if (read.ec != std::errc() || read.ptr != mark.data() + mark.size() || index >= outcomes_.size()) return;
  if (outcomes_[index]) return;
  outcomes_[index] = std::move(request.outcome);
  by_n_[request.n] = index;
  if (all_sent_) look();
}

void ReplayRun::later(std::uint64_t n, limits::Code code) {
  const auto found = by_n_.find(n);
  if (over_ || found == by_n_.end()) return;
  auto& codes = outcomes_[found->second]->codes;
  if (std::find(codes.begin(), codes.end(), code) == codes.end()) codes.push_back(code);
}

void ReplayRun::client_done() {
  if (over_ || settling_) return;
  all_sent_ = true;
  look();
  if (settling_) return;
  // Functions whose client has left go on, as they did in the recording.
  Duration longest{};
  for (std::size_t i = 0; i < outcomes_.size(); ++i)
    if (client_->sent()[i].sent && !client_->sent()[i].gave_up && !outcomes_[i])
      longest = std::max(longest, recording_.requests[i].outcome.total);
  timer_->expires_after(2 * longest + speed_.wait_for_ends);
  timer_->async_wait([this](boost::system::error_code error) {
    if (!error) settle();
  });
}

// Whether all that was sent has ended.
void ReplayRun::look() {
  if (settling_) return;
  for (std::size_t i = 0; i < outcomes_.size(); ++i)
    if (client_->sent()[i].sent && !client_->sent()[i].gave_up && !outcomes_[i]) return;
  settling_ = true;
  timer_->expires_after(kAfterglow);
  timer_->async_wait([this](boost::system::error_code error) {
    if (!error) settle();
  });
}

void ReplayRun::settle() {
  over_ = true;
  if (const auto done = std::exchange(done_, nullptr)) done();
}

std::vector<replay::Met> ReplayRun::results() const {
  std::vector<replay::Met> out(outcomes_.size());
  for (std::size_t i = 0; client_ && i < out.size(); ++i) {
    const ReplayClient::Sent& sent = client_->sent()[i];
    out[i].renewed = sent.renewed;
    if (!sent.sent) {
      out[i].why_not = sent.why_not.empty() ? "the replay ended before its turn" : sent.why_not;
    } else if (sent.gave_up) {
      // What the edge knows of an end after that is what leaving it made of it.
      out[i].outcome = without_end(sent, recording_.requests[i].outcome);
    } else if (outcomes_[i]) {
      out[i].outcome = outcomes_[i];
    } else if (interrupted_) {
      out[i].why_not = "it had not ended when the replay was interrupted";
    } else {
      out[i].outcome = without_end(sent, recording_.requests[i].outcome);
    }
  }
  return out;
}

}  // namespace vsim::app
