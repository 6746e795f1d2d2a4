// Everything that has a page: the platform's codes, the emulator's, causes that have a message and no code,
// and the rules of `check`, in one shape. The words come from three places and are joined here:
// limits/code.cpp (what the emulator says at run time), codes/*.yaml (the rest of each code's page, and the
// whole of the codes that are not emulated), rules/*.yaml. Read by cli/explain.cpp, by the docs (docs/codes/,
// docs/errors.md) and by reports. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace vsim::explain {

enum class TopicKind : std::uint8_t {
  platform,  // Vercel's own identifier
  emulator,  // SIM_…
  cause,     // a message of an app's own, without a code: no verdict says it
  rule,      // of `check`
};

struct Topic {
  std::string id;
  TopicKind kind = TopicKind::platform;
  std::string category;     // "Function", "DNS", …; of a rule its severities
  bool emulated = false;    // vercel-sim produces it; else it is only explained
  int status = 0;           // what the client gets; 0: no error response
  std::string title;        // one line, no full stop
  std::string why, client;  // why Vercel does it; what the client sees ("" when there is nothing to add)
  std::string fix, example, language;
  std::string bad;                    // of a rule: code that strikes; `example` is code that does not
  std::vector<std::string> messages;  // what people paste into a search box; `*` stands for anything
  std::string found, silence;         // how the emulator comes to say it; what to do when it is meant
  std::vector<std::string> sources;
  std::string as_of;             // "2026-02-09": when the source said so
  std::vector<std::string> see;  // ids of other topics
};

// All of them, by kind, then by id. A mistake in the embedded files ends the program: a unit test reads them.
const std::vector<Topic>& topics();
const Topic* find_topic(std::string_view id);  // any case

// One file of codes/. `known` says whether the limits module has the name; its words are then not the file's.
Result<std::vector<Topic>> parse_codes(std::string_view yaml);

}  // namespace vsim::explain
