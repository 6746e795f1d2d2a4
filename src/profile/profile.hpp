// A profile: plan × compute model, every value with its source and date (docs/profiles.md). This header is
// what the rest of the program reads; schema.hpp is the one table of keys behind it and loader.hpp turns YAML
// into it. Pure: text in, values out.
#pragma once

#include <compare>
#include <cstddef>
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
// Which middleware runs in instances of its own. nodejs: that of the Node.js runtime.
enum class MiddlewareInstances { on, nodejs, off };

// The provenance of what was set for this run: by --set, --isolation, --placement or vercel-sim.yaml.
inline constexpr std::string_view kSetByUser = "--set";

// At most so many; none as it begins.
struct Count {
  static constexpr std::uint32_t kNone = UINT32_MAX;
  std::uint32_t most = kNone;
  bool admits(std::size_t n) const { return most == kNone || n <= most; }
  auto operator<=>(const Count&) const = default;  // NOLINT(modernize-use-nullptr): of clang 14 itself
};
using Bytes = std::uint64_t;
using BytesOrAuto = std::optional<std::uint64_t>;

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
  // One Setting for each row of the table; what each means stands there.
#define VSIM_KEY(type, member, ...) Setting<type> member;
#include "profile/keys.def"
#undef VSIM_KEY
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
std::string_view to_string(MiddlewareInstances);

}  // namespace vsim::profile
