// The control channel: a unix socket in the run directory where the agent inside `next dev` and the instances
// connect, one JSON object a line, both directions (docs/agent-protocol.md). Takes the lines apart and calls
// the handlers; decides nothing. An instance is believed in what it says of itself only: whether an id that
// it names is its own, the handler checks. I/O thread only.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/state_reader.hpp"
#include "base/hanging.hpp"
#include "base/ids.hpp"
#include "base/module_state.hpp"
#include "base/result.hpp"

namespace boost::asio {
class io_context;
}

namespace vsim::agent {

struct Hello {
  int pid = 0;
  std::string_view next, bundler;
  std::vector<std::string> missing;  // hooks that this Next does not have
  std::string_view exec;             // the program that runs next dev
  bool compile = false;              // it understands compile_line()
  // What instances need of Next; absent: the agent cannot isolate.
  struct Isolation {
    bool ok = false;
    std::vector<std::string> missing;
    bool grouped = false;  // the bundler keeps several routes in one process
  };
  std::optional<Isolation> isolation;
};

// What Next's own evaluated configuration says; absent: the agent could not tell.
struct AppConfig {
  std::optional<std::string> base_path;
  std::optional<std::vector<std::string>> page_extensions;
};

// A compile, an edit, or a new environment, told before anything that depends on it is dispatched.
struct Changed {
  std::uint64_t generation = 0;
  bool all = false;          // whatever has loaded code
  bool environment = false;  // spares too
  std::vector<std::string> files;
};

// Code from strings that the edge runtime refuses was called. Views are valid during the call.
struct Refused {
  std::string_view what, at;  // "new Function()", "app/x/route.ts:12:3" (empty: unknown)
  bool failed = false;        // the function failed then
  bool middleware = false;
};

// Connections of one instance to one address outside.
struct Connections {
  std::string_view to, at, refusal;
  std::uint64_t count = 0;
};

// What instances are started with.
struct Boot {
  std::string file;
  // Of this machine's /tmp: entries that they need though they have one of their own, what to say of those
  // that a variable of the user's names, and why they must share the whole of it (empty: they need not).
  std::vector<std::string> tmp, stand_ins;
  std::string shared_tmp;
  // Of the disk: the project, what stays writable since a variable names it, and why all of it must (empty:
  // it need not).
  std::string project = {};
  std::vector<std::string> writable = {};
  std::string open_disk = {};
};

// What the command `next dev` guesses of its server before there is one, for the template of instances.
struct Ahead {
  Boot boot;
  std::string exec;
  bool grouped = false;  // as Hello::Isolation has it
};

// Something that the machine of a deployment does not have. Words of limits/machine.hpp.
struct Machine {
  std::string_view kind, what, to, at, variable, doubt;
  bool refused = false;
  std::string_view by = {};  // the instance that has it, which the fleet knows
};

// What is kept of an answer that is made at build. Words of limits/made_at_build.hpp.
struct MadeReport {
  std::string_view key, digest, by, kind;
  double every = 0;       // seconds; 0: for ever
  std::int64_t read = 0;  // ms since 1970; 0: not told
  std::vector<std::string> files;
};

// A file that tracing does not put into the function. Words of limits/not_traced.hpp.
struct NotTraced {
  std::string_view page, kind;  // of the function
  std::string_view what, path, at, route;
  bool directory = false, excluded = false;
};

// The answer to compile_line().
struct Precompiled {
  std::string_view page, kind;
  double ms = 0;
  enum class Status { ok, missing, failed, left } status = Status::ok;
  std::string_view error;  // failed: the bundler's text; left: why it was not tried
};

// The answer to bind_line().
struct BoundReport {
  std::string_view page;
  std::vector<std::string> files;
  bool is_template = false;   // it is about to be one, and closes its channel
  std::string_view uncopied;  // why it must not be one; empty: it was not asked to be
  bool client = false;        // its client components were loaded, which may be the reason
};

// What the agent says.
class ControlHandler {
 public:
  virtual void on_hello(const Hello&) = 0;
  virtual void on_listening() = 0;
  virtual void on_config(const AppConfig&) = 0;
  virtual void on_dispatch(InvocationId, std::string_view page, std::string_view kind,
                           std::string_view runtime, bool is_static) = 0;
  virtual void on_compile(InvocationId, bool ended) = 0;
  virtual void on_handler(InvocationId) = 0;
  virtual void on_precompiled(const Precompiled&) {}
  virtual void on_refused(InvocationId, const Refused&) {}
  // Found out behind the request, which has mostly ended.
  virtual void on_not_traced(InvocationId, const NotTraced&) {}
  // Middleware has answered this request. `stopped`: what it left was stopped.
  virtual void on_left(InvocationId, const std::vector<Hanging>&, bool /*stopped*/) {}
  // What middleware found in the memory of its modules and left there: at its answer, and when its waitUntil
  // work is done.
  virtual void on_state(InvocationId, const StateReport&) {}
  virtual void on_boot(const Boot&) = 0;  // what an instance needs to start is there
  virtual void on_changed(const Changed&) = 0;
  virtual void on_problem(std::string_view message) = 0;  // the channel itself: junk, a line without end
  virtual void on_closed(bool booted) = 0;                // `booted`: the one that had said `boot`

 protected:
  ~ControlHandler() = default;
};

// What an instance says. `n` is the number it was started with.
class InstanceHandler {
 public:
  // A process calls itself n and gives this secret. False: there is none of that number, it is connected
  // already, or it is not the process that was started as n. `pid`: the peer's, of SO_PEERCRED.
  virtual bool on_instance(std::uint64_t n, std::string_view secret, pid_t pid) = 0;
  // Whether it is a process of an instance or was started by one: no such speaks for next dev.
  virtual bool is_of_instance(pid_t /*pid*/) { return false; }
  virtual void on_ready(std::uint64_t n, double ms) = 0;
  virtual void on_bound(std::uint64_t n, BoundReport) = 0;
  virtual void on_handler(std::uint64_t n, InvocationId) = 0;
  // What the function is, seen from inside: `is_static` can differ from what the dispatch said.
  virtual void on_dispatch(std::uint64_t n, InvocationId, std::string_view page, std::string_view kind,
                           std::string_view runtime, bool is_static) = 0;
  virtual void on_compile(std::uint64_t n, InvocationId, bool ended) = 0;
  virtual void on_call(std::uint64_t n, bool open) = 0;
  // `files`: all that it has loaded; absent: the same as before. `untouched`: Scheduler::release.
  virtual void on_done(std::uint64_t n, InvocationId, std::optional<std::vector<std::string>> files,
                       const std::vector<Hanging>&, bool untouched) = 0;
  // What it found in the memory of its modules and left there: before on_done, and while a response goes on.
  virtual void on_state(std::uint64_t, InvocationId, const StateReport&) {}
  virtual void on_pong(std::uint64_t n) = 0;
  // The line of the app that sends its large answer.
  virtual void on_answer_at(std::uint64_t /*n*/, InvocationId, std::string_view /*place*/) {}
  virtual void on_refused(std::uint64_t /*n*/, InvocationId, const Refused&) {}
  // Hooks that its Next does not have, or not as they are known.
  virtual void on_missing(std::uint64_t /*n*/, const std::vector<std::string>& /*names*/) {}
  // `id`: the invocation that has them opened, or after which they were counted.
  virtual void on_connections(std::uint64_t, InvocationId, const Connections&) {}
  virtual void on_machine(std::uint64_t, InvocationId, const Machine&) {}
  // It has written, or taken away, this file of its /tmp.
  virtual void on_tmp(std::uint64_t, std::string_view /*wrote*/, std::string_view /*removed*/,
                      bool /*at_build*/) {}
  virtual void on_made(std::uint64_t, InvocationId, const MadeReport&) {}
  virtual void on_revalidated(std::uint64_t) {}  // by a path or a tag
  // Its handler threw after it had taken the socket, so that nobody sees an answer.
  virtual void on_socket_failed(std::uint64_t n, InvocationId) = 0;
  // Its response ended before it was whole. `message`: of the error, if there was one; `source`: the app's
  // line that did it, if that is known.
  virtual void on_broken_off(std::uint64_t n, InvocationId, std::string_view message,
                             std::string_view source) = 0;
  // It dies of this invocation's code, which gets no answer any more; others may still get theirs.
  virtual void on_crashed(std::uint64_t n, InvocationId, int exit_status) = 0;
  virtual void on_dying(std::uint64_t n, std::string_view why, std::string_view message,
                        std::string_view stack) = 0;
  virtual void on_closed(std::uint64_t n) = 0;

 protected:
  ~InstanceHandler() = default;
};

class ControlChannel {
 public:
  // `handler` and `io` must outlive it.
  ControlChannel(boost::asio::io_context& io, ControlHandler& handler, std::string token);
  ~ControlChannel();
  Result<bool> listen(const std::string& socket_path);
  // Null: connections of instances are refused.
  void set_instances(InstanceHandler* instances);

  // One line to an instance, without its end. False: it is not connected. Never blocks; a process that is
  // stopped, or reads no more, gets it later or never.
  bool send(std::uint64_t n, std::string line);
  // The same, to the agent that came last.
  bool send_to_agent(std::string line) { return send(0, std::move(line)); }
  // What n, a template that has left, has told of its variables for its copies; null: nothing.
  std::shared_ptr<const StateReader::Variables> told_by(std::uint64_t n) const;
  // n, which has not come yet, begins with it.
  void begins_with(std::uint64_t n, std::shared_ptr<const StateReader::Variables>);
  // Its number means nobody from now on: it is not heard any more, and its connection is closed.
  void forget(std::uint64_t n);

  struct Impl;  // control_channel.cpp's

 private:
  std::shared_ptr<Impl> impl_;
};

// What a connection has said before.
struct Said {
  bool booted = false;  // where the boot file is
  StateReader state;
};

// One line, for ControlChannel and its tests. False when it is not one the protocol knows; unknown types and
// fields are ignored and true.
bool deliver(std::string_view line, ControlHandler& handler, Said& said);
bool deliver(std::string_view line, std::uint64_t n, InstanceHandler& handler, Said& said);

// What the command `next dev` writes, which is no connection's (app/ahead.hpp).
std::optional<Ahead> ahead(std::string_view line);

// For the agent. `kind` as Next says it ("APP_ROUTE"), or "MIDDLEWARE".
std::string compile_line(std::string_view page, std::string_view kind);
// How instances are used from now on: "fluid".
std::string policy_line(std::string_view isolation);
// Lines for instances. `client`: a template evaluates the client components of a page too.
std::string bind_line(std::string_view page, std::string_view kind, std::string_view runtime,
                      std::string_view head, bool as_template = false, bool client = true);
std::string ping_line();
// To the template of instances: what one copy of it is to be (src/agent/instance/copying.cjs).
std::string copy_line(std::uint64_t n, std::string_view socket, std::string_view mark);
std::string expire_line(InvocationId);
// To an instance that is dying: no more will come than these, of which some may be on their way.
std::string last_line(std::span<const InvocationId> placed);

}  // namespace vsim::agent
