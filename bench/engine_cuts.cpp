// What the engine needs for a request and for a cut, without sockets and sinks: 1,000 streams of one route
// that reach their limit in one wake, and requests that pass. Prints µs and allocations for each.
//
//   g++ -std=c++20 -O3 -DNDEBUG -Isrc -Itests bench/engine_cuts.cpp -o engine_cuts \
//     build/libvsim_{engine,invocation,routes,event,limits,profile,base}.a -lfmt -lyaml-cpp build/libvsim_tree_sitter.a
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include "engine/engine.hpp"
#include "unit/limits/profiles.hpp"

namespace {
std::size_t allocations = 0;
}
void* operator new(std::size_t size) {
  ++allocations;
  if (void* p = std::malloc(size)) return p;
  std::abort();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }

using namespace vsim;
using namespace std::chrono_literals;

namespace {

struct Nobody final : event::Sink {
  void on_event(const event::Stamp&, const event::Event& e) override {
    const auto* ended = std::get_if<event::InvocationEnded>(&e);
    if (ended != nullptr) verdicts += ended->verdicts.size();
  }
  std::size_t verdicts = 0;
};

struct Cost {
  double microseconds, allocations;
};
template <class Do>
Cost measure(std::size_t n, Do&& run) {
  const std::size_t before = allocations;
  const auto start = std::chrono::steady_clock::now();
  run();
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - start;
  const auto count = static_cast<double>(n);
  return {took.count() / count, static_cast<double>(allocations - before) / count};
}
void print(const char* what, std::vector<Cost> costs) {
  std::sort(costs.begin(), costs.end(), [](auto& a, auto& b) { return a.microseconds < b.microseconds; });
  const Cost& c = costs[costs.size() / 2];
  std::printf("%-28s %7.3f us, %5.2f allocations (median of %zu rounds)\n", what, c.microseconds,
              c.allocations, costs.size());
}

}  // namespace

int main() {
  constexpr std::size_t kStreams = 1000, kRounds = 200;
  const auto profile = test::make_profile();
  Nobody nobody;
  engine::Options options;
  options.agent = true;
  engine::Engine engine(profile, options, nobody);
  std::vector<routes::Function> functions(1);
  functions[0].route = "/api/stream";
  functions[0].kind = routes::Kind::app_route;
  functions[0].file = "app/api/stream/route.ts";
  functions[0].page = "/api/stream/route";
  engine.set_routes(std::make_shared<routes::RouteTable>(std::move(functions), std::string()));

  TimePoint now{1h};
  std::int64_t wall = 1'785'000'000'000;
  std::vector<InvocationId> ids(kStreams);
  std::vector<engine::Command> commands;
  commands.reserve(kStreams);
  std::vector<Cost> starts, cuts, ends;
  const auto start_all = [&] {
    for (InvocationId& id : ids) {
      engine::RequestInfo r;
      r.method = "GET";
      r.target = "/api/stream?topic=news";
      r.path = "/api/stream";
      id = engine.admit(r, now, {wall}).id;
      engine.dispatched(id, {"/api/stream/route", routes::Kind::app_route, routes::Runtime::nodejs, false},
                        now);
      engine.handler_started(id, now);
      engine.response_head(id, {200, std::nullopt, false}, now);
    }
  };
  for (std::size_t round = 0; round < kRounds; ++round) {
    const Cost start = measure(kStreams, start_all);
    now += 10s + 3ms;
    wall += 10'003;
    commands.clear();
    const Cost cut = measure(kStreams, [&] { engine.wake(now, {wall}, commands); });
    if (commands.size() != kStreams) return 1;
    start_all();
    const Cost end = measure(kStreams, [&] {
      for (const InvocationId id : ids) engine.ended(id, {0, 100}, now, {wall});
    });
    if (round == 0) continue;  // cold
    starts.push_back(start);
    cuts.push_back(cut);
    ends.push_back(end);
  }
  print("a request, head to head", starts);
  print("a request's end", ends);
  print("a cut", cuts);
  std::printf("%zu verdicts\n", nobody.verdicts);
}
