// A recording in the place of the command that `test` wraps: sends its requests once the app is ready, and
// keeps how each of them ended this time. Made by cli/replay.cpp, one for each run; I/O thread only,
// results() after it.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "app/recorder.hpp"
#include "app/replay_client.hpp"
#include "app/wrapped_command.hpp"
#include "replay/compare.hpp"

namespace vsim::app {

class ReplayRun final : public InProcess, public RecordTarget {
 public:
  // `build` tells, when the app is ready, which build it is (replay::About::build).
  ReplayRun(const replay::Recording& recording, ReplaySpeed speed, std::function<std::string()> build);
  ~ReplayRun() override;

  void start(boost::asio::io_context&, const std::string& base_url, std::function<void()> done) override;
  void interrupt() override;
  void stop() override;

  void began(const replay::About&) override {}
  void ended(replay::RecordedRequest&&, std::string_view mark) override;
  void later(std::uint64_t n, limits::Code) override;

  bool started() const { return client_ != nullptr; }
  std::vector<replay::Met> results() const;

 private:
  void client_done();
  void look();
  void settle();

  const replay::Recording& recording_;
  const ReplaySpeed speed_;
  // What the marks of this run begin with. Nobody else who can reach the port knows it: what such a client
  // sends is not taken for a request of the recording.
  const std::string mark_;
  std::function<std::string()> build_;
  std::function<void()> done_;
  std::unique_ptr<ReplayClient> client_;
  std::optional<boost::asio::steady_timer> timer_;
  std::vector<std::optional<replay::RecordedOutcome>> outcomes_;
  std::unordered_map<std::uint64_t, std::size_t> by_n_;
  bool all_sent_ = false, settling_ = false, interrupted_ = false, over_ = false;
};

}  // namespace vsim::app
