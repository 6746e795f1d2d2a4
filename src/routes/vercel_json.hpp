// What vercel.json says about functions. Plain JSON, parsed with Boost.JSON, which keeps the order of
// members: the first matching pattern wins. All mistakes are collected, in Vercel's own words where they are
// known (docs/platform.md 1.3 and 1.4). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "routes/finding.hpp"

namespace vsim::routes {

struct FunctionSettings {
  std::string pattern;              // key of `functions`
  int line = 0;                     // of the key
  bool max = false;                 // maxDuration: "max"
  std::optional<int> max_duration;  // seconds
  int max_duration_line = 0;
  std::optional<int> memory;  // MB
  std::string runtime;
  std::optional<bool> supports_cancellation;
  std::optional<int> max_concurrency;
  std::vector<std::string> regions;
};

struct Cron {
  std::string path;
  std::string schedule;
  int line = 0;
};

struct VercelJson {
  std::string file = "vercel.json";
  std::vector<FunctionSettings> functions;  // in the order of the file
  std::optional<bool> fluid;
  int fluid_line = 0;
  std::vector<Cron> crons;
  std::vector<std::string> regions;
  std::vector<RouteFinding> findings;
};

// Never fails: a file that is no JSON gives one finding with line and column and no settings.
VercelJson parse_vercel_json(std::string_view text, std::string file = "vercel.json");

// The settings that apply to a source file: exact name or minimatch, the first in the order of the file.
// nullptr: none.
const FunctionSettings* find_settings(const VercelJson& json, std::string_view source_file);

}  // namespace vsim::routes
