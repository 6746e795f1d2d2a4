// The engine's inside, shared by its .cpp files only: admission.cpp (what a request is), moments.cpp (what
// happens to it), deadlines.cpp (when it is cut), identity.cpp (which function it is), emit.cpp (what is said
// about it).
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.hpp"
#include "invocation/deadline_queue.hpp"
#include "invocation/slab.hpp"

namespace vsim::engine {

using invocation::Invocation;

struct Engine::Impl {
  Impl(const profile::Profile& p, Options o, event::Sink& s);

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
  Command strike(Invocation& v, TimePoint now);

  // emit.cpp
  void tick(TimePoint& now, WallTime wall);  // time never goes backwards, and the wall clock follows it
  void tick(TimePoint& now);
  void emit(const event::Event& event, TimePoint now);
  void emit_ended(const Invocation& v, const event::Outcome& outcome, const Totals& totals, TimePoint now);
  // Says so, and forgets it: the id is dead afterwards.
  void end(Invocation& v, const event::Outcome& outcome, const Totals& totals, TimePoint now);
  Totals totals_of(const Invocation& v) const {
    return read_totals != nullptr ? read_totals(shell, v.id) : Totals{};
  }
  void note_polling(Invocation& v, int status);
  bool limited(const Invocation& v) const {
    return v.traffic == event::Traffic::invocation || v.traffic == event::Traffic::socket;
  }

  const profile::Profile& profile;
  const Options options;
  event::Sink& sink;
  Rng rng;
  const std::string id_prefix;  // "dev1::"
  std::shared_ptr<const routes::RouteTable> routes;
  invocation::Slab slab;
  invocation::DeadlineQueue deadlines;

  std::uint64_t seq = 0;
  TimePoint now_{};
  WallTime wall_{};
  TimePoint wall_at{};  // when wall_ was told

  Totals (*read_totals)(void*, InvocationId) = nullptr;
  void* shell = nullptr;

  // Routes and paths that have answered once; used with a compile grace only.
  std::set<std::string, std::less<>> warm;
  std::vector<std::string> polling_told;  // paths whose polling was remarked on
};

}  // namespace vsim::engine
