#include "instance/lifecycle.hpp"

#include <catch2/catch.hpp>
#include <functional>
#include <string>
#include <utility>

using namespace vsim::instance;

namespace {

constexpr FunctionId kFunction{1};

// A machine brought into each state by the shortest way.
InstanceLifecycle in(const std::string& state) {
  InstanceLifecycle l;
  if (state == "spawning") return l;
  if (state == "retired spawning") {
    l.retire(Why::stale);
    return l;
  }
  l.ready();
  if (state == "spare") return l;
  if (state == "binding" || state == "template" || state.starts_with("bound")) {
    l.bind(kFunction);
    if (state == "binding") return l;
    if (state == "template") {
      l.stand();
      return l;
    }
    l.bound();
    if (state == "bound frozen") l.freeze();
    return l;
  }
  l.lease(1);
  if (state == "leased") return l;
  if (state == "leased by two") {
    l.lease(2);
    return l;
  }
  if (state == "retired leased") {
    l.retire(Why::stale);
    return l;
  }
  l.release();
  if (state == "idle") return l;
  if (state == "idle frozen") l.freeze();
  if (state == "retired") l.retire(Why::stale);
  if (state == "dying" || state == "dead") l.kill(Why::deadline);
  if (state == "dead") l.exited({Death::Kind::signaled, 9});
  return l;
}

std::string shown(const InstanceLifecycle& l) {
  std::string out(name(l.state()));
  if (l.leases() > 0) out += " " + std::to_string(l.leases());
  if (l.frozen()) out += " frozen";
  return out;
}

struct Row {
  const char* from;
  // The state after each moment; "no" when it is not allowed.
  const char *ready, *copied, *bind, *bound, *stand, *lease, *release, *freeze, *thaw, *retire, *kill,
      *exited;
};
const Row kTable[] = {
    {"spawning", "spare", "bound", "no", "no", "no", "no", "no", "no", "no", "retired", "dying", "dead"},
    {"spare", "no", "no", "binding", "no", "no", "leased 1", "no", "no", "no", "retired", "dying", "dead"},
    {"binding", "no", "no", "no", "bound", "template", "no", "no", "no", "no", "retired", "dying", "dead"},
    {"bound", "no", "no", "no", "no", "no", "leased 1", "no", "bound frozen", "no", "retired", "dying",
     "dead"},
    {"bound frozen", "no", "no", "no", "no", "no", "no", "no", "no", "bound", "retired", "dying", "dead"},
    {"template", "no", "no", "no", "no", "no", "no", "no", "no", "no", "retired", "dying", "dead"},
    {"leased", "no", "no", "no", "no", "no", "leased 2", "idle", "no", "no", "retired 1", "dying", "dead"},
    {"leased by two", "no", "no", "no", "no", "no", "no", "leased 1", "no", "no", "retired 2", "dying",
     "dead"},
    {"idle", "no", "no", "no", "no", "no", "leased 1", "no", "idle frozen", "no", "retired", "dying", "dead"},
    {"idle frozen", "no", "no", "no", "no", "no", "no", "no", "no", "idle", "retired", "dying", "dead"},
    {"retired spawning", "no", "no", "no", "no", "no", "no", "no", "no", "no", "no", "dying", "dead"},
    {"retired leased", "no", "no", "no", "no", "no", "no", "retired", "no", "no", "no", "dying", "dead"},
    {"retired", "no", "no", "no", "no", "no", "no", "no", "no", "no", "no", "dying", "dead"},
    {"dying", "no", "no", "no", "no", "no", "no", "no", "no", "no", "no", "no", "dead"},
    {"dead", "no", "no", "no", "no", "no", "no", "no", "no", "no", "no", "no", "no"},
};

}  // namespace

TEST_CASE("every moment in every state of an instance leads where the diagram says or says no") {
  const std::pair<const char * Row::*, std::function<bool(InstanceLifecycle&)>> moments[] = {
      {&Row::ready, [](InstanceLifecycle& l) { return l.ready(); }},
      {&Row::copied, [](InstanceLifecycle& l) { return l.ready(kFunction); }},
      {&Row::bind, [](InstanceLifecycle& l) { return l.bind(kFunction); }},
      {&Row::bound, [](InstanceLifecycle& l) { return l.bound(); }},
      {&Row::stand, [](InstanceLifecycle& l) { return l.stand(); }},
      {&Row::lease, [](InstanceLifecycle& l) { return l.lease(2); }},
      {&Row::release, [](InstanceLifecycle& l) { return l.release(); }},
      {&Row::freeze, [](InstanceLifecycle& l) { return l.freeze(); }},
      {&Row::thaw, [](InstanceLifecycle& l) { return l.thaw(); }},
      {&Row::retire, [](InstanceLifecycle& l) { return l.retire(Why::stale); }},
      {&Row::kill, [](InstanceLifecycle& l) { return l.kill(Why::idle); }},
      {&Row::exited,
       [](InstanceLifecycle& l) {
         return l.exited({Death::Kind::exited, 1});
       }},
  };
  for (const Row& row : kTable) {
    int moment = 0;
    for (const auto& [column, act] : moments) {
      InstanceLifecycle l = in(row.from);
      const std::string before = shown(l);
      INFO(row.from << ", moment " << moment++);
      const std::string expected = row.*column;
      CHECK(act(l) == (expected != "no"));
      CHECK(shown(l) == (expected == "no" ? before : expected));
    }
  }
}

TEST_CASE("an instance that is full or frozen takes no invocation, and none without slots") {
  InstanceLifecycle l = in("leased");
  CHECK_FALSE(l.lease(1));
  CHECK(l.lease(2));
  CHECK_FALSE(l.lease(2));
  CHECK_FALSE(in("spare").lease(0));
  CHECK_FALSE(in("idle frozen").lease(8));
}

TEST_CASE("a dead instance says why it died: our reason, and what the system saw") {
  const InstanceLifecycle killed = in("dead");
  CHECK(std::get<Dead>(killed.state()).why == Why::deadline);
  CHECK(std::get<Dead>(killed.state()).death.value == 9);
  InstanceLifecycle crashed = in("leased");
  REQUIRE(crashed.exited({Death::Kind::exited, 7}));
  CHECK(std::get<Dead>(crashed.state()).why == Why::none);
  CHECK(std::get<Dead>(crashed.state()).death.value == 7);
}

TEST_CASE("a bound instance knows its function, from binding on") {
  CHECK(std::get<Binding>(in("binding").state()).function == kFunction);
  CHECK(std::get<Bound>(in("bound frozen").state()).function == kFunction);
}
