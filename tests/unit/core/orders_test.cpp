// Every order in which the moments of one request can arrive: those of its connection, of its instance and of
// its client keep their own order, and are shuffled with each other in all ways, with time between them or
// none. CoreWorld checks the contract after each. What fails is printed as the order that fails.
#include <functional>

#include "unit/core/core_world.hpp"

using namespace vsim;
using namespace vsim::test;

namespace {

struct Moment {
  std::string_view name;
  std::function<void(CoreWorld&, InvocationId)> happens;
};
using Line = std::vector<Moment>;

const Moment kHead{"head", [](auto& w, auto id) { w.head(id); }};
const Moment kSwitched{"101", [](auto& w, auto id) { w.head(id, 101); }};
const Moment kEnd{"end", [](auto& w, auto id) { w.end(id); }};
const Moment kReset{"reset", [](auto& w, auto id) { w.fail(id, UpstreamFailure::reset); }};
const Moment kTruncated{"truncated", [](auto& w, auto id) { w.fail(id, UpstreamFailure::truncated); }};
const Moment kAgain{"again", [](auto& w, auto id) { w.again(id); }};
const Moment kDispatch{"dispatch", [](auto& w, auto id) { w.dispatch(id, "/b/[x]/route"); }};
const Moment kPlaced{"placed", [](auto& w, auto) { w.boot(); }};
const Moment kBodyOver{"body over", [](auto& w, auto id) { w.body_over(id); }};
const Moment kHandler{"handler", [](auto& w, auto id) { w.handler(id); }};
const Moment kDone{"done", [](auto& w, auto id) { w.done(id, {{"timeout", "a.ts:1:1", 1s}}); }};
const Moment kLost{"lost", [](auto& w, auto id) { w.lost(id); }};
const Moment kCrashed{"crashed", [](auto& w, auto id) { w.crashed(id); }};
const Moment kBrokenOff{"broken off", [](auto& w, auto id) { w.broken_off(id); }};
const Moment kLeft{"left", [](auto& w, auto id) { w.client_left(id); }};
const Moment kHalf{"half closed", [](auto& w, auto id) { w.half_close(id); }};

// Calls `with` for each way to shuffle the lines.
void shuffle(std::vector<Line> lines, Line& so_far, const std::function<void(const Line&)>& with) {
  bool any = false;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].empty()) continue;
    any = true;
    std::vector<Line> rest = lines;
    so_far.push_back(rest[i].front());
    rest[i].erase(rest[i].begin());
    shuffle(std::move(rest), so_far, with);
    so_far.pop_back();
  }
  if (!any) with(so_far);
}

struct Played {
  Ended end;
  std::size_t background;
  std::string order;
};

// One order, with `gap` between its moments.
Played play(const Line& order, bool socket, Duration gap) {
  Played out;
  for (const Moment& m : order) out.order.append(out.order.empty() ? "" : ", ").append(m.name);
  CAPTURE(out.order, socket, gap.count());
  CoreWorld w(profile::Isolation::fluid, socket ? Compute::fluid : Compute::serverless);
  const auto id = w.on_instance(socket);
  for (const Moment& m : order) {
    m.happens(w, id);
    w.advance(gap);
  }
  w.finish();
  REQUIRE(w.recorder.ended.size() == 1);
  REQUIRE(w.recorder.background.size() <= 1);
  out.end = w.last();
  out.background = w.recorder.background.size();
  return out;
}

void each_order(const std::vector<Line>& lines, const std::function<void(const Line&)>& with) {
  Line order;
  shuffle(lines, order, with);
}

}  // namespace

TEST_CASE("orders: whatever is told first, a request ends once and leaves nothing behind") {
  const Line kConnections[] = {{kHead, kEnd},
                               {kHead, kTruncated},
                               {kReset},
                               {kSwitched, kEnd},
                               {kBodyOver},
                               {kAgain, kDispatch, kPlaced, kHandler, kHead, kEnd},
                               {kAgain, kDispatch, kBodyOver},
                               {}};
  const Line kInstances[] = {{kHandler, kDone},
                             {kHandler, kLost},
                             {kLost},
                             {kHandler, kCrashed},
                             {kHandler, kBrokenOff, kDone},
                             {kHandler, kBrokenOff, kLost},
                             {}};
  const Line kClients[] = {{}, {kLeft}, {kHalf, kLeft}};
  std::size_t played = 0;
  for (const Line& connection : kConnections)
    for (const Line& instance : kInstances)
      for (const Line& client : kClients)
        each_order({connection, instance, client}, [&](const Line& order) {
          const bool socket = !connection.empty() && connection[0].name == kSwitched.name;
          for (const Duration gap : {Duration{}, Duration(60ms), Duration(300ms), Duration(4s)}) {
            play(order, socket, gap);
            ++played;
          }
        });
  CHECK(played > 20'000);
}

TEST_CASE("orders: a cause that is told in time is the one that is said, whatever came first") {
  const auto said = [](const Played& p, std::string_view text) {
    return std::any_of(p.end.verdicts.begin(), p.end.verdicts.end(), [&](const limits::Verdict& v) {
      return v.measured.find(text) != std::string::npos || v.file.find(text) != std::string::npos;
    });
  };
  const auto always = [&](const std::vector<Line>& lines, bool socket, Code code, std::string_view text) {
    each_order(lines, [&](const Line& order) {
      for (const Duration gap : {Duration{}, Duration(60ms)}) {
        const Played p = play(order, socket, gap);
        CAPTURE(p.order, gap.count(), limits::info(p.end.outcome.code).name);
        CHECK(p.end.outcome.code == code);
        CHECK((text.empty() || said(p, text)));
      }
    });
  };
  always({{kReset}, {kHandler, kLost}}, false, Code::function_invocation_failed, "exited with code 1");
  always({{kHandler, kHead, kTruncated}, {kLost}}, false, Code::function_invocation_failed,
         "exited with code 1");
  always({{kHandler, kSwitched, kEnd}, {kLost}}, true, Code::function_invocation_failed,
         "exited with code 1");
  always({{kHandler, kReset}, {kBrokenOff}}, false, Code::no_response_from_function,
         "app/api/a/route.ts:3:9");
}

TEST_CASE("orders: what is left behind is told once, before or after the response's end") {
  each_order({{kHandler, kHead, kEnd}, {kDone}}, [](const Line& order) {
    const Played p = play(order, false, 0s);
    CAPTURE(p.order);
    CHECK(p.background == 1);
    CHECK(p.end.outcome.code == Code::none);
  });
}
