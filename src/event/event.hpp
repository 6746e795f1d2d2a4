// Everything that happens, as immutable facts. The terminal, --events, and later the dashboard and reports
// are folds over this one stream. Pure. The string views of an event are valid during the call that delivers
// it: a sink that keeps them copies them.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "limits/verdict.hpp"

namespace vsim::event {

enum class EndedBy : std::uint8_t { function, platform, client, app, emulator };
//  function: it answered; platform: a limit; client: left or broke the protocol; app: crash, reset, garbage;
//  emulator: shutdown, or a person ended its instance
enum class Phase : std::uint8_t { request, routing, running, responding, tunnel };
//  request: head or body from the client; routing: next dev had not said which function; running: no response
//  head yet

struct Outcome {
  EndedBy ended_by = EndedBy::function;
  Phase phase = Phase::responding;
  limits::Code code = limits::Code::none;
};

enum class Traffic : std::uint8_t {
  invocation,  // a function ran (or would have: refused before it)
  prerender,   // a page that Next marks static: build work on Vercel, no limit
  direct,      // next dev answered itself: asset in public/, redirect, middleware answer
  internal,    // the dev server's own: /_next/, /__nextjs, HMR
  socket,      // WebSocket
};

struct RunStarted {
  std::string_view version, url, profile, profile_as_of, app, isolation;
  double time_scale = 1;
};
struct RunStopped {
  std::string_view reason;
  int exit_code = 0;
};
// What a run goes by was switched: the plan, one of its values, or the time scale. It holds for requests that
// come from now on; those under way keep what they came under.
struct ValueChange {
  std::string_view key, from, to;
};
struct ProfileChanged {
  std::string_view profile, profile_as_of, before, isolation;  // before: the profile until now
  double time_scale = 1;
  std::span<const ValueChange> changes;  // keys of the profile, and "time_scale"
};
// A new deployment: requests go to it from now on, and what is open stays on the one before until it ends.
struct Deployed {
  std::uint32_t deployment = 0;                        // 2, 3, …: the run begins with the first
  std::string_view name;                               // VERCEL_DEPLOYMENT_ID of its instances
  std::size_t sockets = 0, streams = 0, requests = 0;  // that stay
};
enum class Fate : std::uint8_t { reconnected, ended, left, lost };
//  of a connection that a deployment has met open. reconnected: its client came back; ended: its function had
//  said all; left: its client went; lost: it was ended, and nobody came back
struct DeploymentMet {
  std::uint32_t deployment = 0;
  InvocationId id = InvocationId::none;
  std::string_view target;  // its path
  bool socket = false;
  Fate fate = Fate::lost;
  Duration stayed{};  // on the old deployment
  Duration took{};    // to come back; zero: it did not
};
struct DeploymentScored {
  std::uint32_t deployment = 0;
  std::size_t sockets = 0, streams = 0;                                  // that stayed
  std::size_t reconnected = 0, ended = 0, left = 0, lost = 0, open = 0;  // open: at the end of the run
  Duration slowest{};
};
enum class AppState : std::uint8_t { starting, ready, crashed, restarting, stopped };
struct AppChanged {
  AppState state;
  std::string_view detail;
};

struct InvocationStarted {
  InvocationId id = InvocationId::none;
  std::string_view request_id;  // whole x-vercel-id
  std::string_view method, target;
};
// Its function's code begins on an instance: charged from now on.
struct InvocationRunning {
  InvocationId id = InvocationId::none;
  std::string_view route, file, instance, start;  // as in InvocationEnded
  Duration limit{};                               // likewise
};
struct InvocationEnded {
  InvocationId id = InvocationId::none;  // none: refused before it was passed on
  std::string_view request_id, method, target;
  Traffic traffic = Traffic::invocation;
  int status = 0;                               // as the client got it; 0 when it got none
  std::string_view route, file, kind, runtime;  // empty when unknown
  Duration total{};                             // request head to end
  Duration charged{};                           // what counted against the deadline
  Duration compile{};                           // not charged
  std::string_view instance;                    // "i3"; empty when no instance of ours served it
  std::string_view start;   // "warm", "bound", "spare", "cold": what it found there; empty likewise
  Duration waited{};        // for an instance; not charged
  Duration init{};          // evaluating the function's modules; not charged
  Duration own_requests{};  // while requests of its own to the app compiled or waited; not charged
  Duration first_byte{};    // from the request's head to the response's; zero: none came
  Duration limit{};         // what `charged` may be, as enforced in this run; zero: no limit, or not known
  std::uint64_t bytes_in = 0, bytes_out = 0;  // bodies
  Outcome outcome;
  bool client_left = false;
  std::string_view origin;  // of a WebSocket: the site that asked, by its field Origin; no browser sends none
  std::span<const limits::Verdict> verdicts;
};
// Middleware that said nothing against its request, of which there is nothing to say: that has an end of its
// own. An answer of its own with 200 is not told from it.
inline bool let_pass(const InvocationEnded& e) {
  return e.kind == "middleware" && e.status == 200 && e.outcome.code == limits::Code::none &&
         e.verdicts.empty();
}
struct SocketOpened {
  InvocationId id = InvocationId::none;
  std::string_view request_id, target;
  std::string_view instance = {};  // that holds it; empty as in InvocationEnded
};
// When bytes passed on a stream or socket, told at its end: from `watched` before this event on, a letter of
// `spans` for each span of time (engine/ticks.hpp).
struct BytesPassed {
  InvocationId id = InvocationId::none;
  Duration watched{}, each{};
  std::string_view spans;
};
struct RouteCompiled {
  std::string_view route;
  Duration took{};
};
// An instance passed from one state to another. The words are those of instance::name(State) and of
// instance::to_string(Why), with "frozen" for a bound or idle one that is stopped.
struct InstanceChanged {
  std::string_view instance;  // "i3", never used again for another one
  std::string_view from, to;  // spawning spare binding bound template leased idle frozen retired dying dead
  std::string_view function;  // route it serves; empty while it serves none
  std::string_view why;       // it must go; empty otherwise
  std::string_view death;     // how its process ended, as text; only with `dead`
  std::uint64_t memory = 0;   // bytes resident when it was last measured; 0 when it was not
  int pid = 0;                // 0 when not known
  std::string_view start;  // "fork", "fork+evaluate" or "spawn": how its process began; only with `spawning`
  std::string_view
      uncopied;  // why there is no template of its function; only with `bound`, once for a reason
};
// Told after the invocation's end, when its instance is frozen or retired while the handler left something
// running.
struct BackgroundWork {
  InvocationId id = InvocationId::none;
  std::string_view request_id, route, file, instance;
  std::span<const limits::Verdict> verdicts;
};
// The command that `vercel-sim test` wraps.
struct CommandRun {
  std::string_view command;
  bool ended = false;  // false: it was started
  int exit_code = 0;   // only when it has ended; 128 and the signal's number when one ended it
};
enum class Level : std::uint8_t { info, warning, error };
struct Notice {
  Level level = Level::info;
  std::string_view code, message, fix, file;
  int line = 0;
};

using Event =
    std::variant<RunStarted, RunStopped, AppChanged, InvocationStarted, InvocationRunning, InvocationEnded,
                 SocketOpened, RouteCompiled, Notice, InstanceChanged, BackgroundWork, CommandRun,
                 ProfileChanged, Deployed, DeploymentMet, DeploymentScored, BytesPassed>;

struct Stamp {
  std::uint64_t seq = 0;
  TimePoint at{};
  WallTime wall{};
};

class Sink {
 public:
  virtual ~Sink() = default;
  virtual void on_event(const Stamp&, const Event&) = 0;  // must not throw, must not block
  // No more for the moment: what was gathered may be handed on. Always told after the last event.
  virtual void on_pause() {}
};

std::string_view to_string(EndedBy);
std::string_view to_string(Phase);
std::string_view to_string(Traffic);
std::string_view to_string(Fate);
std::string_view to_string(AppState);
std::string_view to_string(Level);

}  // namespace vsim::event
