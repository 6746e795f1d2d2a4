#include "instance/early.hpp"

#include <catch2/catch.hpp>
#include <chrono>

using namespace vsim;
using namespace vsim::instance;
using namespace std::chrono_literals;

namespace {

const TimePoint kStart{Duration(1h)};

Early::Asked asked(int n, Generation generation = 0) {
  return {static_cast<InvocationId>(n), FunctionId{1}, InvocationId::none, generation};
}
// The ids that may be asked for, in their order.
std::vector<int> taken(Early& e, TimePoint now) {
  std::vector<int> out;
  while (const auto ready = e.take(now)) out.push_back(static_cast<int>(ready->asked.id));
  return out;
}

}  // namespace

TEST_CASE("early: each waits for its own change, in order of arrival, and what it waited is told") {
  Early e(5s);
  e.add(asked(1, 2), false, kStart);
  e.add(asked(2, 1), false, kStart + 1s);
  e.add(asked(3, 2), false, kStart + 2s);
  CHECK_FALSE(e.take(kStart + 2s));
  e.announced(1);
  CHECK(taken(e, kStart + 2s) == std::vector{2});
  e.announced(2);
  const auto first = e.take(kStart + 3s);
  REQUIRE(first);
  CHECK(first->asked.id == InvocationId{1});
  CHECK(first->waited == 3s);
  CHECK(taken(e, kStart + 3s) == std::vector{3});
  CHECK(e.empty());
  CHECK_FALSE(e.next_wakeup());
}

TEST_CASE("early: a change that is missing is excused at the limit, for all, until another one is told") {
  Early e(5s);
  e.announced(6);
  e.add(asked(1, 7), false, kStart);
  e.add(asked(2, 8), false, kStart + 4s);
  CHECK(e.next_wakeup() == kStart + 5s);
  CHECK(e.strike(kStart + 5s - 1ns).missing == 0);
  CHECK(taken(e, kStart + 5s - 1ns).empty());
  CHECK(e.strike(kStart + 5s).missing == 7);
  CHECK(taken(e, kStart + 5s) == std::vector{1});
  CHECK(e.known(7));
  CHECK_FALSE(e.known(8));
  CHECK(e.next_wakeup() == kStart + 9s);
  CHECK(e.strike(kStart + 9s).missing == 8);
  CHECK(taken(e, kStart + 9s) == std::vector{2});
  e.announced(6);  // another one, of another next dev
  CHECK_FALSE(e.known(7));
  CHECK(e.known(6));
}

TEST_CASE("early: who is still on its old instance waits for that too, and its limit is its own") {
  Early e(5s);
  e.add(asked(1), true, kStart);
  CHECK_FALSE(e.take(kStart));
  const auto over = e.strike(kStart + 5s);
  CHECK(over.missing == 0);
  CHECK(over.not_given_back == std::vector{InvocationId{1}});
  CHECK(e.next_wakeup() == kStart + 10s);  // never at once again
  CHECK_FALSE(e.take(kStart + 6s));
  e.given_back(InvocationId{1});
  CHECK(taken(e, kStart + 7s) == std::vector{1});
}

TEST_CASE("early: who leaves is marked, who is withdrawn is gone") {
  Early e(5s);
  e.add(asked(1, 1), false, kStart);
  e.add(asked(2, 1), false, kStart);
  e.add(asked(3, 2), false, kStart);
  e.client_left(InvocationId{2});
  e.withdraw(InvocationId{1});
  e.announced(1);
  const auto ready = e.take(kStart);
  REQUIRE(ready);
  CHECK(ready->asked.id == InvocationId{2});
  CHECK(ready->left);
  CHECK(e.clear() == std::vector{InvocationId{3}});
  CHECK(e.empty());
}
