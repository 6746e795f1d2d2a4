// All policy of the edge: what a request is, which limits it meets, when it is cut, what is said about it.
// Pure: no socket, no process, no clock. The shell (app/) tells it each moment of a request and carries out
// what it answers; bytes never pass through here. One engine, one thread. Time never goes backwards between
// calls.
//
//   admit ─► forward ──► [dispatched, compiling*, compiled*] ─► handler_started ─► response_head ─► ended
//     │         │            └─ with isolation: ─► placed ─► handler_started …, ended and released in any
//     order │         └─ without an agent the function is looked up by path and the deadline starts at admit
//     │            (+ compile grace)
//     ├──► passthrough (dev server's own) ─► ended
//     ├──► tunnel ─► response_head(101) ─► ended
//     └──► refuse / drop: over at once, nothing more to tell
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/exchange.hpp"
#include "base/ids.hpp"
#include "base/module_state.hpp"
#include "base/text.hpp"
#include "base/time.hpp"
#include "engine/drill.hpp"
#include "event/event.hpp"
#include "limits/background.hpp"
#include "limits/broken_off.hpp"
#include "limits/code.hpp"
#include "limits/connections.hpp"
#include "limits/edge_code.hpp"
#include "limits/head.hpp"
#include "limits/instance_end.hpp"
#include "limits/machine.hpp"
#include "limits/made_at_build.hpp"
#include "limits/not_traced.hpp"
#include "profile/profile.hpp"
#include "routes/route_table.hpp"

namespace vsim::engine {

struct EngineOptions {
  // Limits are divided by it, none below one second of real time (unless it already was shorter).
  double time_scale = 1;
  // A preload tells of dispatches; else every request that is not dev-internal is an invocation at once.
  bool agent = false;
  // Without an agent: added to the deadline of a route's requests until it has answered once.
  Duration compile_grace{};
  // `none`: one process serves all, and none of the moments of instances will come.
  profile::Isolation isolation = profile::Isolation::none;
  bool freezes_idle = true;  // instances that nobody uses; not those with an inspector
  bool https = false;
  std::uint64_t seed = 1;
};

// A request head as policy sees it. Views are valid during the call.
struct RequestInfo : limits::Head {
  std::string_view path;  // of the target, up to '?'
  std::string_view accept;
  std::string_view client_address;
  bool websocket_upgrade = false;
  std::string_view origin;  // of an upgrade: the site that asks for it
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
};

enum class Action : std::uint8_t {
  forward,      // to the app
  passthrough,  // to the app, untouched: dev-internal
  tunnel,       // to the app with its upgrade
  as_get,       // to the app as a plain GET: Connection/Upgrade/Sec-WebSocket-* dropped (websocket.refusal:
                // deliver-as-get)
  refuse,       // answer `error` with `error_status` now
  drop,         // never answer; keep the connection open until the client gives up
};

struct Admission {
  Action action = Action::forward;
  InvocationId id = InvocationId::none;
  limits::Code error = limits::Code::none;
  int error_status = 0;                   // 0: the code's own
  std::uint64_t body_limit = kUnlimited;  // tell request_body_over() when the body passes it
  RequestTag tag;                         // tail of x-vercel-id
};

struct Dispatch {
  std::string_view page;  // Next's own name: "/api/users/[id]/route" (16), "/api/users/[id]" (15, 14)
  routes::Kind kind = routes::Kind::unknown;
  routes::Runtime runtime = routes::Runtime::nodejs;
  bool is_static = false;  // Next would render it at build time
};

// What is known of the function an invocation was dispatched to. Views are valid until the next call.
struct DispatchedFunction {
  std::string_view page, route, file, kind;  // kind: routes::to_string(Kind), empty when unknown
  bool edge = false;
  bool is_static = false;  // Next would render it at build time: it runs under no limit
  bool supports_cancellation = false;
  Duration max_duration = kForever;  // as it applies, not scaled; also what makes function groups
  Duration deadline = kForever;      // the same as enforced here, from the handler's start
};

struct ResponseInfo {
  int status = 0;
  std::optional<std::uint64_t> content_length;
  bool direct = false;  // with an agent: no function was dispatched, next dev answered itself
  std::string_view content_type{}, location{};  // of answers to Engine.IO and to upgrades; may be left out
  bool unseen = false;  // the user's code answered, and where it ran nobody saw it begin
};

// What the shell must do to a running exchange.
struct ExchangeCommand {
  enum class Kind : std::uint8_t {
    answer_error,  // no head was sent: answer `code`, then close what goes to the app
    cut,           // a head was sent: end the client's response as profile.stream_cut says
    cut_tunnel,    // close both sides of a WebSocket
    expire,        // its response is over, its waitUntil work is not and has passed the deadline: have the
                   // instance drop it and give it back (released). The only one that leaves the id alive
  } kind;
  InvocationId id;
  limits::Code code;
};

// What only the shell can see of an invocation, asked while the engine is told something of it.
class Outside {
 public:
  // The byte counts of one that the engine ends itself (deadline, replaced response).
  virtual ExchangeTotals totals(InvocationId) const = 0;
  // Whether the event loop of its instance is busy, as that of an endless loop is: no limit is long enough.
  virtual bool busy(InvocationId) const { return false; }
  // How long that event loop has waited for a processor since it began; zero: not known.
  virtual Duration unserved(InvocationId) const { return {}; }

  virtual ~Outside() = default;
};

class Engine {
 public:
  // `profile`, `sink` and `outside` (may be null) must outlive the engine.
  Engine(const profile::Profile& profile, EngineOptions options, event::Sink& sink,
         const Outside* outside = nullptr);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // For requests that are admitted from now on: those under way keep what they came under. `profile` must
  // outlive the engine, and so must the one before. Whether functions are isolated at all stays as it is, and
  // so does the region.
  void set_profile(const profile::Profile& profile);
  void set_time_scale(double scale);  // likewise
  // The table is replaced whole when sources change; running invocations keep the limits they started with.
  void set_routes(std::shared_ptr<const routes::RouteTable> table);

  Admission admit(const RequestInfo&, TimePoint now, WallTime wall);
  // A request the HTTP codec or the door (engine/door.hpp) refused: counted and shown like any other.
  // `status` 0: the code's own.
  RequestTag reject_malformed(limits::Code code, const limits::Head&, TimePoint now, WallTime wall,
                              int status = 0);

  // From the agent, in any order relative to the response, also for ids already ended (then ignored).
  void dispatched(InvocationId, const Dispatch&, TimePoint now);
  void compile_started(InvocationId, TimePoint now);
  void compile_ended(InvocationId, TimePoint now);
  // A request that it makes to the app itself compiles or waits: its clock stands still too.
  void own_request_waits(InvocationId, TimePoint now);
  void own_request_goes_on(InvocationId, TimePoint now);
  void handler_started(InvocationId, TimePoint now);
  // Isolation was asked for and cannot be had: none from now on, before the first request.
  void set_isolation(profile::Isolation);
  // "16.2.12, turbopack", for what is said of it.
  void set_next(std::string_view version);
  // What the agent does not find in it, or not as it knows it: functions that are called there count from
  // their placement on, until the begin of one is seen. False: of no function.
  bool doubt(std::string_view hook);
  // It has not ended, or has and holds an instance still.
  bool knows(InvocationId) const;
  // Nobody may tell when its handler begins: it counts as begun already.
  bool begun_unseen(InvocationId) const;

  // From the instances; ids already ended are ignored.
  std::optional<DispatchedFunction> function(InvocationId) const;
  // The route of a page as people know it: "/api/users/[id]" of "/api/users/[id]/route".
  std::string route_of(const Dispatch&) const;
  // User code has put something new on the server of its instance, as Socket.IO's examples do with `io`. Made
  // again by the same function on another instance it is SIM_STATE_NOT_SHARED.
  // What an instance has found in the memory of its modules and left there, before released() and while a
  // response goes on.
  void module_state(InvocationId, const StateReport&, TimePoint now, WallTime wall);
  void kept_on_server(InvocationId, std::string_view name, TimePoint now, WallTime wall);
  void code_changed();  // what functions made again after an edit is no news  // once dispatched
  // It has an instance ("i3") and holds a slot of it. `start`: "cold", "warm"; `waited`: in the queue.
  // Neither that nor the time to the handler's start is charged. Followed by exactly one of released,
  // instance_lost and again, unless an ExchangeCommand (but expire) ends the invocation before: then they may
  // be left out.
  void placed(InvocationId, std::string_view instance, std::string_view start, Duration waited,
              TimePoint now);
  // It never gets one: the error to answer; none when nobody waits for it.
  limits::Code not_placed(InvocationId, limits::Code, Duration waited, TimePoint now, WallTime wall);
  // Its instance has left the request to the next route and was given back: next dev is asked again.
  void again(InvocationId, TimePoint now);
  // Its instance is gone. As upstream_failed; without a code nobody waits for an answer. After ended(): only
  // its waitUntil work was lost.
  limits::Code instance_lost(InvocationId, const limits::instance_end::Loss&, const ExchangeTotals&,
                             TimePoint now, WallTime wall);
  // Response and waitUntil work are done, and the instance was given back. From here on nothing is charged.
  // May come before ended() (a slow client) or after; until then an invocation that has ended lives on, its
  // clock runs, and its deadline is a ExchangeCommand::expire.
  void released(InvocationId, std::span<const Hanging> hanging, TimePoint now, WallTime wall);
  // A large answer of pages/api is sent by that line of the app ("pages/api/file.ts:3:7"): where a verdict on
  // its size points to.
  void answer_made_at(InvocationId, std::string_view place);
  // Code from strings was refused on the edge runtime: in the function, or in middleware before it.
  void code_refused(InvocationId, const limits::CodeRefused&, TimePoint now, WallTime wall);
  // Middleware has answered, its waitUntil work is done, and this is still open. Also of ids that have ended.
  void middleware_left(InvocationId, std::span<const Hanging>, bool stopped, TimePoint now, WallTime wall);
  // The same of middleware, which runs in `next dev`, in one process. Also of ids that have ended.
  void middleware_state(InvocationId, const StateReport&, TimePoint now, WallTime wall);
  // The instance itself can tell that state of another one was looked for; `evidence` in words.
  void state_not_shared(InvocationId, std::string_view evidence, TimePoint now, WallTime wall);
  // What its instance holds open to an address outside, or that it was refused one more there.
  void connections(InvocationId, const limits::connections::HeldConnections&, TimePoint now, WallTime wall);
  // It has done what the machine of a deployment does not allow.
  void machine(InvocationId, const limits::MachineFact&, TimePoint now, WallTime wall);
  // It has answered with what the build would have made. And what makes an answer another one by right: files
  // that were compiled anew (`all`: anything), a path or a tag that was revalidated.
  void made_at_build(InvocationId, const limits::made_at_build::Made&, TimePoint now, WallTime wall);
  void files_changed(const std::vector<std::string>& files, bool all, TimePoint now);
  void revalidated(TimePoint now);
  // It has read a file that would not be deployed with the function. Also of ids that have ended.
  void not_traced(InvocationId, const Dispatch&, const limits::not_traced::Read&, TimePoint now,
                  WallTime wall);

  // From the shell.
  // The answer is Code::none: forward it, or a code that replaces the response (it is then ended by the
  // platform).
  limits::Code response_head(InvocationId, const ResponseInfo&, TimePoint now);
  limits::Code request_body_over(InvocationId,
                                 TimePoint now);  // the error to answer; none in mode observe: go on
  // true: keep the function running and drain what it says; false: close the connection to the app.
  bool client_left(InvocationId, TimePoint now);
  // Browsers, fetch and curl leave so; it may also mean that the client only waits for the answer. At the
  // function's limit it is taken for gone, as one that was seen to leave.
  void client_half_closed(InvocationId);
  // Before a head was forwarded: the error to answer. After: none, cut the client. `cause`: what the function
  // has told of it.
  limits::Code upstream_failed(InvocationId, UpstreamFailure, const ExchangeTotals&, TimePoint now,
                               WallTime wall, const limits::broken_off::Cause* cause = nullptr);
  // Exactly once for every id that admit() gave with forward, passthrough, tunnel or as_get, unless
  // upstream_failed, instance_lost, the error of response_head, request_body_over or not_placed, or an
  // ExchangeCommand (but expire) ended it: then it must not be called. (drop: called when the client gave
  // up.)
  void ended(InvocationId, const ExchangeTotals&, TimePoint now, WallTime wall);
  // The run ends: what is still open is broken off by the emulator, and ended() is called for each.
  void stopping();

  // Deadlines. wake() may be called at any time; it appends commands for all that are due and ends those
  // invocations.
  std::optional<TimePoint> next_wakeup() const;
  void wake(TimePoint now, WallTime wall, std::vector<ExchangeCommand>& out);

  // Requests with a function whose clients are still there.
  std::vector<Open> open() const;
  std::size_t active() const;     // invocations that have not ended
  std::size_t lingering() const;  // that have, and whose instance was not given back yet

  // An event of the shell's own, stamped in the engine's sequence.
  void announce(const event::Event&, TimePoint now, WallTime wall);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vsim::engine
