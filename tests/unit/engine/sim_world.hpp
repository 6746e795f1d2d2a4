// A world without sockets or clocks for the engine: time moves when a test says so, events are kept as
// copies, commands are obeyed as the shell would. Every call goes through here, so that each test also checks
// the contract: exactly one ending per id, no command for a dead id, no wake-up in the past, sequence numbers
// that rise, and whoever holds an instance is known until it is given back.
#pragma once

#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.hpp"
#include "unit/limits/profiles.hpp"

namespace vsim::test {

using engine::Action;
using engine::Admission;
using engine::Dispatch;
using engine::ExchangeCommand;
using engine::RequestInfo;
using engine::ResponseInfo;
using event::EndedBy;
using event::Phase;
using event::Traffic;
using limits::Code;

// What a clock on the wall shows then.
inline WallTime wall_of(TimePoint now) {
  return {1'785'000'000'000 +
          std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count()};
}

// A copy of an InvocationEnded that owns its text.
struct Ended {
  InvocationId id;
  std::string request_id, method, target, route, file, kind, runtime;
  Traffic traffic;
  int status;
  Duration total, charged, compile;
  std::string instance, start;
  Duration waited, init, own_requests, first_byte, limit;
  std::uint64_t bytes_in, bytes_out;
  event::Outcome outcome;
  bool client_left;
  std::vector<limits::Verdict> verdicts;
  std::int64_t wall_ms;
};

struct Running {
  InvocationId id;
  std::string route, instance, start;
  Duration limit;
};

struct Background {
  InvocationId id;
  std::string route, instance;
  limits::Verdict verdict;
};

class Recorder final : public event::Sink {
 public:
  void on_event(const event::Stamp& stamp, const event::Event& e) override {
    REQUIRE(stamp.seq == last_seq_ + 1);
    REQUIRE(stamp.at >= last_at_);
    last_seq_ = stamp.seq;
    last_at_ = stamp.at;
    if (const auto* s = std::get_if<event::InvocationStarted>(&e)) {
      REQUIRE(s->id != InvocationId::none);
      REQUIRE(started.insert(s->id).second);
    } else if (const auto* r = std::get_if<event::InvocationRunning>(&e)) {
      REQUIRE(started.contains(r->id));
      REQUIRE_FALSE(ended_ids.contains(r->id));
      running.push_back(
          {r->id, std::string(r->route), std::string(r->instance), std::string(r->start), r->limit});
    } else if (const auto* x = std::get_if<event::InvocationEnded>(&e)) {
      if (x->id != InvocationId::none) REQUIRE(ended_ids.insert(x->id).second);
      ended.push_back({x->id,
                       std::string(x->request_id),
                       std::string(x->method),
                       std::string(x->target),
                       std::string(x->route),
                       std::string(x->file),
                       std::string(x->kind),
                       std::string(x->runtime),
                       x->traffic,
                       x->status,
                       x->total,
                       x->charged,
                       x->compile,
                       std::string(x->instance),
                       std::string(x->start),
                       x->waited,
                       x->init,
                       x->own_requests,
                       x->first_byte,
                       x->limit,
                       x->bytes_in,
                       x->bytes_out,
                       x->outcome,
                       x->client_left,
                       {x->verdicts.begin(), x->verdicts.end()},
                       stamp.wall.unix_ms});
    } else if (const auto* b = std::get_if<event::BackgroundWork>(&e)) {
      REQUIRE(ended_ids.contains(b->id));  // told after the end, and once
      REQUIRE(background_ids.insert(b->id).second);
      REQUIRE(b->verdicts.size() == 1);
      background.push_back({b->id, std::string(b->route), std::string(b->instance), b->verdicts[0]});
    } else if (const auto* n = std::get_if<event::Notice>(&e)) {
      notices.emplace_back(n->code);
    } else if (const auto* o = std::get_if<event::SocketOpened>(&e)) {
      sockets.push_back(o->id);
      socket_instance = o->instance;
    } else if (const auto* c = std::get_if<event::RouteCompiled>(&e)) {
      compiled.emplace_back(c->route, c->took);
    }
  }
  std::vector<Ended> ended;
  std::vector<Running> running;
  std::vector<Background> background;
  std::vector<std::string> notices;
  std::set<InvocationId> started, ended_ids, background_ids;
  std::vector<InvocationId> sockets;
  std::string socket_instance;  // of the last one
  std::vector<std::pair<std::string, Duration>> compiled;
  std::uint64_t events() const { return last_seq_; }

 private:
  std::uint64_t last_seq_ = 0;
  TimePoint last_at_{};
};

class SimWorld : engine::Outside {
 public:
  explicit SimWorld(profile::Profile p = make_profile(), engine::EngineOptions o = {})
      : profile(std::move(p)), engine_(profile, o, recorder, this) {}

  static engine::EngineOptions with_agent() {
    engine::EngineOptions o;
    o.agent = true;
    return o;
  }

  void routes(std::vector<routes::Function> functions, std::string base_path = "") {
    engine_.set_routes(std::make_shared<routes::RouteTable>(std::move(functions), std::move(base_path)));
  }
  static routes::Function function(std::string route, routes::Kind kind, std::string file,
                                   std::string page = "") {
    routes::Function f;
    f.route = std::move(route);
    f.kind = kind;
    f.file = std::move(file);
    f.page = std::move(page);
    return f;
  }
  static routes::Function limited(routes::Function f, Duration d, int line = 1) {
    f.max_duration = routes::MaxDuration{false, d, f.file, line};
    return f;
  }

  // `to` must outlive this world.
  void set_profile(const profile::Profile& to) {
    engine_.set_profile(to);
    check();
  }
  void set_time_scale(double scale) {
    engine_.set_time_scale(scale);
    check();
  }

  Admission admit(std::string_view target, std::string_view method = "GET") {
    RequestInfo r;
    r.target = target;
    r.method = method;
    return admit(r);
  }
  Admission admit(RequestInfo r) {
    if (r.method.empty()) r.method = "GET";
    r.path = r.target.substr(0, r.target.find('?'));
    const Admission a = engine_.admit(r, now, wall());
    if (a.action == Action::refuse) {
      REQUIRE(a.id == InvocationId::none);
    } else {
      REQUIRE(a.id != InvocationId::none);
      alive.insert(a.id);
    }
    check();
    return a;
  }
  Admission upgrade(std::string_view target) {
    RequestInfo r;
    r.target = target;
    r.websocket_upgrade = true;
    return admit(r);
  }
  void dispatched(InvocationId id, std::string_view page, routes::Kind kind, bool is_static = false,
                  routes::Runtime runtime = routes::Runtime::nodejs) {
    engine_.dispatched(id, Dispatch{page, kind, runtime, is_static}, now);
    check();
  }
  void compile_started(InvocationId id) {
    engine_.compile_started(id, now);
    check();
  }
  void compile_ended(InvocationId id) {
    engine_.compile_ended(id, now);
    check();
  }
  void handler_started(InvocationId id) {
    engine_.handler_started(id, now);
    check();
  }
  Code head(InvocationId id, int status = 200, bool direct = false,
            std::optional<std::uint64_t> length = std::nullopt) {
    const Code c = engine_.response_head(id, ResponseInfo{status, length, direct}, now);
    if (c != Code::none) over(id);
    check();
    return c;
  }
  Code head(InvocationId id, int status, std::string_view content_type,
            std::optional<std::uint64_t> length = std::nullopt, std::string_view location = {}) {
    const Code c =
        engine_.response_head(id, ResponseInfo{status, length, false, content_type, location}, now);
    if (c != Code::none) over(id);
    check();
    return c;
  }
  // Nobody has seen it begin. A code that replaces the answer takes the instance back, as a deadline does.
  Code head_unseen(InvocationId id, int status = 200) {
    ResponseInfo info;
    info.status = status;
    info.unseen = true;
    const Code c = engine_.response_head(id, info, now);
    if (c != Code::none) holding.erase(id), over(id);
    check();
    return c;
  }
  Code body_over(InvocationId id) {
    const Code c = engine_.request_body_over(id, now);
    if (c != Code::none) over(id);
    check();
    return c;
  }
  bool client_left(InvocationId id) {
    const bool on = engine_.client_left(id, now);
    check();
    return on;
  }
  void client_half_closed(InvocationId id) { engine_.client_half_closed(id); }
  Code failed(InvocationId id, UpstreamFailure f, ExchangeTotals t = {},
              const limits::broken_off::Cause* cause = nullptr) {
    const Code c = engine_.upstream_failed(id, f, t, now, wall(), cause);
    over(id);
    check();
    return c;
  }
  void ended(InvocationId id, ExchangeTotals t = {}) {
    engine_.ended(id, t, now, wall());
    over(id);
    check();
  }

  // Of instances.
  static engine::EngineOptions isolated(profile::Isolation isolation = profile::Isolation::invocation) {
    engine::EngineOptions o = with_agent();
    o.isolation = isolation;
    return o;
  }
  void placed(InvocationId id, std::string_view instance = "i1", std::string_view start = "warm",
              Duration waited = 0s) {
    engine_.placed(id, instance, start, waited, now);
    if (alive.contains(id)) holding.insert(id);
    check();
  }
  Code not_placed(InvocationId id, Code code, Duration waited = 0s) {
    const bool could = alive.contains(id) && !holding.contains(id);
    const Code c = engine_.not_placed(id, code, waited, now, wall());
    if (could) over(id);
    check();
    return c;
  }
  void again(InvocationId id) {
    engine_.again(id, now);
    check();
  }
  Code lost(InvocationId id, Code code, std::string_view cause = "killed by signal 9 (SIGKILL)",
            ExchangeTotals t = {}, bool asked = false) {
    const Code c = engine_.instance_lost(id, {code, std::string(cause), asked}, t, now, wall());
    holding.erase(id);
    lingering.erase(id);
    alive.erase(id);
    check();
    return c;
  }
  void released(InvocationId id, std::vector<Hanging> hanging = {}) {
    engine_.released(id, hanging, now, wall());
    holding.erase(id);
    lingering.erase(id);
    check();
  }
  void state_not_shared(InvocationId id, std::string_view evidence) {
    engine_.state_not_shared(id, evidence, now, wall());
    check();
  }

  // Moves time on, waking the engine exactly when it asked for, as the shell's timer does.
  std::vector<ExchangeCommand> advance(Duration d) {
    const TimePoint until = now + d;
    std::vector<ExchangeCommand> out;
    for (auto next = engine_.next_wakeup(); next && *next <= until; next = engine_.next_wakeup()) {
      REQUIRE(*next >= now);
      now = *next;
      const std::uint64_t told = recorder.events();
      const std::size_t before = out.size();
      wake(out);
      // What asked to be woken had something to do.
      REQUIRE((out.size() > before || recorder.events() > told));
    }
    now = until;
    return out;
  }
  // wake() at a moment nobody asked for.
  std::vector<ExchangeCommand> poke() {
    std::vector<ExchangeCommand> out;
    wake(out);
    return out;
  }

  std::optional<Duration> next() const {
    const auto n = engine_.next_wakeup();
    return n ? std::optional(*n - now) : std::nullopt;
  }
  const Ended& last() const {
    REQUIRE_FALSE(recorder.ended.empty());
    return recorder.ended.back();
  }
  WallTime wall() const { return wall_of(now); }
  engine::Engine& engine() { return engine_; }

  const profile::Profile profile;
  Recorder recorder;
  TimePoint now{Duration(1h)};
  std::set<InvocationId> alive, holding, lingering;
  std::map<InvocationId, TimePoint> expiring;
  std::map<InvocationId, ExchangeTotals> exchanged;
  const Duration* processor_wait = nullptr;  // of its event loop; null: not known

 private:
  ExchangeTotals totals(InvocationId id) const override {
    REQUIRE(alive.contains(id));
    const auto it = exchanged.find(id);
    return it == exchanged.end() ? ExchangeTotals{} : it->second;
  }
  Duration unserved(InvocationId) const override {
    return processor_wait == nullptr ? Duration{} : *processor_wait;
  }
  void wake(std::vector<ExchangeCommand>& out) {
    const std::size_t before = out.size();
    engine_.wake(now, wall(), out);
    for (std::size_t i = before; i < out.size(); ++i) {
      REQUIRE(recorder.ended_ids.contains(out[i].id));
      if (out[i].kind == ExchangeCommand::Kind::expire) {
        REQUIRE(lingering.contains(out[i].id));
        REQUIRE(expiring.emplace(out[i].id, now).second);  // once
        continue;
      }
      REQUIRE(alive.contains(out[i].id));
      alive.erase(out[i].id);
      holding.erase(out[i].id);  // the shell gives it back
    }
    for (auto it = lingering.begin(); it != lingering.end();) {
      const auto since = expiring.find(*it);
      const bool given_up = since != expiring.end() && since->second + 2s <= now;
      if (given_up) holding.erase(*it);
      it = given_up ? lingering.erase(it) : std::next(it);
    }
    if (const auto n = engine_.next_wakeup()) REQUIRE(*n > now);
    check();
  }
  // Its ending was told; one that holds an instance goes on until that is given back.
  void over(InvocationId id) {
    if (alive.erase(id) > 0 && holding.contains(id)) lingering.insert(id);
  }
  void check() {
    REQUIRE(engine_.active() == alive.size());
    REQUIRE(engine_.lingering() == lingering.size());
    for (const InvocationId id : alive) REQUIRE_FALSE(recorder.ended_ids.contains(id));
  }

  engine::Engine engine_;
};

}  // namespace vsim::test
