// Edge: when bytes pass on streams and sockets, looked at now and then for as long as somebody wants to see
// it (stream_watch.hpp, engine/ticks.hpp). Told to open pages while they are open, and as an event at their
// end.
#include <algorithm>
#include <vector>

#include "app/clock.hpp"
#include "app/edge_impl.hpp"

namespace vsim::app {
namespace {

// Of one look; the others follow with the next ones.
constexpr std::size_t kMostToldAtOnce = 64;

}  // namespace

// What has not begun to answer, or ends before the next look, is none of them.
void Edge::look_at_streams(TimePoint at, unsigned watch) {
  for (auto& [id, exchange] : exchanges_) {
    if (exchange.internal || exchange.session == nullptr || !exchange.session->head_forwarded()) continue;
    if (!exchange.ticks) exchange.ticks = std::make_unique<engine::Ticks>();
    if (exchange.ticks->look(at, exchange.session->totals(), watch)) exchange.untold = true;
  }
  if (live_ != nullptr && live_->is_read()) tell_pages(at);
}

void Edge::tell_pages(TimePoint at) {
  const bool all = live_->has_new_reader();
  std::vector<net::ExchangeId> news;
  for (auto& [id, exchange] : exchanges_) {
    if (all && exchange.ticks) exchange.untold = true;
    if (exchange.untold && exchange.ticks->says_something(watch_.number())) news.push_back(id);
  }
  std::sort(news.begin(), news.end());
  std::rotate(news.begin(), std::upper_bound(news.begin(), news.end(), told_until_), news.end());
  if (news.size() > kMostToldAtOnce) news.resize(kMostToldAtOnce);
  for (const net::ExchangeId id : news) {
    Exchange& exchange = exchanges_[id];
    exchange.untold = false;
    const std::string spans = exchange.ticks->spans();
    live_->passing(at, {invocation(id), at - exchange.ticks->from(), exchange.ticks->each(), spans});
    told_until_ = id;
  }
}

void Edge::tell_ticks(net::ExchangeId id, const engine::Ticks& ticks) {
  if (!ticks.says_something(watch_.number())) return;
  const TimePoint at = now();
  const std::string spans = ticks.spans();
  engine_.announce(event::BytesPassed{invocation(id), at - ticks.from(), ticks.each(), spans}, at,
                   wall_at(at));
}

}  // namespace vsim::app
