// A profile: plan × compute model, every value with its source and date (docs/profiles.md). This header is
// what the rest of the program reads; schema.hpp is the one table of keys behind it and loader.hpp turns YAML
// into it. Pure: text in, values out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace vsim::profile {

enum class Plan { hobby, pro, enterprise };
enum class Compute { serverless, fluid };
enum class Isolation { invocation, instance, fluid, none };
enum class WebSocketPolicy {
  reject,
  tunnel
};  // tunnel: passed to the app, closed at the function's maximum duration
enum class WebSocketRefusal { reject, deliver_as_get, drop };  // docs/profiles.md, websocket.refusal
enum class StreamCut { abrupt, clean };  // abrupt: connection closed without the last chunk; clean: with it
enum class Mode { enforce, observe, off };
enum class Switch { on, off };
// What the machine of a deployment lacks. warn: told, and let through.
enum class Strictness { enforce, warn, off };

// The provenance of what was set for this run: by --set, --isolation, --placement or vercel-sim.yaml.
inline constexpr std::string_view kSetByUser = "--set";

// Where a value comes from, printed with every verdict.
struct Provenance {
  std::string profile;  // "hobby", or the path of a user's file, or kSetByUser
  std::string file;     // "profiles/hobby.yaml", with line when known
  int line = 0;
  std::string source;      // URL or facts key, as written in the file
  std::string as_of;       // "2026-08-24"
  std::string confidence;  // DOC, SRC, OBS, LAB, INF, CHOICE
  std::string note;
};

template <class T>
struct Setting {
  T value{};
  Provenance from;
};

struct Profile {
  std::string name;   // "hobby"
  std::string title;  // "Hobby, serverless (project created before 2025-04-23, not on Fluid)"
  // The newest as_of of its values, our own choices (CHOICE) aside: how old the evidence is.
  std::string as_of;
  Setting<Plan> plan;
  Setting<Compute> compute;

  Setting<Duration> duration_default;  // duration.default
  Setting<Duration> duration_max;      // duration.max: what maxDuration may ask for
  // duration.extended_max (beta); equals duration_max where there is none.
  Setting<Duration> duration_extended_max;
  Setting<Duration> edge_first_byte;    // edge.first_byte: edge-runtime functions must begin to answer within
  Setting<Duration> edge_duration_max;  // edge.duration_max: and may stream until
  Setting<StreamCut> stream_cut;        // duration.stream_cut
  Setting<Isolation> isolation;         // isolation
  Setting<std::string> placement;       // placement: "pack" or "spread:N"
  Setting<WebSocketPolicy> websocket_policy;    // websocket.policy
  Setting<WebSocketRefusal> websocket_refusal;  // websocket.refusal
  Setting<int> websocket_refusal_status;        // websocket.refusal_status
  Setting<int> websocket_close_code;            // websocket.close_code; 1006 means: cut without a close frame
  Setting<std::uint64_t> url_max;               // request.url_max, bytes
  Setting<std::uint64_t> header_max;            // request.header_max, bytes of one header (name and value)
  Setting<std::uint64_t> headers_max;           // request.headers_max, bytes of all names and values
  Setting<std::uint64_t> request_body_max;      // request.body_max, bytes
  Setting<Mode> request_body_mode;              // request.body_mode
  Setting<std::uint64_t> response_body_max;     // response.body_max: buffered (not streamed) responses
  Setting<Mode> response_body_mode;             // response.body_mode
  Setting<std::uint64_t> memory_max;            // memory.max, bytes
  Setting<Mode> memory_mode;                    // memory.mode
  Setting<Strictness> network_self;             // network.self: requests to its own server by a loopback name
  Setting<Strictness> network_loopback;         // network.loopback: connections to another loopback port
  Setting<Strictness> network_ipv6;             // network.ipv6: to hosts that have IPv6 addresses only
  Setting<Strictness> network_smtp;             // network.smtp: to port 25
  Setting<Strictness> disk_writes;              // disk.writes: outside /tmp
  Setting<Strictness> programs_absent;          // programs.absent: of this machine, in no function
  Setting<Strictness> disk_tmp;                 // disk.tmp: one of each instance's own
  Setting<std::uint64_t> disk_tmp_max;          // disk.tmp_max: bytes
  Setting<Strictness> disk_reads;               // disk.reads: of files that tracing leaves out
  Setting<Strictness> static_changes;           // static.changes: of what is made at build
  // memory.budget: of all instances together, bytes; nullopt ("auto"): as the machine is
  Setting<std::optional<std::uint64_t>> memory_budget;
  // spares.bound: spares evaluate a function's modules, and run its request path without its handler, before
  // a request comes
  Setting<Switch> spares_bound;
  Setting<Switch> instances_fork;  // instances.fork: instances are copies of a process that has all loaded
  // environment.omit: names of platform variables that instances do not get, with commas; "nothing"
  Setting<std::string> environment_omit;
  Setting<std::string> region;  // region: used in x-vercel-id
};

std::string_view to_string(Plan);
std::string_view to_string(Compute);
std::string_view to_string(Isolation);
std::string_view to_string(WebSocketPolicy);
std::string_view to_string(WebSocketRefusal);
std::string_view to_string(StreamCut);
std::string_view to_string(Mode);
std::string_view to_string(Switch);
std::string_view to_string(Strictness);

}  // namespace vsim::profile
