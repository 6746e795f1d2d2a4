// Joins file conventions, what the files say, and vercel.json into the functions of the route table.
// Precedence of maxDuration: function code, then vercel.json `functions` (docs/platform.md 1.3); the
// dashboard and the plan's default are the profile's business. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "routes/file_conventions.hpp"
#include "routes/finding.hpp"
#include "routes/function.hpp"
#include "routes/source_config.hpp"
#include "routes/vercel_json.hpp"

namespace vsim::routes {

using SourceConfigs = std::map<std::string, SourceConfig, std::less<>>;  // by file; layouts too

struct Resolved {
  std::vector<Function> functions;
  std::vector<RouteFinding> findings;
};

// `vercel` may be null. Function::max_duration keeps the value asked for: the plan's cap is the engine's.
Resolved resolve(Conventions conventions, const SourceConfigs& configs, const VercelJson* vercel);

// A function that asks for more (or less) than the plan has: `vercel build` or the deployment fails on it.
struct OverPlan {
  std::string route;
  std::string file;  // of the value: a source file, or "vercel.json"
  int line = 0;
  Duration asked{};
  std::string message;  // Vercel's own words
};
// `plan_max` is the profile's maximum, `plan_name` "hobby", "pro", "enterprise". One entry per wrong value,
// sorted by file and line. With `vercel`, its values are judged even where the function's own code overrides
// them: the deployment is refused all the same.
std::vector<OverPlan> over_plan(const std::vector<Function>& functions, Duration plan_max,
                                std::string_view plan_name, const VercelJson* vercel = nullptr);

// What Vercel calls the function of a route: "/api/users/[id]" is "api/users/[id]", "/" is "index".
std::string vercel_function_name(std::string_view route);

}  // namespace vsim::routes
