#include "routes/vercel_json.hpp"

#include <fmt/format.h>
#include <boost/json/value.hpp>

#include <cmath>

#include "base/text.hpp"

#include "routes/glob.hpp"
#include "routes/json_text.hpp"

namespace vsim::routes {
namespace {

namespace json = boost::json;

// The ceiling of Vercel's own schema (build-utils 14.21.1 dist/max-duration.js, facts 1.1), not of any plan.
constexpr std::int64_t kSchemaMaxDuration = 3600;
constexpr std::size_t kMaxPatterns = 50;        // build-utils 14.21.1 dist/schemas.js
constexpr std::size_t kMaxPatternLength = 256;  // the same
constexpr std::int64_t kMinMemory = 128, kMaxMemory = 10240;
constexpr std::int64_t kMaxConcurrency = 8192;

std::optional<std::int64_t> whole_number(const json::value& v) {
  if (v.is_int64()) return v.get_int64();
  if (v.is_uint64()) return INT64_MAX;
  if (!v.is_double() || v.get_double() != std::trunc(v.get_double())) return std::nullopt;
  // Past the range of the type it is past every limit too, and the conversion is not defined.
  constexpr double kPast = 9223372036854775808.0;
  if (v.get_double() >= kPast) return INT64_MAX;
  if (v.get_double() < -kPast) return INT64_MIN;
  return static_cast<std::int64_t>(v.get_double());
}

class Reader {
 public:
  Reader(const JsonText& text, VercelJson& out) : text_(text), out_(out) {}

  void read() {
    const json::object* root = text_.value.if_object();
    if (root == nullptr) {
      note(RouteSeverity::error, {1, 1}, "Invalid vercel.json - should be object.");
      return;
    }
    if (const json::value* v = root->if_contains("functions")) functions(*v);
    if (const json::value* v = root->if_contains("fluid")) {
      if (const bool* b = v->if_bool()) {
        out_.fluid = *b;
        out_.fluid_line = text_.place("fluid").line;
      } else {
        note(RouteSeverity::error, text_.place("fluid"), "Invalid vercel.json - `fluid` should be boolean.");
      }
    }
    if (const json::value* v = root->if_contains("regions")) out_.regions = strings(*v);
    if (const json::value* v = root->if_contains("crons")) crons(*v);
  }

 private:
  void note(RouteSeverity severity, TextPlace at, std::string message, std::string fix = {}) {
    out_.findings.push_back({severity, out_.file, at.line, at.column, std::move(message), std::move(fix)});
  }

  static std::vector<std::string> strings(const json::value& v) {
    std::vector<std::string> out;
    if (const json::array* list = v.if_array())
      for (const json::value& item : *list)
        if (const json::string* s = item.if_string()) out.emplace_back(s->data(), s->size());
    return out;
  }

  void functions(const json::value& v) {
    const json::object* all = v.if_object();
    if (all == nullptr) {
      note(RouteSeverity::error, text_.place("functions"),
           "Invalid vercel.json - `functions` should be object.");
      return;
    }
    if (all->size() > kMaxPatterns) {
      note(RouteSeverity::error, text_.place("functions"),
           fmt::format("Invalid vercel.json - `functions` should NOT have more than {} properties.",
                       kMaxPatterns));
    }
    for (const auto& member : *all) {
      const std::string pattern(member.key());
      const TextPlace at = text_.place(json_path({"functions", pattern}));
      if (pattern.empty() || pattern.size() > kMaxPatternLength) {
        note(RouteSeverity::error, at,
             fmt::format(
                 "Invalid vercel.json - `functions` has a pattern of {} characters; 1 to {} are allowed.",
                 pattern.size(), kMaxPatternLength));
        continue;
      }
      if (pattern.front() == '/') {
        note(RouteSeverity::error, at,
             fmt::format(
                 "The function path \"{}\" is invalid. The path must be relative to your project root and "
                 "therefore cannot start with a slash.",
                 pattern),
             fmt::format("Write \"{}\".", pattern.substr(1)));
      }
      if (const Glob glob(pattern); glob.too_complex()) {
        note(RouteSeverity::warning, at,
             fmt::format("The pattern \"{}\" expands to more than {} alternatives and is not matched here.",
                         pattern, Glob::kMaxAlternatives));
      }
      const json::object* settings = member.value().if_object();
      if (settings == nullptr) {
        note(RouteSeverity::error, at,
             fmt::format("Invalid vercel.json - `functions.{}` should be object.", pattern));
        continue;
      }
      out_.functions.push_back(one(pattern, at, *settings));
    }
  }

  FunctionSettings one(const std::string& pattern, TextPlace at, const json::object& settings) {
    FunctionSettings s;
    s.pattern = pattern;
    s.line = at.line;
    const auto place = [&](std::string_view key) {
      return text_.place(json_path({"functions", pattern, key}));
    };
    // A whole number between two; else the words are said of it.
    const auto number = [&](std::string_view key, std::int64_t least, std::int64_t most, std::string words,
                            std::string fix = {}) -> std::optional<int> {
      const json::value* v = settings.if_contains({key.data(), key.size()});
      if (v == nullptr) return std::nullopt;
      if (const auto n = whole_number(*v); n && *n >= least && *n <= most) return static_cast<int>(*n);
      note(RouteSeverity::error, place(key), std::move(words), std::move(fix));
      return std::nullopt;
    };
    if (const json::value* v = settings.if_contains("maxDuration")) {
      s.max_duration_line = place("maxDuration").line;
      s.max = v->is_string() && v->get_string() == "max";
    }
    if (!s.max)
      s.max_duration = number(
          "maxDuration", 1, kSchemaMaxDuration,
          fmt::format("Functions must have a maxDuration between 1 and {}, or \"max\".", kSchemaMaxDuration),
          "Vercel rejects the deployment (invalid_function_duration).");
    s.memory =
        number("memory", kMinMemory, kMaxMemory,
               fmt::format("Functions must have a memory value between {} and {}", kMinMemory, kMaxMemory));
    s.max_concurrency =
        number("maxConcurrency", 1, kMaxConcurrency,
               fmt::format("Functions must have a maxConcurrency between 1 and {}.", kMaxConcurrency));
    if (const json::value* v = settings.if_contains("supportsCancellation")) {
      if (const bool* b = v->if_bool())
        s.supports_cancellation = *b;
      else
        note(RouteSeverity::error, place("supportsCancellation"),
             fmt::format("Invalid vercel.json - `functions.{}.supportsCancellation` should be boolean.",
                         pattern));
    }
    if (const json::value* v = settings.if_contains("runtime"); v != nullptr && v->is_string())
      s.runtime = std::string(v->get_string());
    if (const json::value* v = settings.if_contains("regions")) s.regions = strings(*v);
    for (const auto& member : settings) {
      const std::string_view key = member.key();
      if (!is_one_of(key, {"architecture", "runtime", "memory", "maxDuration", "affinity", "maxConcurrency",
                           "regions", "includeFiles", "excludeFiles", "functionFailoverRegions",
                           "experimentalTriggers", "supportsCancellation"}))
        note(RouteSeverity::error, place(key),
             fmt::format("Invalid vercel.json - `functions.{}` should NOT have additional property `{}`. "
                         "Please remove it.",
                         pattern, key));
    }
    return s;
  }

  void crons(const json::value& v) {
    const json::array* list = v.if_array();
    if (list == nullptr) {
      note(RouteSeverity::error, text_.place("crons"), "Invalid vercel.json - `crons` should be array.");
      return;
    }
    for (std::size_t i = 0; i < list->size(); ++i) {
      const TextPlace at = text_.place(json_path({"crons", std::to_string(i)}));
      const json::object* o = (*list)[i].if_object();
      const json::value* path = o != nullptr ? o->if_contains("path") : nullptr;
      const json::value* schedule = o != nullptr ? o->if_contains("schedule") : nullptr;
      if (path == nullptr || schedule == nullptr || !path->is_string() || !schedule->is_string()) {
        note(RouteSeverity::error, at,
             fmt::format("Invalid vercel.json - `crons[{}]` needs a `path` and a `schedule`, both strings.",
                         i));
        continue;
      }
      out_.crons.push_back({std::string(path->get_string()), std::string(schedule->get_string()), at.line});
    }
  }

  const JsonText& text_;
  VercelJson& out_;
};

}  // namespace

VercelJson parse_vercel_json(std::string_view text, std::string file) {
  VercelJson out;
  out.file = std::move(file);
  const JsonText parsed = parse_json_text(text);
  if (parsed.error) {
    out.findings.push_back(
        {RouteSeverity::error, out.file, parsed.error_place.line, parsed.error_place.column,
         fmt::format("Couldn't parse JSON file {}: {}.", out.file, *parsed.error),
         "Vercel refuses to deploy with it. It is plain JSON: no comments, no trailing commas."});
    return out;
  }
  Reader(parsed, out).read();
  return out;
}

const FunctionSettings* find_settings(const VercelJson& json, std::string_view source_file) {
  for (const FunctionSettings& s : json.functions)
    if (source_file == s.pattern || Glob(s.pattern).matches(source_file)) return &s;
  return nullptr;
}

}  // namespace vsim::routes
