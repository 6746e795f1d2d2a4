// --upstream: a server that runs already, and is nobody's here. Requests go to it from the start on.
#include <fmt/format.h>

#include "app/app.hpp"
#include "app/clock.hpp"
#include "app/emulator.hpp"
#include "app/exit_codes.hpp"
#include "net/resolve.hpp"

namespace vsim::app {
namespace {

using namespace std::chrono_literals;

constexpr auto kLookAgain = 250ms;  // while a command waits for it

class UpstreamApp final : public App {
 public:
  explicit UpstreamApp(UpstreamSpec spec) : spec_(std::move(spec)) {}

  bool needs_children() const override { return false; }

  std::optional<Failure> start(const Place& place) override {
    boost::system::error_code error;
    auto endpoints = net::resolve(place.io, spec_.host, spec_.port, error);
    if (endpoints.empty())
      return Failure{
          {fmt::format("cannot find the host \"{}\" of --upstream: {}", spec_.host, error.message()),
           "check its spelling"},
          kUsage};
    host_ = &place.host;
    command_waits_ = place.options.command.has_value();
    pool_ = &host_->app_is_at(std::move(endpoints), spec_.origin);
    look_again_.emplace(place.io);
    host_->app_ready();
    look();
    return std::nullopt;
  }

  void stop() override {
    stopped_ = true;
    if (look_again_) look_again_->cancel();
  }

 private:
  // A word to who mistyped the port. No reason to stop: the server may come later.
  void look() {
    attempt_ = pool_->connect([this](boost::system::error_code error, std::unique_ptr<net::Upstream>) {
      const auto keep = std::move(attempt_);
      if (!error) return host_->app_answers();
      if (!std::exchange(told_missing_, true))
        host_->app_says(
            event::Level::warning,
            fmt::format("nothing answers at {} yet ({})", spec_.origin, error.message()),
            command_waits_ ? "start the server there" : "start the server there; until then requests get 502",
            {});
      if (!command_waits_ || stopped_) return;
      look_again_->expires_after(kLookAgain);
      look_again_->async_wait([this](boost::system::error_code cancelled) {
        if (!cancelled && !stopped_) look();
      });
    });
  }

  const UpstreamSpec spec_;
  Host* host_ = nullptr;
  net::UpstreamPool* pool_ = nullptr;
  std::shared_ptr<net::UpstreamPool::Attempt> attempt_;
  std::optional<Timer> look_again_;
  bool command_waits_ = false, told_missing_ = false, stopped_ = false;
};

}  // namespace

std::unique_ptr<App> make_upstream_app(UpstreamSpec spec) {
  return std::make_unique<UpstreamApp>(std::move(spec));
}

}  // namespace vsim::app
