#include "app/warm_up.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>

#include "app/clock.hpp"
#include "base/text.hpp"

namespace vsim::app {
namespace {

constexpr std::size_t kAtOnce = 2;  // the bundler uses all cores for one; the second waits for its turn there

std::string_view next_kind(routes::Kind kind) {
  switch (kind) {
    case routes::Kind::app_route:
      return "APP_ROUTE";
    case routes::Kind::app_page:
      return "APP_PAGE";
    case routes::Kind::pages_api:
      return "PAGES_API";
    case routes::Kind::pages:
      return "PAGES";
    case routes::Kind::middleware:
      return "MIDDLEWARE";
    case routes::Kind::unknown:
      break;
  }
  return {};
}

// What a bundler says begins with the place and the reason, each on a line; then come excerpts and stacks.
std::string first_lines(std::string_view text) {
  constexpr int kLines = 2;
  std::string out;
  for (int n = 0; n < kLines && !text.empty();) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
    while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    if (n++ > 0) out += ": ";
    out += line;
  }
  return out;
}

std::string seconds(Duration d) { return fmt::format("{:.1f}s", std::chrono::duration<double>(d).count()); }
std::string routes_of(std::size_t n) { return fmt::format("{} route{}", n, n == 1 ? "" : "s"); }

}  // namespace

std::vector<WarmRoute> warm_routes(const routes::RouteTable& table) {
  std::vector<WarmRoute> out;
  for (const routes::Function& f : table.functions()) {
    const std::string_view kind = next_kind(f.kind);
    if (!kind.empty()) out.push_back({f.page, std::string(kind), f.route, f.file, f.metadata});
  }
  std::stable_partition(out.begin(), out.end(), [](const WarmRoute& r) { return r.kind == "MIDDLEWARE"; });
  return out;
}

WarmUp::WarmUp(boost::asio::io_context& io, std::vector<WarmRoute> routes, Duration most, Callbacks callbacks)
    : OnClock(io),
      io_(io),
      waiting_(std::make_move_iterator(routes.begin()), std::make_move_iterator(routes.end())),
      most_(most),
      callbacks_(std::move(callbacks)),
      timer_(io) {}

void WarmUp::start() {
  began_ = now();
  // The end is told from the event loop, and when nobody answers.
  timer_.expires_after(waiting_.empty() ? Duration::zero() : most_);
  timer_.async_wait([this, alive = std::weak_ptr(alive_)](boost::system::error_code error) {
    if (error || alive.expired() || over_) return;
    const std::size_t left = waiting_.size() + asked_.size();
    if (left > 0)
      callbacks_.tell(event::Level::warning,
                      fmt::format("{} did not get warm within {}: their first requests compile",
                                  routes_of(left), format_duration(most_)),
                      "--ready-timeout gives them longer", {});
    waiting_.clear();
    asked_.clear();
    finish();
  });
  next();
}

void WarmUp::next() {
  while (asked_.size() < kAtOnce && !waiting_.empty()) {
    if (!callbacks_.send(agent::compile_line(waiting_.front().page, waiting_.front().kind))) return;
    asked_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
}

void WarmUp::take(const agent::Precompiled& done) {
  if (over_) return;
  const auto at = std::find_if(asked_.begin(), asked_.end(), [&](const WarmRoute& r) {
    return r.page == done.page && r.kind == done.kind;
  });
  if (at == asked_.end()) return;
  const WarmRoute route = std::move(*at);
  asked_.erase(at);
  told(route, done);
  next();
  if (asked_.empty() && waiting_.empty()) finish();
}

void WarmUp::told(const WarmRoute& route, const agent::Precompiled& done) {
  using Status = agent::Precompiled::Status;
  switch (done.status) {
    case Status::ok:
      ++compiled_;
      return;
    case Status::missing:
      if (!route.may_miss)
        callbacks_.tell(event::Level::info,
                        fmt::format("{} is not warm: next dev has no such page", route.route), {},
                        route.file);
      return;
    case Status::failed:
      callbacks_.tell(event::Level::error,
                      fmt::format("{} does not compile: {}", route.route, first_lines(done.error)), {},
                      route.file);
      return;
    case Status::left:
      callbacks_.tell(event::Level::info, fmt::format("{} is not warm: {}", route.route, done.error), {},
                      route.file);
      return;
  }
}

void WarmUp::finish() {
  over_ = true;
  timer_.cancel();
  callbacks_.tell(event::Level::info,
                  fmt::format("warmed {} in {}", routes_of(compiled_), seconds(now() - began_)), {}, {});
  boost::asio::post(io_, [alive = std::weak_ptr(alive_), done = std::move(callbacks_.done)] {
    if (!alive.expired()) done();  // it may end us
  });
}

}  // namespace vsim::app
