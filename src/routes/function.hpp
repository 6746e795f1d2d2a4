// What the emulator knows of a function before it runs: its route, its kind, its file and its configured
// maximum duration. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace vsim::routes {

// The four pools that never share an instance on Vercel (facts 8), and the two that are no function.
enum class Kind : std::uint8_t { unknown, pages, app_page, app_route, pages_api, middleware };
enum class Runtime : std::uint8_t { nodejs, edge };

struct MaxDuration {
  bool max = false;  // "max": whatever the plan allows
  Duration value{};  // as asked for, before the plan's cap
  std::string file;  // who asked: "app/api/slow/route.ts" or "vercel.json"
  int line = 0;
};

// One row of the route table. Route patterns are written as Next writes them: "/api/users/[id]",
// "/docs/[...slug]", "/[[...rest]]".
struct Function {
  std::string route;  // "/api/users/[id]", without basePath
  Kind kind = Kind::unknown;
  Runtime runtime = Runtime::nodejs;
  std::string file;  // relative to the project: "src/app/api/users/[id]/route.ts"
  std::optional<MaxDuration> max_duration;
  bool supports_cancellation = false;  // vercel.json functions.*.supportsCancellation
  std::string page =
      {};  // Next 16's own name: "/api/users/[id]/route", "/(shop)/cart/page"; in pages/ the route
  bool metadata =
      false;  // sitemap.ts, opengraph-image.tsx and the like: an app_route that Next writes itself
  bool forced_dynamic = false;  // `dynamic = "force-dynamic"`, its own or the nearest layout's
};

std::string_view to_string(Kind);
std::string_view to_string(Runtime);

}  // namespace vsim::routes
