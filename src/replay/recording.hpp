// A recording: whole requests with their outcomes, as JSON lines (docs/replay.md). Written by
// app/recorder.cpp off the I/O thread, read by `vercel-sim replay`. Pure. Holds bodies, cookies and tokens as
// they came: nothing is masked, and whoever writes it to a file keeps others from reading it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "event/event.hpp"

namespace vsim::replay {

struct RecordedHeader {
  std::string name, value;
  bool operator==(const RecordedHeader&) const = default;
};

// How a request ended: what a recording and its replay are compared by.
struct RecordedOutcome {
  event::EndedBy ended_by = event::EndedBy::function;
  event::Phase phase = event::Phase::responding;
  event::Traffic traffic = event::Traffic::invocation;
  int status = 0;                           // as the client got it; 0 when it got none
  std::vector<limits::Code> codes;          // what was enforced, each once; the one that ended it first
  std::string route, file, kind;            // empty when unknown
  Duration total{}, charged{};              // request head to end; what counted against the deadline
  std::optional<Duration> left;             // the client left, so long after its head
  std::vector<RecordedHeader> set_cookies;  // name and value
  bool operator==(const RecordedOutcome&) const = default;
};

struct RecordedBody {
  std::string bytes;       // without framing
  std::uint64_t size = 0;  // how much of it was seen, or announced by its length
  bool whole = true;       // false: `bytes` is less than the client had to send
  bool operator==(const RecordedBody&) const = default;
};

struct RecordedRequest {
  std::uint64_t n = 0;  // order of arrival, from 1
  Duration at{};        // arrival, since the recording began
  std::string method, target;
  std::vector<RecordedHeader> headers;  // in order, as sent
  RecordedBody body;
  bool upgrade = false;  // asked for a WebSocket
  std::string id;        // x-vercel-id
  RecordedOutcome outcome;
  bool operator==(const RecordedRequest&) const = default;
  Duration end() const { return at + outcome.total; }
};

// Where and when it was recorded.
struct About {
  std::string version, profile, profile_as_of, isolation, app;
  std::string url;    // the public origin: "http://localhost:3000"
  std::string build;  // whose Server Action ids it holds; empty: of that one start of the app only
  double time_scale = 1;
  WallTime started;
};

struct Recording {
  About about;
  std::vector<RecordedRequest> requests;  // in order of arrival
  bool ended = false;      // false: the recorder was killed before it could say that this is all
  std::uint64_t lost = 0;  // requests that it could not write
};

// Each appends one line with its newline.
void encode(std::string& out, const About&);
void encode(std::string& out, const RecordedRequest&);
// What became known of request `n` after its end: work that was left hanging.
void encode_later(std::string& out, std::uint64_t n, limits::Code);
void encode_end(std::string& out, std::uint64_t requests, std::uint64_t lost);

// The text of a file. A last line that is not whole is left out. `name` is for messages:
// "r.jsonl:12:40: request.method: expected an HTTP method".
Result<Recording> read_recording(std::string_view text, std::string_view name);
// Whether a file that begins so is a recording: it may be written over.
bool looks_like_recording(std::string_view beginning);

std::string base64(std::string_view bytes);
std::optional<std::string> unbase64(std::string_view text);

}  // namespace vsim::replay
