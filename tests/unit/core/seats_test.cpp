// Which request has which instance, and what is said of one that has none any more.
#include "unit/core/core_world.hpp"

using namespace vsim;
using namespace vsim::test;
using profile::Isolation;

namespace {

using Strings = std::vector<std::string>;
constexpr InstanceId kFirst{1};

struct SeatWorld : CoreWorld {
  explicit SeatWorld(Isolation isolation = Isolation::invocation)
      : CoreWorld(isolation, isolation == Isolation::fluid ? Compute::fluid : Compute::serverless) {}
  InvocationId ask(std::uint64_t generation = 0, std::string_view page = "/api/a/route") {
    const InvocationId id = admit();
    dispatch(id, page, generation);
    if (boots) boot();
    return id;
  }
  void dispatch_again(InvocationId id) {
    dispatch(id, "/b/[x]/route");
    boot();
  }
  Strings take() { return std::exchange(said, {}); }
  std::string measured(InvocationId id) const {
    for (const Ended& e : recorder.ended)
      if (e.id == id && !e.verdicts.empty()) return e.verdicts[0].measured;
    return {};
  }
  bool boots = true;
};

}  // namespace

TEST_CASE("seats: nothing is placed before the changes that it has met are known, and the wait is shown") {
  SeatWorld w;
  const auto early = w.ask(1);
  w.ask(0);
  CHECK(w.take() == Strings{"sent 2 i1"});
  w.advance(300ms);
  w.change(1);
  w.boot();
  CHECK(w.take() == Strings{"sent 1 i2"});
  w.head(early);
  w.end(early);
  CHECK(w.last().waited == 300ms);
  w.finish();
}

TEST_CASE(
    "seats: a change that is not told of in time ends the wait honestly: by instances that start anew") {
  SeatWorld w;
  w.ask(7);
  w.advance(1s);
  w.boot();
  CHECK(w.take() == Strings{"sent 1 i1"});
  REQUIRE(w.remarks.size() == 1);
  CHECK(w.remarks[0].find("counts a change of the code that it has not told of") != std::string::npos);
  w.finish();
}

TEST_CASE(
    "seats: a next dev that is started anew counts its changes from the first; one with a new environment "
    "goes on") {
  for (const bool anew : {false, true}) {
    SeatWorld w;
    w.change(5);
    w.tell([&](auto& m, auto& out) { anew ? w.core.gone(m, out) : w.core.environment_changed(m, out); });
    const std::uint64_t next = anew ? 1 : 6;
    w.ask(next);
    CHECK(w.take().empty());
    w.change(next);
    w.boot();
    CHECK(w.take() == Strings{"sent 1 i1"});
    w.finish();
  }
}

TEST_CASE(
    "seats: passed on, it is placed again when its first instance is done with it or gone, and not before") {
  for (const bool dies : {false, true}) {
    SeatWorld w;
    const auto id = w.ask();
    CHECK(w.take() == Strings{"sent 1 i1"});
    w.again(id);
    w.dispatch_again(id);
    CHECK(w.take().empty());
    dies ? w.exit(kFirst) : w.done(id, kFirst);  // neither is news of a request that goes on elsewhere
    w.boot();
    CHECK(w.take().back() == "sent 1 i2");
    CHECK(w.recorder.ended.empty());
    w.done(id, kFirst);  // late
    CHECK(w.core.holds(id));
    w.finish();
  }
}

TEST_CASE("seats: a request that is over while its former instance has it still gives that back at its end") {
  for (const bool dies : {false, true}) {
    SeatWorld w;
    const auto id = w.ask();
    w.again(id);
    w.end(id);
    CHECK(w.core.passages() == 1);
    dies ? w.exit(kFirst) : w.done(id, kFirst);
    CHECK(w.core.passages() == 0);
    CHECK(w.recorder.ended.size() == 1);
    w.finish();
  }
}

TEST_CASE("seats: an instance that does not say that it is done with what it passed on is not waited for") {
  SeatWorld w;
  const auto id = w.ask();
  w.again(id);
  w.dispatch_again(id);
  w.take();
  w.advance(1s);
  w.boot();
  CHECK(w.take() == Strings{"kill i1", "sent 1 i2"});
  CHECK(w.remarks.size() == 1);
  w.finish();
}

TEST_CASE("seats: one at a breakpoint is waited for, and whoever comes to it has no clock") {
  SeatWorld w(Isolation::fluid);
  const auto first = w.ask();
  for (int i = 0; i < 2; ++i) w.tell([&](auto& m, auto& out) { w.core.debugger(kFirst, m, out); });
  const auto second = w.ask();
  CHECK(w.take() == Strings{"sent 1 i1", "sent 2 i1"});
  for (const auto id : {first, second}) w.handler(id);
  w.again(first);
  w.dispatch_again(first);
  w.advance(1h);
  CHECK(w.take().empty());
  CHECK(w.remarks.empty());
  CHECK(w.recorder.ended.empty());
  w.exit(kFirst);
  w.finish();
}

TEST_CASE("seats: a death is told with its cause to each who was there, and to nobody twice") {
  SeatWorld w(Isolation::fluid);
  const auto one = w.ask(), other = w.ask();
  w.crashed(one);
  w.exit(kFirst, "i1 exited with code 1: uncaught exception: boom");
  w.fail(other, UpstreamFailure::reset);
  w.done(one, kFirst);  // late news
  CHECK(w.measured(one).find("i1 exited with code 7") != std::string::npos);
  CHECK(w.measured(other).find("uncaught exception: boom") != std::string::npos);
  w.finish();
}

TEST_CASE(
    "seats: whoever keeps an event loop busy is named by the routes that were late, and no other is "
    "accused") {
  SeatWorld w(Isolation::fluid);
  const auto late = w.ask();
  w.handler(late);
  w.advance(5s);
  const auto other = w.ask(0, "/b/[x]/route");
  w.handler(other);
  w.advance(296s);
  CHECK(w.take() == Strings{"sent 1 i1", "sent 2 i1", "kill i1"});
  REQUIRE(w.remarks.size() == 1);
  CHECK(w.remarks[0].find("after /api/a had reached its deadline; /b/[x] was running there too") !=
        std::string::npos);
  w.fail(other, UpstreamFailure::reset);
  CHECK(w.measured(other).find("another invocation on it passed its deadline") != std::string::npos);
  w.finish();
}

TEST_CASE("seats: one whose event loop says that it turns is not killed for what was cut") {
  SeatWorld w(Isolation::fluid);
  w.answers = true;
  const auto late = w.ask();
  w.handler(late);
  w.advance(5s);
  const auto other = w.ask();
  w.handler(other);
  w.advance(299s);
  CHECK(w.obeyed(late) == Strings{"FUNCTION_INVOCATION_TIMEOUT"});
  CHECK(w.remarks.empty());
  CHECK(w.core.holds(kFirst, other));
  w.finish();
}

TEST_CASE("seats: when next dev is gone, who waits is refused once, and who is served is served to the end") {
  SeatWorld w;
  const auto served = w.ask();
  w.boots = false;
  const auto waits = w.ask(), early = w.ask(9);
  w.take();
  w.tell([&](auto& m, auto& out) { w.core.gone(m, out); });
  for (const auto id : {waits, early}) CHECK(w.obeyed(id) == Strings{"NO_RESPONSE_FROM_FUNCTION"});
  CHECK(w.take() == Strings{"kill i2"});
  CHECK(w.core.holds(served));
  w.done(served);
  CHECK(w.core.scheduler_totals().holding == 0);
  w.finish();
}

TEST_CASE("seats: at the stop all who wait are refused, those who wait for a change too, and whoever comes") {
  SeatWorld w;
  const auto waits = w.ask(3);
  w.tell([&](auto& m, auto& out) { w.core.stop(m, out); });
  const auto comes = w.ask(3);
  for (const auto id : {waits, comes}) CHECK(w.obeyed(id) == Strings{"SIM_NOT_READY"});
  w.finish();
}

TEST_CASE("seats: whoever is over before it is sent to its instance gives that back unseen") {
  SeatWorld w;
  const auto id = w.ask();
  w.end(id);
  CHECK(w.core.passages() == 1);
  w.tell([&](auto& m, auto& out) { w.core.unsent(id, m, out); });
  CHECK(w.core.passages() == 0);
  CHECK(w.core.scheduler_totals().holding == 0);
  w.finish();
}

TEST_CASE("seats: one that is over while it waits, for a change or for an instance, gets none") {
  SeatWorld w;
  w.boots = false;
  const auto waits = w.ask(), early = w.ask(4);
  for (const auto id : {waits, early}) w.end(id);
  w.change(4);
  w.boot();
  CHECK(std::none_of(w.said.begin(), w.said.end(), [](const auto& s) { return s.starts_with("sent"); }));
  w.finish();
}

TEST_CASE("instances: one that closes its channel is ended if it does not end by itself in time") {
  for (const bool ends : {false, true}) {
    SeatWorld w(Isolation::instance);
    w.ask();
    w.tell([&](auto& m, auto&) { w.core.channel_closed(kFirst, m); });
    w.advance(249ms);
    if (ends) w.exit(kFirst);
    w.advance(1s);
    CHECK(std::count(w.said.begin(), w.said.end(), "end silent i1") == (ends ? 0 : 1));
    w.finish();
  }
}

TEST_CASE(
    "instances: what is over memory.max is remarked on once, or ended, and idle weight does not count") {
  constexpr std::uint64_t kMb = 1'000'000;
  for (const auto mode : {profile::Mode::off, profile::Mode::observe, profile::Mode::enforce}) {
    SeatWorld w(Isolation::instance);
    auto options = CoreWorld::bare(Isolation::instance);
    options.memory_max = 100 * kMb;
    options.memory_mode = mode;
    w.tell([&](auto& m, auto& out) { w.core.set_options(options, instance::Why::none, m, out); });
    const auto weigh = [&](InstanceId id, std::uint64_t bytes) {
      w.tell([&](auto& m, auto& out) { w.core.measured(id, {bytes}, false, m, out); });
    };
    const auto id = w.ask();
    weigh(kFirst, 60 * kMb);  // idle
    w.handler(id);
    weigh(kFirst, 160 * kMb);
    CHECK(w.remarks.empty());
    CHECK(w.core.holds(id));
    for (int i = 0; i < 2; ++i) weigh(kFirst, 161 * kMb);
    CHECK(w.remarks.size() == (mode == profile::Mode::observe ? 1 : 0));
    CHECK(w.core.holds(id) == (mode != profile::Mode::enforce));
    w.finish();
  }
  SeatWorld w(Isolation::instance);  // the kernel has ended a child of it
  const auto id = w.ask();
  w.tell([&](auto& m, auto& out) { w.core.measured(kFirst, {1}, true, m, out); });
  CHECK_FALSE(w.core.holds(id));
  w.finish();
}
