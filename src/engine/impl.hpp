// The engine's inside, shared by its .cpp files only: admission.cpp (what a request is), moments.cpp (what
// happens to it), instances.cpp (where it runs), deadlines.cpp (when it is cut), identity.cpp (which function
// it is), emit.cpp (what is said about it).
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/engine.hpp"
#include "engine/sight.hpp"
#include "engine/state_ledger.hpp"
#include "engine/told.hpp"
#include "invocation/deadline_queue.hpp"
#include "invocation/slab.hpp"
#include "limits/duration.hpp"

namespace vsim::engine {

using invocation::Invocation;

struct Engine::Impl {
  Impl(const profile::Profile& p, EngineOptions o, event::Sink& s, const Outside* of);

  // admission.cpp
  Invocation* take(const RequestInfo& r, const RequestTag& tag, TimePoint now);
  void refuse(Admission& a, const RequestInfo& r, limits::Verdict verdict, TimePoint now, int status = 0,
              event::Traffic traffic = event::Traffic::invocation);

  // identity.cpp
  const routes::Function* function_at(std::string_view path);
  const routes::Function* function_of(const Dispatch& d);
  // Sets route, file, kind and limits. `function` may be null: the profile's default applies.
  void identify(Invocation& v, const routes::Function* function, bool edge, bool with_grace);
  bool is_cold(const Invocation& v) const;
  void mark_warm(Invocation& v);

  // deadlines.cpp
  void rearm(Invocation& v);
  std::optional<ExchangeCommand> strike(Invocation& v, TimePoint now);
  const limits::Verdict& duration_verdict(const Invocation& v, bool tunnel, TimePoint now);

  // instances.cpp
  bool isolated() const { return options.isolation != profile::Isolation::none; }
  // On an instance the handler itself starts the clock: Next answers some requests alone.
  bool head_starts_clock() const { return !isolated(); }
  static std::string_view sight_of(const Invocation& v) {
    return v.runtime == routes::to_string(routes::Runtime::edge) ? v.runtime : v.kind;
  }
  void begins_unseen(Invocation& v);
  // Its answer came, and nobody saw it begin. The code that replaces the answer if it comes too late.
  limits::Code answered_unseen(Invocation& v, TimePoint now);
  void init_over(Invocation& v, TimePoint now);
  // What is told when the instance of an ended invocation was given back; the id is dead afterwards.
  void settle(Invocation& v, std::span<const Hanging> hanging, TimePoint now);
  bool told_interval(std::span<const Hanging> hanging);
  void drop(Invocation& v);

  // emit.cpp
  void tick(TimePoint& now, WallTime wall);  // time never goes backwards, and the wall clock follows it
  void tick(TimePoint& now);
  void emit(const event::Event& event, TimePoint now);
  void emit_running(const Invocation& v, TimePoint now);
  void emit_ended(const Invocation& v, const event::Outcome& outcome, const ExchangeTotals& totals,
                  TimePoint now, std::span<const limits::Verdict> verdicts);
  void emit_background(const Invocation& v, const limits::Verdict& verdict, TimePoint now);
  // Says so, and forgets it: the id is dead afterwards, unless it holds an instance: then it lingers.
  void end(Invocation& v, const event::Outcome& outcome, const ExchangeTotals& totals, TimePoint now);
  ExchangeTotals totals_of(const Invocation& v) const {
    return outside != nullptr ? outside->totals(v.id) : ExchangeTotals{};
  }
  // A verdict that may come when the request is over: in its end if it has not ended, else by itself. `v`
  // null: the id is dead.
  void tell(Invocation* v, InvocationId id, limits::Verdict verdict, TimePoint now);
  void note_polling(Invocation& v, int status);
  void note_socket_server(Invocation& v, const ResponseInfo& info, bool function);
  void note_state(Invocation& v, std::string_view evidence);
  void note_apart(const Invocation& v, TimePoint now);
  void note_unheard(const Invocation& v, TimePoint now);
  // As the platform names it where the function is middleware.
  static limits::Code named(limits::Code, const Invocation&);
  Duration unserved(const Invocation& v) const;
  // What it may be charged; zero: anything.
  Duration limit_of(const Invocation& v) const {
    const Duration most = v.life.head_seen() ? v.total : std::min(v.first_byte, v.total);
    return limited(v) && most != kForever ? most : Duration::zero();
  }
  bool forgives(Invocation& v, TimePoint now);
  bool limited(const Invocation& v) const {
    return v.traffic == event::Traffic::invocation || v.traffic == event::Traffic::socket;
  }

  const profile::Profile& profile_of(const Invocation* v) const {
    return v != nullptr ? *v->profile : *profile;
  }

  const profile::Profile* profile;  // of what comes now; an invocation has its own
  EngineOptions options;
  event::Sink& sink;
  const Outside* outside;
  Rng rng;
  const std::string id_prefix;  // "dev1::"
  std::shared_ptr<const routes::RouteTable> routes;
  invocation::Slab slab;
  invocation::DeadlineQueue deadlines;

  std::size_t lingering = 0;
  bool stopping = false;
  Sight sight;
  std::string next_version;

  // What the route table said of a page that was dispatched; of this table only.
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
  };
  struct Page {
    routes::Kind kind;
    const routes::Function* function;
  };
  std::unordered_map<std::string, Page, TextHash, std::equal_to<>> pages;

  // The last duration verdict: streams that are cut in one wake differ in what was measured only.
  struct Worded {
    std::string route, file, config_file;
    int config_line = 0;
    limits::duration::Limit limit;
    const profile::Profile* profile = nullptr;
    double time_scale = 1;
    bool before_head = false, tunnel = false, grace = false, busy = false, known = false;
    std::string_view kind;
    limits::Verdict verdict;
  } worded;

  std::uint64_t seq = 0;
  TimePoint now_{};
  WallTime wall_{};
  TimePoint wall_at{};  // when wall_ was told

  // Routes and paths that have answered once; used with a compile grace only.
  std::set<std::string, std::less<>> warm;
  StateLedger state;                                  // what the memory of instances holds
  std::map<std::string, std::string> kept_on_server;  // route and name -> the instance that has it
  limits::connections::ConnectionLedger connections;
  limits::made_at_build::ContentLedger made;  // the last answers of what is made at build
  Told made_told;                             // routes of which it was told
  Told machine_told;      // what was let through: stand-ins, and a route's addresses and files
  Told connections_told;  // addresses to which several instances hold some
  Told apart_told;        // routes whose sockets on several instances were remarked on
  Told polling_told;      // paths whose polling was remarked on
  std::set<std::string, std::less<>> intervals_told;  // places
  bool unserved_told = false;                         // the machine is too busy
  Told unheard_told;                                  // routes whose limit struck when nobody read any more
  Told no_server_told;                                // paths, statuses and transports
};

}  // namespace vsim::engine
