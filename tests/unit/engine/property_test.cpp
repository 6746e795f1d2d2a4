// A seeded driver does everything a shell, an agent and instances may do, in any order the contract allows.
// SimWorld checks after every call that each id ends exactly once, that no command names a dead id, that no
// wake-up lies in the past, that active() is right and that who holds an instance lives until it is given
// back.
#include <catch2/catch.hpp>

#include "unit/engine/sim_world.hpp"

using namespace vsim;
using namespace vsim::test;
using routes::Kind;

namespace {

struct Driver {
  Rng rng;
  SimWorld w;
  std::size_t admitted = 0;
  const bool isolated;
  std::set<InvocationId> headed, no_function;

  Driver(std::uint64_t seed, profile::Profile p, engine::EngineOptions o)
      : rng(seed), w(std::move(p), o), isolated(o.isolation != profile::Isolation::none) {
    w.routes({SimWorld::limited(
                  SimWorld::function("/api/a", Kind::app_route, "app/api/a/route.ts", "/api/a/route"), 5s),
              SimWorld::function("/api/b", Kind::pages_api, "pages/api/b.ts", "/api/b"),
              SimWorld::function("/blog/[slug]", Kind::app_page, "app/blog/[slug]/page.tsx",
                                 "/blog/[slug]/page")});
  }

  std::uint64_t pick(std::uint64_t n) { return rng.next() % n; }
  bool chance(std::uint64_t percent) { return pick(100) < percent; }

  void admit() {
    static const char* kTargets[] = {"/api/a",
                                     "/api/b?x=1",
                                     "/blog/x",
                                     "/nothing",
                                     "/_next/static/x.js",
                                     "/_next/hmr",
                                     "/socket.io/?EIO=4&transport=polling&sid=1",
                                     "/_next/data/b/blog/x.json"};
    RequestInfo r;
    r.target = kTargets[pick(std::size(kTargets))];
    r.method = chance(50) ? "GET" : "POST";
    r.websocket_upgrade = chance(15);
    r.chunked = chance(20);
    if (!r.chunked && chance(20)) r.content_length = pick(6'000'000);
    if (chance(3)) r.headers_total = 40'000;
    const Admission a = w.admit(r);
    if (a.action != Action::refuse) ++admitted;
    if (a.action == Action::passthrough || a.action == Action::drop) no_function.insert(a.id);
  }

  void act(InvocationId id) {
    static const char* kPages[] = {"/api/a/route", "/api/b", "/blog/[slug]/page", "/unknown/page"};
    switch (pick(isolated ? 20 : 12)) {
      case 0:
        return w.dispatched(id, kPages[pick(4)], chance(50) ? Kind::app_route : Kind::unknown, chance(20),
                            chance(15) ? routes::Runtime::edge : routes::Runtime::nodejs);
      case 1:
        return w.compile_started(id);
      case 2:
      case 3:
        return w.compile_ended(id);
      case 4:
      case 5:
        return w.handler_started(id);
      case 6:
      case 7:
        headed.insert(id);
        w.head(id,
               chance(15)   ? 101
               : chance(15) ? 400
                            : 200,
               chance(20), chance(30) ? std::optional(pick(6'000'000)) : std::nullopt);
        return;
      case 8:
        w.client_left(id);
        return;
      case 9:
        w.body_over(id);
        return;
      case 10:
        w.failed(id, static_cast<UpstreamFailure>(pick(4)), {pick(10), pick(10)});
        return;
      case 12:
      case 13:
      case 14:
      case 15:
        if (no_function.contains(id)) return;
        return w.placed(id, "i1", chance(50) ? "cold" : "warm", Duration(pick(1000)));
      case 16:
        return w.released(id, hanging());
      case 17:
        lost(id);
        return;
      case 18:
        w.state_not_shared(id, "seen");
        if (!headed.contains(id)) {
          w.again(id);
          w.holding.erase(id);
        }
        return;
      case 19:
        if (!w.holding.contains(id))
          w.not_placed(id, chance(50) ? Code::function_throttled : Code::sim_not_ready);
        return;
      default:
        w.ended(id, {pick(100), pick(6'000'000)});
        return;
    }
  }
  std::vector<Hanging> hanging() { return std::vector<Hanging>(pick(4), Hanging{"timeout", "a.ts:1:2", 5s}); }
  void lost(InvocationId id) {
    static const Code kCodes[] = {Code::function_invocation_failed, Code::no_response_from_function,
                                  Code::none, Code::sim_not_ready};
    w.lost(id, kCodes[pick(4)]);
  }

  void run(int steps) {
    std::vector<InvocationId> dead;
    for (int i = 0; i < steps; ++i) {
      const std::uint64_t what = pick(10);
      if (w.alive.empty() || what < 3) {
        admit();
      } else if (what < 8) {
        auto at = w.alive.begin();
        std::advance(at, static_cast<std::ptrdiff_t>(pick(std::min<std::size_t>(w.alive.size(), 20))));
        const InvocationId id = *at;
        act(id);
        if (!w.alive.contains(id)) dead.push_back(id);
      } else if (what == 8 && !dead.empty()) {
        const InvocationId id = dead[pick(dead.size())];  // late news of the dead
        w.handler_started(id);
        w.dispatched(id, "/api/b", Kind::pages_api);
        REQUIRE(w.head(id) == Code::none);
        if (w.lingering.contains(id)) {
          if (chance(40))
            w.released(id, hanging());
          else if (chance(20))
            lost(id);
        } else {
          w.placed(id);
          w.again(id);
          w.released(id, hanging());
          REQUIRE(w.not_placed(id, Code::function_throttled) == Code::none);
        }
        w.state_not_shared(id, "late");
      } else {
        w.advance(Duration(static_cast<Duration::rep>(pick(4'000'000'000))));
      }
    }
    // Whatever is left: compiles end, deadlines strike, the rest is told to end.
    w.advance(1h);
    while (!w.alive.empty()) w.ended(*w.alive.begin());
    w.advance(1h);
    while (!w.lingering.empty()) w.released(*w.lingering.begin());
    REQUIRE(w.engine().active() == 0);
    REQUIRE(w.holding.empty());
    REQUIRE_FALSE(w.next().has_value());
    REQUIRE(w.recorder.ended_ids.size() == admitted);
    for (const Ended& e : w.recorder.ended) {
      REQUIRE(e.charged >= 0s);
      REQUIRE(e.compile >= 0s);
      REQUIRE(e.charged <= e.total);
      REQUIRE(e.compile <= e.total);
      const bool timeout = e.outcome.code == Code::function_invocation_timeout ||
                           e.outcome.code == Code::sim_websocket_closed_at_limit;
      REQUIRE((!timeout || e.charged >= 5s));  // never before the shortest limit
      if (e.outcome.ended_by == EndedBy::platform && !e.client_left) REQUIRE_FALSE(e.verdicts.empty());
    }
  }
};

}  // namespace

TEST_CASE("whatever happens in whatever order, each request ends exactly once") {
  int run = 0;
  for (const auto compute : {Compute::serverless, Compute::fluid}) {
    for (const auto& [agent, isolation] :
         {std::pair(false, profile::Isolation::none), std::pair(true, profile::Isolation::none),
          std::pair(true, profile::Isolation::invocation), std::pair(true, profile::Isolation::fluid)}) {
      for (const auto refusal : {profile::WebSocketRefusal::reject, profile::WebSocketRefusal::drop,
                                 profile::WebSocketRefusal::deliver_as_get}) {
        for (std::uint64_t seed = 1; seed <= 4; ++seed) {
          auto p = make_profile(Plan::pro, compute);
          p.duration_default.value = 6s;
          p.websocket_refusal.value = refusal;
          if (seed == 2) p.request_body_mode.value = p.response_body_mode.value = profile::Mode::observe;
          engine::EngineOptions o;
          o.agent = agent;
          o.isolation = isolation;
          if (seed == 3) o.compile_grace = 2s;
          CAPTURE(agent, profile::to_string(isolation), seed, run);
          Driver(seed * 1000 + static_cast<std::uint64_t>(++run), p, o).run(600);
        }
      }
    }
  }
}
