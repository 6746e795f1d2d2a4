// Copies that are made ahead for requests that come together.
#include <catch2/catch.hpp>

#include "instance/bursts.hpp"
#include "unit/instance/sim.hpp"

using namespace vsim;
using namespace vsim::test;

namespace {

SchedulerOptions with_copies(Isolation isolation = Isolation::invocation) {
  SchedulerOptions o = Sim::with_templates(isolation);
  o.copies_ahead = 2;
  o.copies_most = 8;
  return o;
}

// A function whose template stands as i2.
struct House : Sim {
  explicit House(SchedulerOptions o = with_copies()) : Sim(o), f(define("/a")) {
    start();
    ready(1);
    click(f);
    advance(50ms);
    ready(2);
    standing(2);
    REQUIRE(state(2) == "template");
    advance(1s);
    come();
  }
  int last = 0;
  std::uint64_t pss = 0, shared = 0;  // of a copy that comes, bytes; 0: not measured
  const FunctionId f;

  std::size_t waiting() {
    return static_cast<std::size_t>(std::count_if(processes.begin(), processes.end(), [&](const auto& e) {
      const Process& p = e.second;
      return p.from != InstanceId::none && p.code.contains(f) && state(num(e.first)) == "bound";
    }));
  }
  // Whatever has been begun is there.
  void come() {
    for (bool again = true; again;) {
      again = false;
      for (const auto& [id, p] : processes)
        if (!p.killed && state(num(id)) == "spawning") {
          const bool is_copy = p.from != InstanceId::none;
          const int came = num(id);
          ready(came);
          if (is_copy && pss > 0) memory(came, pss, shared);
          again = true;
          break;
        }
    }
    bury();
  }
  // Asked for and over.
  void click(FunctionId of) {
    request(++last, of);
    if (!placed.contains(inv(last))) come();
    release(last);
    bury();
  }
  void burst(int n) {
    for (int i = 0; i < n; ++i) {
      click(f);
      advance(15ms);
    }
  }
  void lull() {
    for (int i = 0; i < 20; ++i) {
      advance(60ms);
      come();
    }
  }
};

}  // namespace

TEST_CASE("a burst is what follows each other within a quarter of a second") {
  Bursts b;
  const FunctionId f{1}, other{2};
  TimePoint at{1s};
  CHECK(b.of(f) == 0);
  for (int i = 0; i < 5; ++i) b.asked(f, at += 249ms);
  CHECK(b.of(f) == 5);
  CHECK(b.of(other) == 0);
  CHECK(b.last() == at);
  b.asked(f, at += 250ms);  // one click does not forget it, a second one does
  CHECK(b.of(f) == 5);
  b.asked(f, at += 1s);
  CHECK(b.of(f) == 1);
  for (int i = 0; i < 3; ++i) b.asked(f, at);
  CHECK(b.of(f) == 4);
}

TEST_CASE("what a burst needs waits for the next one") {
  House w;
  CHECK(w.waiting() == 2);
  w.burst(5);
  w.lull();
  CHECK(w.waiting() == 5);
  w.said();
  // While it lasts, none is begun that the next of it would have to share the machine with.
  w.burst(4);
  CHECK(w.said().find("spawn") == std::string::npos);
  CHECK(w.waiting() == 1);
  // But for the next one there is one in any case.
  w.click(w.f);
  CHECK(w.said().find("spawn") != std::string::npos);
  w.come();
  w.lull();
  CHECK(w.waiting() == 5);
}

TEST_CASE("they are begun once nothing has come or ended for a moment, one behind the other") {
  House w;
  w.burst(3);
  w.come();
  w.said();
  w.click(w.f);
  w.come();
  w.said();
  w.advance(49ms);
  CHECK(w.said().empty());
  w.advance(1ms);
  const std::string begun = w.said();
  CHECK(begun.starts_with("spawn i"));
  CHECK(begun.ends_with(" background from i2\n"));
  CHECK(std::count(begun.begin(), begun.end(), '\n') == 1);
}

TEST_CASE("a burst that does not come again is forgotten, and no burst fills the machine") {
  House w;
  w.burst(40);
  w.come();
  w.lull();
  CHECK(w.waiting() == 8);
  for (int i = 0; i < 10; ++i) {
    w.click(w.f);
    w.advance(1s);
    w.come();
  }
  CHECK(w.waiting() == 2);
}

TEST_CASE("those of the function used before wait on, within half of the memory budget") {
  SchedulerOptions o = with_copies();
  o.memory_budget = 2'000'000'000;
  House w(o);
  const FunctionId g = w.define("/b");
  w.burst(6);
  w.lull();
  CHECK(w.waiting() == 6);
  w.click(g);
  w.lull();
  CHECK(w.waiting() == 6);

  o.memory_budget = 1'000'000'000;  // each counts for 80 MB
  House small(o);
  small.burst(40);
  small.come();
  small.lull();
  CHECK(small.waiting() == 6);
}

TEST_CASE("what a copy shares with its template is counted once") {
  SchedulerOptions o = with_copies();
  o.memory_budget = 400'000'000;
  House w(o);
  w.memory(2, 100'000'000, 90'000'000);  // the template: of what it shares with the base nobody else counts
  CHECK(w.scheduler.totals().memory == 100'000'000 + (w.scheduler.totals().instances - 1) * 80'000'000);
  for (const auto& [id, p] : w.processes)
    if (p.from != InstanceId::none) w.memory(num(id), 100'000'000, 90'000'000);
  w.pss = 100'000'000;
  w.shared = 90'000'000;
  w.burst(5);
  w.lull();
  CHECK(w.waiting() == 5);  // 100 for the template, 80 for the spare, 50 for all of these
  // One that grows counts for that.
  for (const auto& [id, p] : w.processes)
    if (w.state(num(id)) == "bound") w.memory(num(id), 200'000'000, 50'000'000);
  w.bury();
  CHECK(w.waiting() < 5);
}

TEST_CASE("what copies share counts in each of them once their template is gone") {
  House w;
  w.memory(2, 100'000'000);
  for (const auto& [id, p] : w.processes)
    if (w.state(num(id)) == "bound") w.memory(num(id), 100'000'000, 90'000'000);
  REQUIRE(w.waiting() == 2);
  REQUIRE(w.processes.size() == 4);  // and a spare, not measured
  CHECK(w.scheduler.totals().memory == 100'000'000 + 2 * 10'000'000 + 80'000'000);
  w.exited(2);
  REQUIRE(w.processes.size() == 3);
  CHECK(w.scheduler.totals().memory == 2 * 100'000'000 + 80'000'000);
}

TEST_CASE("where an instance goes on, a burst needs one") {
  House w(with_copies(Isolation::instance));
  const std::size_t before = w.waiting();
  w.burst(10);
  w.lull();
  CHECK(w.waiting() == before);
}
