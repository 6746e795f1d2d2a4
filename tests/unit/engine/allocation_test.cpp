// A warm engine takes no memory for a request, from its head to its end or its cut: thousands of streams may
// be cut in one wake.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <new>
#include <vector>

#include "engine/engine.hpp"
#include "unit/limits/profiles.hpp"

// A sanitizer has its own; clang is for builds with one.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__clang__)
namespace {
std::size_t allocations = 0;
}
void* operator new(std::size_t size) {
  ++allocations;
  if (void* p = std::malloc(size)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }

using namespace vsim;
using namespace vsim::test;

namespace {

struct Nobody final : event::Sink {
  void on_event(const event::Stamp&, const event::Event& e) override {
    if (const auto* ended = std::get_if<event::InvocationEnded>(&e)) verdicts += ended->verdicts.size();
  }
  std::size_t verdicts = 0;
};

}  // namespace

TEST_CASE("a warm engine takes no memory for a request or a cut, with instances and without") {
  for (const auto isolation : {profile::Isolation::none, profile::Isolation::instance}) {
    const auto p = make_profile();
    Nobody nobody;
    engine::EngineOptions o;
    o.agent = true;
    o.isolation = isolation;
    engine::Engine engine(p, o, nobody);
    std::vector<routes::Function> functions(1);
    functions[0].route = "/api/a-stream-with-a-long-name";
    functions[0].kind = routes::Kind::app_route;
    functions[0].file = "app/api/a-stream-with-a-long-name/route.ts";
    functions[0].page = "/api/a-stream-with-a-long-name/route";
    const std::string page = functions[0].page;
    engine.set_routes(std::make_shared<routes::RouteTable>(std::move(functions), std::string()));

    TimePoint now{1h};
    constexpr std::size_t kStreams = 100;
    std::vector<InvocationId> ids(kStreams);
    std::vector<engine::ExchangeCommand> commands;
    commands.reserve(kStreams);
    std::size_t taken = 0, struck = 0;
    for (int round = 0; round < 4; ++round) {
      const std::size_t before = allocations;
      for (const bool cut : {true, false}) {
        for (InvocationId& id : ids) {
          engine::RequestInfo r;
          r.method = "GET";
          r.target = "/api/a-stream-with-a-long-name?topic=news";
          r.path = r.target.substr(0, r.target.find('?'));
          id = engine.admit(r, now, {}).id;
          engine.dispatched(id, {page, routes::Kind::app_route, routes::Runtime::nodejs, false}, now);
          if (isolation != profile::Isolation::none) engine.placed(id, "i12", "warm", 1ms, now);
          engine.handler_started(id, now);
          engine.response_head(id, {200, std::nullopt, false}, now);
        }
        now += cut ? 10s : 1s;
        commands.clear();
        if (cut) engine.wake(now, {}, commands);
        for (const InvocationId id : ids) {
          engine.ended(id, {0, 100}, now, {});
          engine.released(id, {}, now, {});
        }
        struck += commands.size();
      }
      taken = allocations - before;
      CHECK(engine.active() == 0);
    }
    CHECK(taken == 0);
    CHECK(struck == 4 * kStreams);
    CHECK(nobody.verdicts == 4 * kStreams);
  }
}
#endif
