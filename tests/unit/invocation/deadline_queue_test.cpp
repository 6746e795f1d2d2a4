#include "invocation/deadline_queue.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <vector>

#include "base/ids.hpp"

using namespace vsim;
using invocation::DeadlineQueue;

namespace {

TimePoint at(int n) { return TimePoint(Duration(n)); }
std::vector<std::uint32_t> drain(DeadlineQueue& q) {
  std::vector<std::uint32_t> out;
  while (const auto next = q.next()) {
    out.push_back(next->slot);
    q.remove(next->slot);
  }
  return out;
}

}  // namespace

TEST_CASE("deadlines come out in time order, equal ones in the order they were set") {
  DeadlineQueue q;
  q.set(0, at(5));
  q.set(1, at(3));
  q.set(2, at(5));
  q.set(3, at(1));
  q.set(4, at(5));
  CHECK(q.size() == 5);
  CHECK(drain(q) == std::vector<std::uint32_t>{3, 1, 0, 2, 4});
  CHECK(q.empty());
}

TEST_CASE("a deadline can be moved both ways and taken away from anywhere") {
  DeadlineQueue q;
  for (std::uint32_t i = 0; i < 8; ++i) q.set(i, at(static_cast<int>(10 + i)));
  q.set(7, at(1));
  q.set(0, at(30));
  q.remove(3);
  q.remove(3);
  q.remove(99);
  CHECK_FALSE(q.at(3).has_value());
  CHECK(q.at(7) == at(1));
  CHECK(drain(q) == std::vector<std::uint32_t>{7, 1, 2, 4, 5, 6, 0});
}

TEST_CASE("setting the same moment again does not lose the place among equals") {
  DeadlineQueue q;
  q.set(0, at(5));
  q.set(1, at(5));
  q.set(0, at(5));
  CHECK(drain(q) == std::vector<std::uint32_t>{0, 1});
}

TEST_CASE("an empty queue has nothing next") {
  DeadlineQueue q;
  CHECK_FALSE(q.next().has_value());
  q.remove(0);
  CHECK(q.size() == 0);
}

TEST_CASE("against a sorted map, with a seeded generator") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Rng rng(seed);
    DeadlineQueue q;
    std::map<std::uint32_t, std::pair<TimePoint, int>> model;  // slot → moment, order
    int order = 0;
    for (int step = 0; step < 2000; ++step) {
      const auto slot = static_cast<std::uint32_t>(rng.next() % 50);
      if (rng.next() % 3 == 0) {
        q.remove(slot);
        model.erase(slot);
      } else {
        const TimePoint t = at(static_cast<int>(rng.next() % 40));
        q.set(slot, t);
        const auto known = model.find(slot);
        if (known == model.end() || known->second.first != t) model[slot] = {t, ++order};
      }
      REQUIRE(q.size() == model.size());
      if (model.empty()) continue;
      const auto least = std::min_element(model.begin(), model.end(),
                                          [](const auto& a, const auto& b) { return a.second < b.second; });
      REQUIRE(q.next()->slot == least->first);
      REQUIRE(q.next()->at == least->second.first);
    }
  }
}
