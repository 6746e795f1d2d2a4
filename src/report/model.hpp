// What a run was, folded from its events: what every report is made of. Pure. Holds only what the JSON lines
// of `--events` hold, so that a recorded run and a live one give the same bytes. Filled by Collector, read by
// the renderers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "event/event.hpp"

namespace vsim::report {

// Where a limit comes from.
struct ProvenanceRecord {
  std::string profile, file;
  int line = 0;
  std::string source, as_of, confidence, note;
};

// What was said the same way of the same place, however often.
struct Problem {
  limits::Code code = limits::Code::none;
  bool enforced = true;  // false: a warning, nothing was changed
  std::string route, file;
  int line = 0, column = 0;  // in the file, from 1; 0: unknown
  std::string path;          // of the request, when no route is known
  std::string message;       // of a notice about the project; else the code's title says it
  std::string limit_key, limit, fix;
  ProvenanceRecord from;
  std::size_t count = 0;

  // The first time. No method: it was no request.
  std::string method, target, request_id, instance, measured;
  int status = 0;
  Duration at{};  // since the run's first event
};

struct InvocationRecord {
  InvocationId id = InvocationId::none;  // none: refused before it was passed on
  std::string request_id, method, target, route, file, kind, instance, start;
  event::Traffic traffic = event::Traffic::invocation;
  int status = 0;
  Duration began{};  // since the run's first event
  Duration total{}, charged{}, compile{}, waited{}, init{}, own_requests{};
  std::optional<Duration> handler;  // when its function's code began, after `began`; none: that was not seen
  Duration first_byte{};            // of the response, after `began`; zero: none came
  std::uint64_t bytes_in = 0, bytes_out = 0;
  event::Outcome outcome;
  bool client_left = false;
  std::vector<std::size_t> problems;  // of Run::problems, without repetition
  std::size_t said_in_time = 0;       // how many of them were said at its end; the rest are late words
};

// What was said of an invocation when it was over: its handler had left something running.
struct LateWord {
  InvocationId id = InvocationId::none;
  std::string request_id, route, instance;
  Duration at{};
  std::vector<std::size_t> problems;  // of Run::problems
};

// A time in one state; the last one of an instance lasts until the run's end unless it is `dead`.
struct Stay {
  std::string state;
  Duration since{};
};
struct InstanceRecord {
  std::string name, function, why, death;
  std::vector<Stay> stays;
  std::uint64_t memory = 0;  // the most that was measured
  int pid = 0;
  std::size_t served = 0;
};

struct NoticeRecord {
  event::Level level = event::Level::info;
  std::string code, message, fix, file;
  int line = 0;
};

// The plan or the time scale was switched.
struct SwitchRecord {
  Duration at{};
  std::string profile, profile_as_of, isolation;
  double time_scale = 1;
};

// How a new deployment went for what was open.
struct Deployment {
  Duration at{};
  event::Deployed came;
  event::DeploymentScored score;
  bool scored = false;
};

struct Route {
  std::string route, file, kind;
  std::size_t invocations = 0, cold = 0;
  Duration charged{};  // of all of them
  Duration longest{};
};

struct Run {
  std::string version, url, profile, profile_as_of, app, isolation;
  double time_scale = 1;  // these six as the run began
  std::vector<SwitchRecord> switches;
  std::vector<Deployment> deployments;
  WallTime started;         // of the first event
  Duration length{};        // from the first event to the last
  bool stopped = false;     // false: the events end before the run did
  std::string stop_reason;  // "SIGINT"
  int exit_code = 0;
  std::string command;  // of `test`; empty: there was none, or it did not start
  bool command_ended = false;
  int command_exit = 0;

  std::size_t requests = 0;  // without the dev server's own
  std::size_t invocations = 0, prerenders = 0, direct = 0, sockets = 0;
  std::size_t crashes = 0;  // of the app

  std::vector<Problem> problems;          // by first time
  std::vector<InvocationRecord> calls;    // what reached a function or was refused before it, by end
  std::vector<InstanceRecord> instances;  // by first time
  std::vector<Route> routes;              // by first time
  std::vector<NoticeRecord> notices;      // those that are no Problem
  std::vector<LateWord> late_words;       // by time: of invocations that left something running

  // The events themselves as JSON lines, for the page that draws them; only with Collector::keep_events.
  std::string events;
  std::size_t events_left_out = 0;  // beyond what a page can hold

  // How often something happened that fails on Vercel: enforced, and said of the app and not of the way it is
  // tested (docs/reports.md).
  std::size_t violations() const;
  std::size_t warnings() const;  // everything else that was said
};

// Whether an enforced verdict of this code is a violation: all but those that say the app was not there.
bool is_violation_code(limits::Code);
bool is_violation(const Problem&);

}  // namespace vsim::report
