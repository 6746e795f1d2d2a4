// What happens to a request that runs on an instance, whoever tells of it first: its connection, its instance
// or its deadline. Around the engine (limits, clocks, verdicts), which it asks and which words all that is
// said; a request that never gets near an instance passes through to it.
//
// Pure: no socket, process or clock. The shell tells it each moment and carries out the commands that it
// appends to `out`, in their order. Time never goes backwards between calls.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/passage.hpp"
#include "engine/engine.hpp"

namespace vsim::core {

// From a broken connection to the word of its process's death: the exit is told when its output is read and
// its descendants are gone, milliseconds later.
inline constexpr Duration kCausePatience = std::chrono::milliseconds(250);
// What waitUntil work gets to end after `expire`: the platform's own shutdown grace (docs/platform.md: 500
// ms).
inline constexpr Duration kExpirePatience = std::chrono::milliseconds(500);

struct RequestCommand {
  enum class Kind : std::uint8_t {
    // To the client's connection, after which the exchange is over (no ended(), no connection_failed()).
    answer,      // no head was sent: answer `code`
    cut,         // end the response where it is
    limit,       // likewise, as `profile.stream_cut` says: its limit was reached
    cut_tunnel,  // close both sides of a WebSocket
    // To its instance.
    begin,      // the function has begun, as its answer shows: its modules are there
    expire,     // its waitUntil work has passed the deadline, and is to end
    take_back,  // its deadline has passed: the instance is no longer its own
    withdraw,   // it is over before it had one
  } kind;
  InvocationId id;
  limits::Code code = limits::Code::none;
};

class Core {
 public:
  using Commands = std::vector<RequestCommand>;

  // `engine` must outlive it.
  explicit Core(engine::Engine& engine);
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  // How it learns the byte counts of an exchange that it ends itself.
  void set_totals_reader(ExchangeTotals (*read)(void* shell, InvocationId), void* shell);

  // --- Callers. The code of `caller` has made this request, before the next moment of it is told. False: no
  // such invocation is under way.
  bool called_by(InvocationId, InvocationId caller);
  // It is middleware of `routed`, which `next dev` has asked for: who has made that has made this.
  bool middleware_of(InvocationId, InvocationId routed);
  InvocationId caller_of(InvocationId) const;
  // As the engine's; a compile of a function's own request stops the clocks of its callers too.
  void compile_started(InvocationId, TimePoint now);
  void compile_ended(InvocationId, TimePoint now);

  // --- Its way to an instance
  void queued(InvocationId, TimePoint now);  // one was asked for
  // It has one; exactly one of done, lost and crashed follows, unless `take_back` comes before. False: nobody
  // wants it any more.
  bool placed(InvocationId, std::string_view instance, std::string_view start, Duration waited, TimePoint now,
              Commands& out);
  void refused(InvocationId, limits::Code, Duration waited, TimePoint now, WallTime wall, Commands& out);
  // The head of the instance's answer says "try the next route"; again(): it is whole, and `next dev` is
  // asked again. What the instance says of it from then on is no news of this request.
  void passed_on(InvocationId);
  void again(InvocationId, TimePoint now);
  bool on_instance(InvocationId) const;

  // --- Its connection
  // Head of a response for the client. A code: it replaces the response, and the exchange is over.
  limits::Code response_head(InvocationId, const engine::ResponseInfo&, TimePoint now, WallTime wall,
                             Commands& out);
  limits::Code request_body_over(InvocationId, TimePoint now, WallTime wall, Commands& out);
  struct FailedConnection {
    bool waits = false;                      // for the cause: a command follows
    limits::Code code = limits::Code::none;  // else the exchange is over: the error to answer; none: a cut
  };
  FailedConnection connection_failed(InvocationId, UpstreamFailure, const ExchangeTotals&, TimePoint now,
                                     WallTime wall, Commands& out);
  // Exactly once for each exchange that nothing else has ended.
  void ended(InvocationId, const ExchangeTotals&, TimePoint now, WallTime wall, Commands& out);

  // --- Its instance; ignored of one that it does not hold
  void done(InvocationId, const std::vector<Hanging>&, TimePoint now, WallTime wall, Commands& out);
  void lost(InvocationId, const limits::instance_end::Loss&, TimePoint now, WallTime wall, Commands& out);
  // The same, while the instance still serves others: the connection will not end by itself.
  void crashed(InvocationId, const limits::instance_end::Loss&, TimePoint now, WallTime wall, Commands& out);
  // The function itself has ended its response before it was whole; the connection breaks too, or has broken.
  void broken_off(InvocationId, limits::broken_off::Cause, TimePoint now, WallTime wall, Commands& out);

  // --- Time
  std::optional<TimePoint> next_wakeup() const;
  void wake(TimePoint now, WallTime wall, Commands& out);
  // The run ends: nobody waits for causes any more.
  void stopping();

  std::size_t passages() const { return passages_.size(); }

 private:
  using Entry = std::pair<const InvocationId, Passage>;

  Passage* find(InvocationId id);
  void set(Entry&, Passage::Where);
  void wait(Entry&, Passage::Where, TimePoint until);
  void hold_callers(Passage&, TimePoint now);
  void let_callers_go(Passage&, TimePoint now);
  Entry* entry(InvocationId);
  void finish(Entry&, limits::Code, TimePoint now, WallTime wall, Commands& out);
  void over(Entry&, TimePoint now, WallTime wall, Commands& out);
  void forget(InvocationId, TimePoint now);
  void cause_known(Entry&, TimePoint now, WallTime wall, Commands& out);
  void strike(const engine::ExchangeCommand&, TimePoint now, Commands& out);
  ExchangeTotals totals_of(InvocationId id) const;

  engine::Engine& engine_;
  std::unordered_map<InvocationId, Passage> passages_;
  std::set<std::pair<TimePoint, InvocationId>> waits_;  // of CauseAwaited, SocketClosed and AfterResponse
  std::vector<engine::ExchangeCommand> struck_;
  ExchangeTotals (*read_totals_)(void*, InvocationId) = nullptr;
  void* shell_ = nullptr;
  bool stopping_ = false;
};

}  // namespace vsim::core
