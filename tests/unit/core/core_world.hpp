// A world without sockets, processes or clocks around the core: it plays the client's connection, the
// processes of instances and time, and obeys as the shell does. Every call goes through here, so that each
// test also checks the contract: an exchange is over once, no command names what is gone, every seat is given
// back, and when all is told nothing is left.
#pragma once

#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

#include "core/core.hpp"
#include "unit/engine/sim_world.hpp"

namespace vsim::test {

using core::Core;
using instance::InstanceId;

struct CoreWorld : core::Senses {
  // What the shell knows of one request.
  struct Exchange {
    bool open = true, head_sent = false;
    InstanceId on = InstanceId::none;  // where it was sent last
    bool held = false;                 // and that has not said that it is done with it
    ExchangeTotals totals{};
    std::vector<std::string> obeyed;
  };

  static instance::SchedulerOptions bare(profile::Isolation isolation) {
    instance::SchedulerOptions o;
    o.isolation = isolation;
    o.freeze_idle = false;
    o.spares = o.bound_functions = 0;
    o.early_patience = 1s;
    o.spread = 1;
    o.spawn_limit = kForever;
    return o;
  }

  static const profile::Profile& profile_of(Compute compute) {
    static const profile::Profile kServerless = make_profile(Plan::hobby, Compute::serverless);
    static const profile::Profile kFluid = make_profile(Plan::hobby, Compute::fluid);
    return compute == Compute::fluid ? kFluid : kServerless;
  }

  explicit CoreWorld(profile::Isolation isolation = profile::Isolation::invocation,
                     Compute compute = Compute::serverless)
      : profile(profile_of(compute)),
        core(profile, SimWorld::isolated(isolation), recorder, *this),
        engine(core.engine()) {
    engine.set_routes(std::make_shared<routes::RouteTable>(
        std::vector{
            SimWorld::function("/api/a", routes::Kind::app_route, "app/api/a/route.ts", "/api/a/route"),
            SimWorld::function("/b/[x]", routes::Kind::app_route, "app/b/[x]/route.ts", "/b/[x]/route")},
        ""));
    core.isolate(bare(isolation));
    tell([&](auto& m, auto& out) { core.start(m, out); });
  }

  // core::Senses
  ExchangeTotals totals(InvocationId id) const override {
    const auto it = exchanges.find(id);
    return it != exchanges.end() && it->second.open ? it->second.totals : ExchangeTotals{};
  }
  bool busy(InstanceId) const override { return false; }
  void on_state(InstanceId, const instance::InstanceState&, const instance::InstanceState&, instance::GroupId,
                TimePoint) override {}

  // --- A request on its way to an instance
  InvocationId admit(bool upgrade = false, std::string_view target = "/api/a") {
    engine::RequestInfo r;
    r.method = "GET";
    r.target = r.path = target;
    r.websocket_upgrade = upgrade;
    const auto a = engine.admit(r, now, wall());
    REQUIRE(a.id != InvocationId::none);
    exchanges[a.id] = {};
    ordinals.emplace(a.id, ordinals.size() + 1);
    return a.id;
  }
  void dispatch(InvocationId id, std::string_view page = "/api/a/route", std::uint64_t generation = 0) {
    if (!exchanges[id].open) return;
    engine.dispatched(id, {page, routes::Kind::app_route}, now);
    tell([&](auto& m, auto& out) {
      core.request(id, {page, "APP_ROUTE", "nodejs", {}}, generation, m, out);
    });
  }
  // Whatever starts is there.
  void boot() {
    for (const InstanceId id : std::exchange(booting, {}))
      scheduler([&](auto& s, TimePoint t, auto& out) { s.ready(id, t, out); });
  }
  InvocationId on_instance(bool upgrade = false) {
    const InvocationId id = admit(upgrade);
    dispatch(id);
    boot();
    REQUIRE(exchanges[id].held);
    return id;
  }
  void handler(InvocationId id) {
    tell([&](auto& m, auto& out) { core.handler_started(exchanges[id].on, id, m, out); });
  }

  // --- Its connection
  void head(InvocationId id, int status = 200) {
    Exchange& s = exchanges[id];
    if (!s.open || !core.on_instance(id)) return;
    Code replaced = Code::none;
    engine::ResponseInfo info;
    info.status = status;
    tell([&](auto& m, auto& out) { replaced = core.response_head(id, info, m, out); });
    if (replaced != Code::none) s.open = false;
    s.head_sent = true;
  }
  void again(InvocationId id) {
    Exchange& s = exchanges[id];
    if (!s.open || !core.on_instance(id)) return;
    core.passed_on(id);
    core.again(id, now);
    look();
  }
  void end(InvocationId id) {
    if (!std::exchange(exchanges[id].open, false)) return;
    tell([&](auto& m, auto& out) { core.ended(id, exchanges[id].totals, m, out); });
  }
  void fail(InvocationId id, UpstreamFailure failure) {
    Exchange& s = exchanges[id];
    if (!s.open) return;
    Core::FailedConnection answer;
    tell([&](auto& m, auto& out) { answer = core.connection_failed(id, failure, s.totals, m, out); });
    if (answer.waits) return;
    REQUIRE(s.open);
    s.open = false;
    s.obeyed.push_back(answer.code == Code::none ? "cut" : std::string(limits::info(answer.code).name));
  }
  void body_over(InvocationId id) {
    if (!exchanges[id].open) return;
    Code code = Code::none;
    tell([&](auto& m, auto& out) { code = core.request_body_over(id, m, out); });
    if (code != Code::none) exchanges[id].open = false;
  }
  void client_left(InvocationId id) {
    if (!exchanges[id].open) return;
    bool goes_on = false;
    tell([&](auto& m, auto& out) { goes_on = core.client_left(id, m, out); });
    if (!goes_on) end(id);
  }
  void half_close(InvocationId id) {
    if (exchanges[id].open) tell([&](auto& m, auto& out) { core.client_half_closed(id, m, out); });
  }

  // --- Its instance
  void done(InvocationId id, const std::vector<Hanging>& hanging = {}) {
    if (std::exchange(exchanges[id].held, false)) done(id, exchanges[id].on, hanging);
  }
  void done(InvocationId id, InstanceId on, const std::vector<Hanging>& hanging = {}) {
    tell([&](auto& m, auto& out) { core.done(on, id, hanging, false, m, out); });
  }
  void exit(InstanceId id, std::string cause = "i1 exited with code 1") {
    if (!alive.erase(id)) return;
    booting.erase(id);
    for (auto& [of, e] : exchanges) e.held = e.held && e.on != id;
    tell([&](auto& m, auto& out) {
      core.exited(id, {instance::Death::Kind::exited, 1}, std::move(cause), m, out);
    });
  }
  void lost(InvocationId id) {
    if (exchanges[id].held) exit(exchanges[id].on);
  }
  void crashed(InvocationId id) {
    Exchange& e = exchanges[id];
    if (!e.held) return;
    const bool was_former = !core.on_instance(id) && e.open;
    e.held = false;
    tell([&](auto& m, auto& out) { core.crashed(e.on, id, "i1 exited with code 7", m, out); });
    CHECK((was_former || !e.open));  // its connection would not end by itself
  }
  void broken_off(InvocationId id) {
    if (!exchanges[id].held) return;
    tell([&](auto& m, auto& out) {
      core.broken_off(exchanges[id].on, id, {"aborted", "app/api/a/route.ts:3:9"}, m, out);
    });
  }
  void change(std::uint64_t generation) {
    instance::CodeChange c;
    c.generation = generation;
    c.all_code = true;
    tell([&](auto& m, auto& out) { core.changed(c, m, out); });
  }
  template <class F>
  void scheduler(F f) {
    tell([&](auto& m, auto& out) { core.schedule(m, out, f); });
  }

  // --- Time
  void advance(Duration d) {
    const TimePoint until = now + d;
    for (auto next = core.next_wakeup(); next && *next <= until; next = core.next_wakeup()) {
      now = *next;
      int left = 10;
      do tell([&](auto& m, auto& out) { core.wake(m, out); });
      while (core.next_wakeup() == now && --left > 0);
      must(left > 0, "what was due is not done");
    }
    now = until;
  }
  // Everything that can still come comes, and then nothing may be left.
  void finish() {
    advance(1h);
    tell([&](auto& m, auto& out) { core.stop(m, out); });
    for (auto& [id, e] : exchanges) end(id);
    advance(1s);
    for (const InstanceId id : std::vector(alive.begin(), alive.end())) exit(id);
    advance(1h);
    must(core.passages() == 0, "a request is left over");
    must(engine.active() == 0 && engine.lingering() == 0, "an invocation is left over");
    must(!core.next_wakeup().has_value(), "a deadline is left over");
    const auto sum = core.scheduler_totals();
    must(sum.granted == sum.returned, "a lease is left over");
    must(sum.waiting == 0, "somebody waits for an instance");
    for (const auto& [id, e] : exchanges)
      must(recorder.ended_ids.contains(id) && !e.open, "an exchange is left over");
  }

  const Ended& last() const {
    REQUIRE_FALSE(recorder.ended.empty());
    return recorder.ended.back();
  }
  WallTime wall() const { return wall_of(now); }
  const std::vector<std::string>& obeyed(InvocationId id) { return exchanges[id].obeyed; }

  template <class F>
  void tell(F f) {
    const core::Moment moment{now, wall()};
    f(moment, commands.asked());
    commands.carry_out([&](core::CoreCommand& c) { std::visit([&](auto& x) { obey(x); }, c); });
    look();
  }

  const profile::Profile& profile;
  Recorder recorder;
  Core core;
  engine::Engine& engine;
  TimePoint now{Duration(1h)};
  InOrder<core::CoreCommand> commands;
  std::map<InvocationId, Exchange> exchanges;
  std::map<InvocationId, std::size_t> ordinals;  // the first is 1
  std::set<InstanceId> alive, booting;
  std::vector<std::string> said, remarks;  // what instances were told, and people
  bool dies = true;                        // whoever is killed
  bool answers = false;                    // who is asked whether it lives

 private:
  void obey(core::EndExchange& c) {
    using How = core::EndExchange::How;
    Exchange& e = exchanges.at(c.id);
    must(std::exchange(e.open, false), "an exchange has ended twice");
    if (c.how == How::answer) {
      must(!e.head_sent && c.code != Code::none, "what has begun is answered with an error, or with none");
      return e.obeyed.emplace_back(limits::info(c.code).name), void();
    }
    e.obeyed.emplace_back(c.how == How::cut ? "cut" : c.how == How::limit ? "limit" : "tunnel");
  }
  void obey(core::SendTo& c) {
    Exchange& e = exchanges.at(c.id);
    must(e.open, "a request that is over is sent");
    must(alive.contains(c.instance), "a request is sent to an instance that is gone");
    e.on = c.instance;
    e.held = true;
    e.head_sent = false;
    said.push_back("sent " + number(c.id) + " " + name(c.instance));
  }
  void obey(core::Expire& c) {
    REQUIRE(exchanges.at(c.id).held);
    exchanges.at(c.id).obeyed.emplace_back("expire");
  }
  void obey(instance::Spawn& c) {
    must(alive.insert(c.id).second, "an instance is started twice");
    booting.insert(c.id);
  }
  void obey(instance::Kill& c) {
    said.push_back("kill " + name(c.id));
    if (dies) exit(c.id, "killed");
  }
  void obey(core::EndSilent& c) {
    said.push_back("end silent " + name(c.instance));
    exit(c.instance, "killed");
  }
  void obey(core::Remark& c) { remarks.push_back(c.what); }
  void obey(instance::Ping& c) {
    if (answers) tell([&](auto& m, auto& out) { core.pong(c.id, m, out); });
  }
  template <class Other>
  void obey(Other&) {}

  std::string number(InvocationId id) const { return std::to_string(ordinals.at(id)); }
  static std::string name(InstanceId id) { return "i" + std::to_string(static_cast<std::uint64_t>(id)); }

  // Called millions of times: Catch is asked only by who has failed.
  static void must(bool is_so, std::string_view what) {
    if (!is_so) FAIL(what);
  }
  void look() {
    for (const auto& [id, e] : exchanges)
      if (!e.open && !recorder.ended_ids.contains(id) && !core.on_instance(id))
        FAIL("nobody will end request " << number(id));
    if (const auto next = core.next_wakeup()) must(*next >= now, "a wake-up in the past");
  }
};

}  // namespace vsim::test
