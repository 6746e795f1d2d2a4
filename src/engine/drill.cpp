#include "engine/drill.hpp"

#include <algorithm>
#include <utility>

namespace vsim::engine {
namespace {

using event::Fate;

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

// What becomes of it if its client does not come back.
Fate fate_of(const event::InvocationEnded& e) {
  if (e.client_left || e.outcome.ended_by == event::EndedBy::client) return Fate::left;
  const bool whole = e.outcome.ended_by == event::EndedBy::function && e.outcome.code == limits::Code::none;
  return whole && e.traffic != event::Traffic::socket ? Fate::ended : Fate::lost;
}

}  // namespace

std::uint32_t Drill::deploy(std::span<const Open> open, TimePoint now) {
  Score& score = scores_[++deployment_];
  score.deployment = deployment_;
  for (const Open& o : open) {
    if (!o.socket && !o.streams) continue;  // a request: it ends where it is, and nobody waits to come back
    Connection c;
    c.met = {deployment_, o.id, std::string(o.path), o.socket, Fate::lost, {}, {}};
    c.held = now;
    if (!held_.emplace(o.id, std::move(c)).second) continue;
    ++(o.socket ? score.sockets : score.streams);
  }
  news_ = true;  // nothing may be open
  return deployment_;
}

void Drill::on_event(const event::Event& event, TimePoint now) {
  if (held_.empty() && gone_.empty()) return;
  if (const auto* e = std::get_if<event::InvocationEnded>(&event)) {
    auto node = held_.extract(e->id);
    if (node.empty()) return;
    Connection& c = node.mapped();
    c.ended = now;
    c.met.stayed = now - c.held;
    c.met.fate = fate_of(*e);
    gone_.push_back(std::move(c));
  } else if (const auto* opened = std::get_if<event::SocketOpened>(&event)) {
    came(opened->target, true, now);
  } else if (const auto* started = std::get_if<event::InvocationStarted>(&event)) {
    came(started->target, false, now);
  }
}

// The one that has waited the longest is taken to be it.
void Drill::came(std::string_view target, bool socket, TimePoint now) {
  const auto it = std::find_if(gone_.begin(), gone_.end(), [&](const Connection& c) {
    return c.met.fate != Fate::reconnected && c.met.socket == socket && c.met.path == path_of(target);
  });
  if (it == gone_.end()) return;
  it->met.fate = Fate::reconnected;
  it->met.took = now - it->ended;
  news_ = true;
}

std::optional<TimePoint> Drill::next_wakeup() const {
  if (news_) return TimePoint{};
  std::optional<TimePoint> next;
  for (const Connection& c : gone_) {
    const TimePoint at = after(c.ended, kPatience);
    if (!next || at < *next) next = at;
  }
  return next;
}

Drill::News Drill::take(TimePoint now) {
  news_ = false;
  News news;
  for (auto it = gone_.begin(); it != gone_.end();) {
    if (it->met.fate != Fate::reconnected && now < after(it->ended, kPatience)) {
      ++it;
      continue;
    }
    Score& score = score_of(it->met.deployment);
    switch (it->met.fate) {
      case Fate::reconnected:
        ++score.reconnected;
        score.slowest = std::max(score.slowest, it->met.took);
        break;
      case Fate::ended:
        ++score.ended;
        break;
      case Fate::left:
        ++score.left;
        break;
      case Fate::lost:
        ++score.lost;
        break;
    }
    news.met.push_back(std::move(it->met));
    it = gone_.erase(it);
  }
  settle(news);
  return news;
}

void Drill::settle(News& news) {
  for (auto it = scores_.begin(); it != scores_.end();) {
    const Score& s = it->second;
    if (s.reconnected + s.ended + s.left + s.lost + s.open < s.sockets + s.streams) {
      ++it;
      continue;
    }
    news.scored.push_back(s);
    it = scores_.erase(it);
  }
}

Drill::News Drill::finish(TimePoint now) {
  News news = take(now);
  for (const auto& [id, c] : held_) ++score_of(c.met.deployment).open;
  for (const Connection& c : gone_) ++score_of(c.met.deployment).open;  // nobody waits for them any more
  held_.clear();
  gone_.clear();
  settle(news);
  return news;
}

}  // namespace vsim::engine
