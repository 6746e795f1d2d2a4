// When bytes passed, from totals that somebody looks at now and then, in simulated time.
#include "engine/ticks.hpp"

#include <catch2/catch.hpp>

using namespace vsim;
using namespace vsim::engine;
using namespace std::chrono_literals;

namespace {

struct Watched {
  Ticks ticks;
  TimePoint begun = TimePoint{} + 1h;
  ExchangeTotals totals{10, 1000};
  unsigned watch = 1;

  Watched() { ticks.look(begun, totals, watch); }
  bool look(Duration after, std::uint64_t in, std::uint64_t out) {
    totals.bytes_in += in;
    totals.bytes_out += out;
    return ticks.look(begun + after, totals, watch);
  }
};

}  // namespace

TEST_CASE("ticks: what passed until a look is of the span that ends there, each way of its own") {
  Watched w;
  CHECK(w.look(200ms, 0, 5));
  CHECK_FALSE(w.look(400ms, 0, 0));
  CHECK(w.look(600ms, 3, 0));
  CHECK(w.look(801ms, 1, 1));  // a late look is of the span after
  CHECK(w.ticks.spans() == "o.i.b");
  CHECK(w.ticks.from() == w.begun);
  CHECK(w.ticks.each() == 200ms);
}

TEST_CASE("ticks: what was there at the first look says nothing, and neither does less than a span") {
  Watched w;
  CHECK_FALSE(w.ticks.says_something(1));
  CHECK(w.look(199ms, 0, 5));
  CHECK_FALSE(w.ticks.says_something(1));
  CHECK_FALSE(w.look(200ms, 0, 0));
  CHECK(w.ticks.says_something(1));
  Watched silent;
  silent.look(10min, 0, 0);
  CHECK_FALSE(silent.ticks.says_something(1));
  CHECK(silent.ticks.spans().empty());
}

TEST_CASE("ticks: as many spans as are kept; one more, and each is twice as long") {
  Watched w;
  w.look(200ms, 0, 1);
  w.look(Ticks::kEach * Ticks::kMost, 1, 0);
  CHECK(w.ticks.each() == 200ms);
  CHECK(w.ticks.spans() == "o" + std::string(Ticks::kMost - 2, '.') + "i");
  w.look(Ticks::kEach * Ticks::kMost + 1ns, 0, 1);
  CHECK(w.ticks.each() == 400ms);
  CHECK(w.ticks.spans() == "o" + std::string(Ticks::kMost / 2 - 2, '.') + "io");
}

TEST_CASE("ticks: silence costs nothing, however long: a socket that speaks once a day") {
  Watched w;
  for (int day = 1; day <= 3; ++day) w.look(24h * day, 0, 1);
  CHECK(w.ticks.spans().size() <= Ticks::kMost);
  CHECK(w.ticks.spans().size() > Ticks::kMost / 2);
  const std::string spans = w.ticks.spans();
  CHECK(std::count(spans.begin(), spans.end(), 'o') == 3);
}

TEST_CASE("ticks: after a time when nobody looked it begins anew, and says since when") {
  Watched w;
  w.look(200ms, 0, 1);
  w.watch = 2;
  CHECK(w.ticks.says_something(1));
  CHECK_FALSE(w.ticks.says_something(2));
  CHECK_FALSE(w.look(1min, 0, 500));
  CHECK(w.ticks.from() == w.begun + 1min);
  CHECK(w.ticks.spans().empty());
  w.look(1min + 200ms, 0, 1);
  CHECK(w.ticks.spans() == "o");
}

TEST_CASE("ticks: a clock that goes back moves nothing") {
  Watched w;
  w.look(1s, 0, 1);
  w.look(500ms, 1, 0);
  CHECK(w.ticks.spans() == "....b");
}
