// When recorded requests are sent again, in simulated time.
#include "replay/schedule.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <random>

using namespace vsim;
using namespace vsim::replay;
using namespace std::chrono_literals;

namespace {

constexpr TimePoint kStart{1h};

struct Ran {
  std::vector<TimePoint> begin, end;
};
// Runs it with these durations of the replay; moves time from one moment to the next.
Ran play(const std::vector<Span>& spans, const std::vector<Duration>& takes) {
  Schedule schedule(spans);
  Ran out{std::vector<TimePoint>(spans.size()), std::vector<TimePoint>(spans.size())};
  std::multimap<TimePoint, std::size_t> running;
  TimePoint now = kStart;
  while (!schedule.done()) {
    while (const auto i = schedule.take(now)) {
      out.begin[*i] = now;
      running.emplace(now + takes[*i], *i);
    }
    std::optional<TimePoint> next = schedule.next();
    if (!running.empty() && (!next || running.begin()->first <= *next)) {
      const auto [at, i] = *running.begin();
      running.erase(running.begin());
      now = at;
      out.end[i] = now;
      schedule.ended(i, now);
    } else {
      REQUIRE(next);
      REQUIRE(*next >= now);
      now = *next;
    }
  }
  return out;
}

}  // namespace

TEST_CASE("schedule: one after the other stays one after the other, pauses are cut to 250 ms") {
  const auto r = play({{0s, 1s}, {1s, 2s}, {2s + 100ms, 3s}, {1h, 1h + 1s}}, {5s, 10ms, 1ms, 1ms});
  CHECK(r.begin[0] == kStart);
  CHECK(r.begin[1] == kStart + 5s);
  CHECK(r.begin[2] == kStart + 5s + 10ms + 100ms);
  CHECK(r.begin[3] == r.end[2] + 250ms);
}

TEST_CASE("schedule: what ran at the same time runs at the same time, whatever it takes now") {
  // The second and third came while the first ran; the fourth after the second, still during the first.
  const std::vector<Span> spans{{0s, 10s}, {1s, 2s}, {1s, 3s}, {2s + 50ms, 4s}};
  const auto slow = play(spans, {20s, 5s, 1ms, 1ms});
  CHECK(slow.begin[1] == kStart + 250ms);
  CHECK(slow.begin[2] == slow.begin[1]);
  CHECK(slow.begin[3] == slow.end[1] + 50ms);
  CHECK(slow.begin[3] < slow.end[0]);
}

TEST_CASE("schedule: an end that nobody waits for makes nobody wait longer") {
  // The third came 100 ms after the second and waits for none.
  const auto r = play({{0s, 1h}, {0s, 1h}, {100ms, 1h}}, {50ms, 10s, 10s});
  CHECK(r.begin[2] == kStart + 100ms);
}

TEST_CASE("schedule: requests that took no time, and none at all") {
  const auto r = play({{1s, 1s}, {1s, 1s}, {1s, 1s}}, {0s, 0s, 0s});
  CHECK(r.begin[2] == kStart);
  CHECK(Schedule({}).done());
}

TEST_CASE("schedule: no more at a time than connections are kept for") {
  std::vector<Span> spans(Schedule::kMostAtOnce + 1, Span{0s, 1h});
  Schedule schedule(spans);
  for (std::size_t i = 0; i < Schedule::kMostAtOnce; ++i) CHECK(schedule.take(kStart) == i);
  CHECK_FALSE(schedule.take(kStart));
  CHECK_FALSE(schedule.next());
  schedule.ended(5, kStart);
  CHECK(schedule.take(kStart) == Schedule::kMostAtOnce);
}

TEST_CASE("schedule: for any recording, order and what waited for what are kept, and it comes to its end") {
  std::mt19937 random(7);
  const auto pick = [&](int most) {
    return std::chrono::milliseconds(random() % static_cast<unsigned>(most));
  };
  for (int round = 0; round < 200; ++round) {
    std::vector<Span> spans;
    std::vector<Duration> takes;
    Duration at{};
    for (std::size_t i = 0; i < 1 + random() % 40; ++i) {
      at += pick(400);
      spans.push_back({at, at + pick(1000)});
      takes.push_back(pick(1000));
    }
    const auto r = play(spans, takes);
    for (std::size_t i = 0; i < spans.size(); ++i) {
      for (std::size_t j = i + 1; j < spans.size(); ++j) {
        CHECK(r.begin[i] <= r.begin[j]);
        if (spans[i].end <= spans[j].begin) CHECK(r.end[i] <= r.begin[j]);
      }
    }
  }
}
