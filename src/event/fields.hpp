// Each event's type and fields, written once: what is written as JSON and read back (json_encode.cpp,
// json_decode.cpp), and what docs/events.md must name, are walks of these lines. The order is that of the
// line. Pure; private to this module and its tests.
//
// A visitor has four words, each with the name in JSON and the member:
//   always   written always
//   unless_empty  left out when it is empty, zero, false or none
//   when     written when the condition holds
//   masked   a target: secrets in its query are masked when it is written
#pragma once

#include <boost/mp11/algorithm.hpp>

#include <concepts>
#include <iterator>
#include <string_view>
#include <type_traits>
#include <variant>

#include "event/event.hpp"

namespace vsim::event {

template <class T, class E>
concept Is = std::same_as<std::remove_const_t<T>, E>;

// What each type is called, in the order of Event.
inline constexpr std::string_view kTypes[] = {"run_started",        "run_stopped",        "app_changed",
                                              "invocation_started", "invocation_running", "invocation_ended",
                                              "socket_opened",      "route_compiled",     "notice",
                                              "instance_changed",   "background_work",    "command_run",
                                              "profile_changed",    "deployed",           "deployment_met",
                                              "deployment_scored",  "bytes_passed"};
static_assert(std::size(kTypes) == std::variant_size_v<Event>);
template <class E>
inline constexpr std::string_view kTypeOf = kTypes[boost::mp11::mp_find<Event, E>::value];

[[gnu::always_inline]] inline void fields(Is<RunStarted> auto& e, auto& v) {
  v.always("version", e.version);
  v.always("url", e.url);
  v.always("profile", e.profile);
  v.always("profile_as_of", e.profile_as_of);
  v.unless_empty("app", e.app);
  v.always("isolation", e.isolation);
  v.always("time_scale", e.time_scale);
}

[[gnu::always_inline]] inline void fields(Is<RunStopped> auto& e, auto& v) {
  v.always("reason", e.reason);
  v.always("exit_code", e.exit_code);
}

[[gnu::always_inline]] inline void fields(Is<AppChanged> auto& e, auto& v) {
  v.always("state", e.state);
  v.unless_empty("detail", e.detail);
}

[[gnu::always_inline]] inline void fields(Is<InvocationStarted> auto& e, auto& v) {
  v.always("id", e.id);
  v.always("request_id", e.request_id);
  v.always("method", e.method);
  v.masked("target", e.target);
}

[[gnu::always_inline]] inline void fields(Is<InvocationRunning> auto& e, auto& v) {
  v.always("id", e.id);
  v.unless_empty("route", e.route);
  v.unless_empty("file", e.file);
  v.unless_empty("instance", e.instance);
  v.unless_empty("start", e.start);
  v.unless_empty("limit_ms", e.limit);
}

[[gnu::always_inline]] inline void fields(Is<InvocationEnded> auto& e, auto& v) {
  v.always("id", e.id);
  v.always("request_id", e.request_id);
  v.always("method", e.method);
  v.masked("target", e.target);
  v.always("traffic", e.traffic);
  v.always("status", e.status);
  v.unless_empty("route", e.route);
  v.unless_empty("file", e.file);
  v.unless_empty("kind", e.kind);
  v.unless_empty("runtime", e.runtime);
  v.always("total_ms", e.total);
  v.always("charged_ms", e.charged);
  v.always("compile_ms", e.compile);
  v.unless_empty("instance", e.instance);
  v.unless_empty("start", e.start);
  v.unless_empty("waited_ms", e.waited);
  v.unless_empty("init_ms", e.init);
  v.unless_empty("own_requests_ms", e.own_requests);
  v.unless_empty("first_byte_ms", e.first_byte);
  v.unless_empty("limit_ms", e.limit);
  v.always("bytes_in", e.bytes_in);
  v.always("bytes_out", e.bytes_out);
  v.always("ended_by", e.outcome.ended_by);
  v.always("phase", e.outcome.phase);
  v.unless_empty("code", e.outcome.code);
  v.unless_empty("client_left", e.client_left);
  v.unless_empty("origin", e.origin);
  v.unless_empty("verdicts", e.verdicts);
}

[[gnu::always_inline]] inline void fields(Is<SocketOpened> auto& e, auto& v) {
  v.always("id", e.id);
  v.always("request_id", e.request_id);
  v.masked("target", e.target);
  v.unless_empty("instance", e.instance);
}

[[gnu::always_inline]] inline void fields(Is<BytesPassed> auto& e, auto& v) {
  v.always("id", e.id);
  v.always("for_ms", e.watched);
  v.always("each_ms", e.each);
  v.always("spans", e.spans);
}

[[gnu::always_inline]] inline void fields(Is<RouteCompiled> auto& e, auto& v) {
  v.always("route", e.route);
  v.always("took_ms", e.took);
}

[[gnu::always_inline]] inline void fields(Is<Notice> auto& e, auto& v) {
  v.always("level", e.level);
  v.unless_empty("code", e.code);
  v.always("message", e.message);
  v.unless_empty("fix", e.fix);
  v.unless_empty("file", e.file);
  v.unless_empty("line", e.line);
}

[[gnu::always_inline]] inline void fields(Is<InstanceChanged> auto& e, auto& v) {
  v.always("instance", e.instance);
  v.unless_empty("from", e.from);
  v.always("to", e.to);
  v.unless_empty("function", e.function);
  v.unless_empty("why", e.why);
  v.unless_empty("death", e.death);
  v.unless_empty("memory", e.memory);
  v.unless_empty("pid", e.pid);
  v.unless_empty("start", e.start);
  v.unless_empty("uncopied", e.uncopied);
}

[[gnu::always_inline]] inline void fields(Is<BackgroundWork> auto& e, auto& v) {
  v.always("id", e.id);
  v.always("request_id", e.request_id);
  v.unless_empty("route", e.route);
  v.unless_empty("file", e.file);
  v.unless_empty("instance", e.instance);
  v.unless_empty("verdicts", e.verdicts);
}

[[gnu::always_inline]] inline void fields(Is<CommandRun> auto& e, auto& v) {
  v.always("command", e.command);
  v.always("ended", e.ended);
  v.when(e.ended, "exit_code", e.exit_code);
}

[[gnu::always_inline]] inline void fields(Is<ValueChange> auto& e, auto& v) {
  v.always("key", e.key);
  v.always("from", e.from);
  v.always("to", e.to);
}

[[gnu::always_inline]] inline void fields(Is<ProfileChanged> auto& e, auto& v) {
  v.always("profile", e.profile);
  v.always("profile_as_of", e.profile_as_of);
  v.always("before", e.before);
  v.always("isolation", e.isolation);
  v.always("time_scale", e.time_scale);
  v.unless_empty("changes", e.changes);
}

[[gnu::always_inline]] inline void fields(Is<Deployed> auto& e, auto& v) {
  v.always("deployment", e.deployment);
  v.unless_empty("name", e.name);
  v.always("sockets", e.sockets);
  v.always("streams", e.streams);
  v.always("requests", e.requests);
}

[[gnu::always_inline]] inline void fields(Is<DeploymentMet> auto& e, auto& v) {
  v.always("deployment", e.deployment);
  v.always("id", e.id);
  v.masked("target", e.target);
  v.always("socket", e.socket);
  v.always("fate", e.fate);
  v.always("stayed_ms", e.stayed);
  v.when(e.fate == Fate::reconnected, "took_ms", e.took);
}

[[gnu::always_inline]] inline void fields(Is<DeploymentScored> auto& e, auto& v) {
  v.always("deployment", e.deployment);
  v.always("sockets", e.sockets);
  v.always("streams", e.streams);
  v.always("reconnected", e.reconnected);
  v.always("ended", e.ended);
  v.always("left", e.left);
  v.always("lost", e.lost);
  v.always("open", e.open);
  v.when(e.reconnected > 0, "slowest_ms", e.slowest);
}

// A verdict in the list of an event; where its limit comes from is an object of its own.
[[gnu::always_inline]] inline void fields(Is<limits::Verdict> auto& e, auto& v) {
  v.always("code", e.code);
  v.always("enforced", e.enforced);
  v.unless_empty("limit_key", e.limit_key);
  v.unless_empty("limit", e.limit);
  v.unless_empty("measured", e.measured);
  v.unless_empty("route", e.route);
  v.unless_empty("file", e.file);
  v.unless_empty("fix", e.fix);
  v.unless_empty("from", e.provenance);
}

[[gnu::always_inline]] inline void fields(Is<profile::Provenance> auto& e, auto& v) {
  v.unless_empty("profile", e.profile);
  v.unless_empty("file", e.file);
  v.unless_empty("line", e.line);
  v.unless_empty("source", e.source);
  v.unless_empty("as_of", e.as_of);
  v.unless_empty("confidence", e.confidence);
  v.unless_empty("note", e.note);
}

}  // namespace vsim::event
