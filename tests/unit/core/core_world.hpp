// A world without sockets, processes or clocks around the core and its engine: it plays the client's
// connection, the fleet and time, and obeys as the shell does. Every call goes through here, so that each
// test also checks the contract: an exchange is over once, a seat is given back once, no command names what
// is gone, and when all is told nothing is left.
#pragma once

#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

#include "core/core.hpp"
#include "unit/engine/sim_world.hpp"

namespace vsim::test {

using core::Core;
using core::RequestCommand;
using limits::instance_end::Loss;

struct CoreWorld {
  // What the shell knows of one request: whether its exchange goes on, and what the fleet has of it.
  struct Shell {
    bool open = true, head_sent = false, queued = false, held = false;
    ExchangeTotals totals{};
    std::vector<std::string> obeyed;
  };

  explicit CoreWorld(profile::Isolation isolation = profile::Isolation::invocation,
                     Compute compute = Compute::serverless)
      : profile(make_profile(Plan::hobby, compute)),
        engine(profile, SimWorld::isolated(isolation), recorder),
        core(engine) {
    engine.set_routes(std::make_shared<routes::RouteTable>(
        std::vector{
            SimWorld::function("/api/a", routes::Kind::app_route, "app/api/a/route.ts", "/api/a/route"),
            SimWorld::function("/b/[x]", routes::Kind::app_route, "app/b/[x]/route.ts", "/b/[x]/route")},
        ""));
    core.set_totals_reader(
        [](void* self, InvocationId id) {
          const auto& known = static_cast<CoreWorld*>(self)->shells;
          const auto it = known.find(id);
          return it != known.end() && it->second.open ? it->second.totals : ExchangeTotals{};
        },
        this);
  }

  InvocationId admit(bool upgrade = false, std::string_view target = "/api/a") {
    engine::RequestInfo r;
    r.method = "GET";
    r.target = r.path = target;
    r.websocket_upgrade = upgrade;
    const auto a = engine.admit(r, now, wall());
    REQUIRE(a.id != InvocationId::none);
    shells[a.id] = {};
    return a.id;
  }
  void dispatch(InvocationId id, std::string_view page = "/api/a/route") {
    if (!shells[id].open) return;
    engine.dispatched(id, {page, routes::Kind::app_route}, now);
    shells[id].queued = true;
    core.queued(id, now);
    look();
  }
  void place(InvocationId id, std::string_view instance = "i1") {
    Shell& s = shells[id];
    if (!s.queued) return;  // withdrawn
    s.queued = false;
    s.held = true;
    bool wanted = false;
    tell([&](auto& out) { wanted = core.placed(id, instance, "warm", {}, now, out); });
    REQUIRE(wanted == s.open);
  }
  void refuse(InvocationId id, Code code) {
    if (!std::exchange(shells[id].queued, false)) return;
    tell([&](auto& out) { core.refused(id, code, {}, now, wall(), out); });
  }
  InvocationId on_instance(bool upgrade = false) {
    const InvocationId id = admit(upgrade);
    dispatch(id);
    place(id);
    return id;
  }
  void handler(InvocationId id) {
    if (shells[id].held) engine.handler_started(id, now);
    look();
  }

  void head(InvocationId id, int status = 200) {
    Shell& s = shells[id];
    if (!s.open) return;
    Code replaced = Code::none;
    engine::ResponseInfo info;
    info.status = status;
    tell([&](auto& out) { replaced = core.response_head(id, info, now, wall(), out); });
    if (replaced != Code::none) s.open = false;
    s.head_sent = true;
  }
  void again(InvocationId id) {
    if (!shells[id].open) return;
    core.passed_on(id);
    core.again(id, now);
    shells[id].held = false;  // what its old instance says from now on the fleet keeps to itself
    look();
  }
  void end(InvocationId id) {
    if (!std::exchange(shells[id].open, false)) return;
    tell([&](auto& out) { core.ended(id, shells[id].totals, now, wall(), out); });
  }
  void fail(InvocationId id, UpstreamFailure failure) {
    Shell& s = shells[id];
    if (!s.open) return;
    Core::FailedConnection answer;
    tell([&](auto& out) { answer = core.connection_failed(id, failure, s.totals, now, wall(), out); });
    if (answer.waits) return;
    REQUIRE(s.open);
    s.open = false;
    s.obeyed.push_back(answer.code == Code::none ? "cut" : std::string(limits::info(answer.code).name));
  }
  void body_over(InvocationId id) {
    if (!shells[id].open) return;
    Code code = Code::none;
    tell([&](auto& out) { code = core.request_body_over(id, now, wall(), out); });
    if (code != Code::none) shells[id].open = false;
  }
  void client_left(InvocationId id) {
    if (!shells[id].open) return;
    if (!engine.client_left(id, now)) end(id);
    look();
  }
  void half_close(InvocationId id) {
    if (shells[id].open) engine.client_half_closed(id);
  }

  void done(InvocationId id, const std::vector<Hanging>& hanging = {}) {
    if (!std::exchange(shells[id].held, false)) return;
    tell([&](auto& out) { core.done(id, hanging, now, wall(), out); });
  }
  void lost(InvocationId id, const Loss& loss = {Code::function_invocation_failed, "i1 exited with code 1"}) {
    if (!std::exchange(shells[id].held, false)) return;
    tell([&](auto& out) { core.lost(id, loss, now, wall(), out); });
  }
  void crashed(InvocationId id) {
    if (!std::exchange(shells[id].held, false)) return;
    tell([&](auto& out) {
      core.crashed(id, {Code::function_invocation_failed, "i1 exited with code 7"}, now, wall(), out);
    });
    CHECK_FALSE(shells[id].open);  // its connection would not end by itself
  }
  void broken_off(InvocationId id) {
    if (!shells[id].held) return;
    tell([&](auto& out) { core.broken_off(id, {"aborted", "app/api/a/route.ts:3:9"}, now, wall(), out); });
  }

  void advance(Duration d) {
    const TimePoint until = now + d;
    for (auto next = core.next_wakeup(); next && *next <= until; next = core.next_wakeup()) {
      REQUIRE(*next >= now);
      now = *next;
      const auto told = recorder.events();
      std::size_t commands = 0;
      tell([&](auto& out) {
        core.wake(now, wall(), out);
        commands = out.size();
      });
      REQUIRE((commands > 0 || recorder.events() > told));  // what asked to be woken had something to do
    }
    now = until;
  }
  // Everything that can still come comes, and then nothing may be left.
  void finish() {
    advance(1h);
    for (auto& [id, s] : shells) refuse(id, Code::sim_not_ready);
    for (auto& [id, s] : shells) end(id);
    advance(1s);
    for (auto& [id, s] : shells) done(id);
    advance(1h);
    REQUIRE(core.passages() == 0);
    REQUIRE(engine.active() == 0);
    REQUIRE(engine.lingering() == 0);
    REQUIRE_FALSE(core.next_wakeup().has_value());
    for (const auto& [id, s] : shells) {
      REQUIRE(recorder.ended_ids.contains(id));
      REQUIRE_FALSE((s.open || s.queued || s.held));
    }
  }

  const Ended& last() const {
    REQUIRE_FALSE(recorder.ended.empty());
    return recorder.ended.back();
  }
  WallTime wall() const { return wall_of(now); }
  const std::vector<std::string>& obeyed(InvocationId id) { return shells[id].obeyed; }

  const profile::Profile profile;
  Recorder recorder;
  engine::Engine engine;
  Core core;
  TimePoint now{Duration(1h)};
  std::map<InvocationId, Shell> shells;

 private:
  template <class F>
  void tell(F f) {
    Core::Commands out;
    f(out);
    for (const RequestCommand& c : out) obey(c);
    look();
  }
  void obey(const RequestCommand& c) {
    using Kind = RequestCommand::Kind;
    Shell& s = shells.at(c.id);
    std::string word;
    switch (c.kind) {
      case Kind::answer:
        REQUIRE_FALSE(s.head_sent);
        REQUIRE(c.code != Code::none);
        word = limits::info(c.code).name;
        break;
      case Kind::cut:
        word = "cut";
        break;
      case Kind::limit:
        word = "limit";
        break;
      case Kind::cut_tunnel:
        word = "tunnel";
        break;
      case Kind::expire:
        REQUIRE(s.held);
        s.obeyed.emplace_back("expire");
        return;
      case Kind::take_back:
        REQUIRE(std::exchange(s.held, false));
        s.obeyed.emplace_back("take back");
        return;
      case Kind::withdraw:
        REQUIRE(std::exchange(s.queued, false));
        s.obeyed.emplace_back("withdraw");
        return;
      case Kind::begin:
        return;
    }
    REQUIRE(std::exchange(s.open, false));  // of a request's exchange there is one end
    s.obeyed.push_back(std::move(word));
  }
  void look() {
    for (const auto& [id, s] : shells) {
      CAPTURE(static_cast<std::uint64_t>(id));
      REQUIRE(
          (s.open || recorder.ended_ids.contains(id) || core.on_instance(id)));  // else nobody will end it
    }
    if (const auto next = core.next_wakeup()) REQUIRE(*next >= now);
  }
};

}  // namespace vsim::test
