// What an instance tells of the memory of the modules that an invocation has reached (docs/agent-protocol.md,
// "state"): from the agent's channel to the engine's ledger. Plain data; keys are digests, the values
// themselves never leave the instance.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vsim {

// One variable at the top of a module, or one in `globalThis` or a static field, that the handler's code
// names, itself or through what it calls.
struct StateSeen {
  std::string name;  // "rooms"
  std::string at;    // "lib/rooms.ts:3:14", a file alone where the line is not known, or empty
  std::string kind;  // "map", "set", "array", "emitter", "object", "number", "value"
  std::uint64_t before = 0, after = 0;  // entries: when the handler began, now
  bool changed = false;                 // by this invocation, or while it ran
  bool unread = false;                  // the code in reach only adds to it, as a logger to its buffer
  bool counts = false;                  // a number that went up by one
  bool from_request = false;            // what was put there stands in the request
  bool by_client = false;               // a key is the visitor's address
  bool more = false;                    // it is too large to be looked at in full
  std::vector<std::string> had;    // keys when the handler began; `more`: the newest, and what was asked for
  std::vector<std::string> wrote;  // keys added or changed since
};

struct StateReport {
  std::string method;              // of the request; "ACTION": a Server Action
  bool open = false;               // the response goes on
  std::vector<std::string> asked;  // words of its path, query, cookies and body
  std::vector<StateSeen> seen;
};

}  // namespace vsim
