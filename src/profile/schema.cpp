#include "profile/schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <type_traits>

#include "base/text.hpp"
#include "profile/words.hpp"

namespace vsim::profile {
namespace {

using OptionalSize = std::optional<std::uint64_t>;

constexpr std::string_view kAuto = "auto";
constexpr int kMaxSpread = 64;  // more instances than a laptop holds: a typo

bool whole_number(std::string_view text, int& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && !text.empty() && text.front() != '-';
}

bool legal_placement(std::string_view text) {
  if (text == "pack") return true;
  constexpr std::string_view kSpread = "spread:";
  int n = 0;
  return text.starts_with(kSpread) && whole_number(text.substr(kSpread.size()), n) && n >= 1 &&
         n <= kMaxSpread;
}

bool legal_region(std::string_view text) {
  const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
  return text.size() >= 4 && text.size() <= 5 && letter(text[0]) && letter(text[1]) && letter(text[2]) &&
         std::all_of(text.begin() + 3, text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Names of environment variables, with commas between them.
bool legal_names(std::string_view text) {
  if (text == "nothing") return true;
  const auto legal = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == ',';
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), legal) && text.front() != ',' &&
         text.back() != ',' && text.find(",,") == std::string_view::npos;
}

#define VSIM_DOCS "https://vercel.com/docs/"

// Ranges are wide on purpose: a user's profile may describe a plan that does not exist yet, or shrink a limit
// to make a test short. What they refuse is what can only be a slip (a duration of days, a header limit no
// request can meet).
const Key kKeys[] = {
    {.name = "plan",
     .member = &Profile::plan,
     .example = "hobby",
     .doc = "Vercel's commercial plan. Named in build errors and at start.",
     .source = VSIM_DOCS "limits"},
    {.name = "compute",
     .member = &Profile::compute,
     .example = "serverless",
     .doc = "The compute model. Projects created since 2025-04-23 are on Fluid unless it was switched off.",
     .source = VSIM_DOCS "fluid-compute"},
    {.name = "duration.default",
     .member = &Profile::duration_default,
     .example = "10s",
     .min = "1ms",
     .max = "86400s",
     .none = true,
     .doc = "How long a function may take that sets no `maxDuration`, the sending of its response included. "
            "No response head by then: "
            "504 `FUNCTION_INVOCATION_TIMEOUT`.",
     .source = VSIM_DOCS "functions/configuring-functions/duration"},
    {.name = "duration.max",
     .member = &Profile::duration_max,
     .example = "60s",
     .min = "1ms",
     .max = "86400s",
     .none = true,
     .doc = "The most that `maxDuration` may ask for. More than this fails the build on Vercel; here it is "
            "reported and capped.",
     .source = VSIM_DOCS "functions/configuring-functions/duration"},
    {.name = "duration.extended_max",
     .member = &Profile::duration_extended_max,
     .example = "1800s",
     .min = "1ms",
     .max = "86400s",
     .none = true,
     .doc = "Extended maximum (beta): only for functions that ask for it in code or in `vercel.json`. A "
            "profile that sets "
            "`duration.max` and not this one has none: it is then equal to `duration.max`.",
     .source = VSIM_DOCS "functions/configuring-functions/duration"},
    {.name = "duration.stream_cut",
     .member = &Profile::stream_cut,
     .example = "abrupt",
     .doc = "How a response ends whose head was already sent when the time is over.",
     .source = VSIM_DOCS "functions/limitations"},
    {.name = "edge.first_byte",
     .member = &Profile::edge_first_byte,
     .example = "25s",
     .min = "1ms",
     .max = "86400s",
     .none = true,
     .doc = "Functions of the edge runtime must begin to answer within this.",
     .source = VSIM_DOCS "functions/limitations"},
    {.name = "edge.duration_max",
     .member = &Profile::edge_duration_max,
     .example = "300s",
     .min = "1ms",
     .max = "86400s",
     .none = true,
     .doc = "And may stream until this.",
     .source = VSIM_DOCS "functions/limitations"},
    {.name = "isolation",
     .member = &Profile::isolation,
     .example = "invocation",
     .doc = "What invocations share. `--isolation` overrides it.",
     .source = VSIM_DOCS "fluid-compute"},
    {.name = "placement",
     .member = &Profile::placement,
     .example = "spread:2",
     .form = "\"pack\", or \"spread:N\" with N from 1 to 64",
     .legal = legal_placement,
     .doc = "Which instance an invocation gets under the isolation policies `instance` and `fluid`: `pack` "
            "fills the first one, as the "
            "platform prefers; `spread:N` lets at least N take turns, so that what breaks at scale breaks "
            "here. `--placement` overrides it.",
     .source = VSIM_DOCS "fluid-compute"},
    {.name = "websocket.policy",
     .member = &Profile::websocket_policy,
     .example = "reject",
     .doc = "What happens to a WebSocket upgrade of the application. The dev server's own hot-reload socket "
            "always passes.",
     .source = VSIM_DOCS "functions/websockets"},
    {.name = "websocket.refusal",
     .member = &Profile::websocket_refusal,
     .example = "reject",
     .doc = "How an upgrade is refused under `websocket.policy: reject`.",
     .source = VSIM_DOCS "functions/websockets"},
    {.name = "websocket.refusal_status",
     .member = &Profile::websocket_refusal_status,
     .example = "400",
     .min = "200",
     .max = "599",
     .doc = "HTTP status of a refusal under `websocket.refusal: reject`.",
     .source = VSIM_DOCS "functions/websockets"},
    {.name = "websocket.close_code",
     .member = &Profile::websocket_close_code,
     .example = "1006",
     .min = "1000",
     .max = "4999",
     .doc = "Close code of a tunnelled WebSocket at the function's maximum duration. 1006: cut without a "
            "close frame.",
     .source = VSIM_DOCS "functions/websockets"},
    {.name = "request.url_max",
     .member = &Profile::url_max,
     .example = "14KiB",
     .min = "64B",
     .max = "1MiB",
     .doc = "Longest request target. More: 414 `URL_TOO_LONG`.",
     .source = VSIM_DOCS "errors/URL_TOO_LONG"},
    {.name = "request.header_max",
     .member = &Profile::header_max,
     .example = "16KiB",
     .min = "64B",
     .max = "1MiB",
     .doc = "Largest single header, name and value. More: 431 `REQUEST_HEADER_TOO_LARGE`.",
     .source = VSIM_DOCS "errors/REQUEST_HEADER_TOO_LARGE"},
    {.name = "request.headers_max",
     .member = &Profile::headers_max,
     .example = "32KiB",
     .min = "64B",
     .max = "1MiB",
     .doc = "All header names and values together. More: 431 `REQUEST_HEADER_TOO_LARGE`.",
     .source = VSIM_DOCS "errors/REQUEST_HEADER_TOO_LARGE"},
    {.name = "request.body_max",
     .member = &Profile::request_body_max,
     .example = "4.5MB",
     .min = "0B",
     .max = "1TiB",
     .none = true,
     .doc = "Largest request body of a function. More: 413 `FUNCTION_PAYLOAD_TOO_LARGE`, before the function "
            "runs.",
     .source = VSIM_DOCS "errors/FUNCTION_PAYLOAD_TOO_LARGE"},
    {.name = "request.body_mode",
     .member = &Profile::request_body_mode,
     .example = "enforce",
     .doc = "What `request.body_max` does.",
     .source = VSIM_DOCS "errors/FUNCTION_PAYLOAD_TOO_LARGE"},
    {.name = "response.body_max",
     .member = &Profile::response_body_max,
     .example = "4.5MB",
     .min = "0B",
     .max = "1TiB",
     .none = true,
     .doc = "Largest response body of a function that is not streamed (`pages/api`). More: 500 "
            "`FUNCTION_RESPONSE_PAYLOAD_TOO_LARGE`.",
     .source = VSIM_DOCS "errors/FUNCTION_RESPONSE_PAYLOAD_TOO_LARGE"},
    {.name = "response.body_mode",
     .member = &Profile::response_body_mode,
     .example = "observe",
     .doc = "What `response.body_max` does.",
     .source = VSIM_DOCS "errors/FUNCTION_RESPONSE_PAYLOAD_TOO_LARGE"},
    {.name = "memory.max",
     .member = &Profile::memory_max,
     .example = "1GiB",
     .min = "64MiB",
     .max = "1TiB",
     .none = true,
     .doc = "Memory of one instance.",
     .source = VSIM_DOCS "functions/limitations"},
    {.name = "memory.mode",
     .member = &Profile::memory_mode,
     .example = "observe",
     .doc = "What `memory.max` does.",
     .source = VSIM_DOCS "functions/limitations"},
    {.name = "memory.budget",
     .member = &Profile::memory_budget,
     .example = "600MB",
     .min = "64MiB",
     .max = "1TiB",
     .doc =
         "Memory of all instances together, pages that they share counted once. When it is full, requests "
         "wait for room, and the instance that was unused the longest goes first. `auto`: a quarter of the "
         "machine's memory (of the control group's where that is less), 1.5 GB at most. The platform has no "
         "such limit: this one protects the machine. An instance weighs 60 to 150 MB.",
     .source = VSIM_DOCS "fluid-compute"},
    {.name = "network.self",
     .member = &Profile::network_self,
     .example = "warn",
     .doc =
         "Requests of a function to its own server by a loopback name (`http://localhost:3000/api`): "
         "ECONNREFUSED there, `SIM_LOCALHOST_SELF_FETCH`. `$VERCEL_URL` and addresses made from the request "
         "are left alone. Certain is an address that the calling file writes out and that nothing else can "
         "have made.",
     .source = "https://github.com/vercel/next.js/issues/44062"},
    {.name = "network.loopback",
     .member = &Profile::network_loopback,
     .example = "warn",
     .doc =
         "Connections of a function to another loopback port (`SIM_LOOPBACK_SERVER`), unless the instance or "
         "a child of it listens there. What a variable of the environment names is told once as a stand-in.",
     .source = "https://github.com/vercel/next.js/issues/59153"},
    {.name = "network.ipv6",
     .member = &Profile::network_ipv6,
     .example = "warn",
     .doc = "Connections to hosts that have public IPv6 addresses only (`SIM_IPV6_ONLY`).",
     .source = "https://supabase.com/docs/guides/troubleshooting/"
               "supabase--your-network-ipv4-and-ipv6-compatibility-cHe3BP"},
    {.name = "network.smtp",
     .member = &Profile::network_smtp,
     .example = "warn",
     .doc = "Connections to port 25 (`SIM_SMTP_PORT`). Under `enforce` they never come.",
     .source = "https://github.com/vercel/docs/issues/192"},
    {.name = "disk.writes",
     .member = &Profile::disk_writes,
     .example = "warn",
     .doc =
         "Writes of a function outside `/tmp` (`SIM_READ_ONLY_FILESYSTEM`), seen where Node's `fs` is "
         "called: "
         "native addons and child processes write unseen. Certain is one by a line of the app in a file that "
         "does not ask for NODE_ENV.",
     .source = VSIM_DOCS "functions/runtimes"},
    {.name = "disk.tmp",
     .member = &Profile::disk_tmp,
     .example = "off",
     .doc =
         "`enforce`: each instance has a `/tmp` of its own, for its code, native addons and child processes "
         "alike (a mount namespace with a tmpfs), where this Linux lets us make one; the run says so where "
         "it "
         "does not. It is empty when the instance begins and goes with it: a function that looks in vain for "
         "what another instance wrote is told (`SIM_TMP_NOT_SHARED`). What a variable of yours names there "
         "stays shared, as a stand-in. `warn`: `/tmp` is this machine's own, and what Node's `fs` writes "
         "there "
         "is summed up. `off`: not looked at.",
     .source = VSIM_DOCS "functions/runtimes"},
    {.name = "disk.tmp_max",
     .member = &Profile::disk_tmp_max,
     .example = "512MB",
     .min = "1MB",
     .max = "1TiB",
     .none = true,
     .doc = "What `/tmp` of an instance takes. More is ENOSPC where it has one of its own (`SIM_TMP_FULL`), "
            "else "
            "a warning.",
     .source = VSIM_DOCS "functions/runtimes"},
    {.name = "disk.reads",
     .member = &Profile::disk_reads,
     .example = "off",
     .doc = "Reads of files of the project that Next's tracing would not put into the function "
            "(`SIM_FILE_NOT_TRACED`), found out beside the run with Next's own `@vercel/nft` and "
            "`outputFileTracingIncludes`. Under `enforce` it is a violation, and from then on the file is "
            "ENOENT for "
            "that function; the first read, by which it is found out, is let through.",
     .source = "https://vercel.com/kb/guide/how-can-i-use-files-in-serverless-functions"},
    {.name = "programs.absent",
     .member = &Profile::programs_absent,
     .example = "enforce",
     .doc =
         "Programs of this machine that are in no function and that a function starts (a browser, ffmpeg, "
         "git, "
         "python, ImageMagick and their like: `SIM_PROGRAM_NOT_THERE`). What the project brings along or has "
         "unpacked to `/tmp` is left alone. Under `enforce` what a line of the app starts without a shell is "
         "ENOENT.",
     .source = "https://github.com/puppeteer/puppeteer/issues/12145"},
    {.name = "static.changes",
     .member = &Profile::static_changes,
     .example = "off",
     .doc =
         "Pages and GET handlers that are made at build and whose answer changes between two requests, with "
         "no edit and no revalidation between (`SIM_MADE_AT_BUILD`). `enforce` counts one as a violation; "
         "the answer itself is let through.",
     .source = "https://github.com/vercel/next.js/issues/86379"},
    {.name = "spares.bound",
     .member = &Profile::spares_bound,
     .example = "off",
     .doc = "Whether an instance may evaluate a function's modules before a request comes, as the platform "
            "does when it starts one, and run the request path with the handler left out. `off` is for apps "
            "whose top-level code has effects that nobody asked for: then it runs inside the request, and "
            "the first answer of an instance is slower.",
     .source = VSIM_DOCS "fluid-compute"},
    {.name = "instances.fork",
     .member = &Profile::instances_fork,
     .example = "on",
     .doc = "Whether an instance begins as a copy (`fork`) of a process that has Node and Next loaded and "
            "none of your code, which takes milliseconds; else as a process of its own. Where copying is not "
            "possible the run says so and starts processes. What a function finds is the same.",
     .source = VSIM_DOCS "fluid-compute"},
    {.name = "environment.omit",
     .member = &Profile::environment_omit,
     .example = "VERCEL_URL,TZ",
     .form = "\"nothing\", or names with commas between them",
     .legal = legal_names,
     .doc =
         "Variables of the platform that instances do not get. They get `VERCEL`, `VERCEL_ENV` (`preview`), "
         "`VERCEL_TARGET_ENV`, `VERCEL_URL`, `VERCEL_BRANCH_URL`, `VERCEL_PROJECT_PRODUCTION_URL`, "
         "`VERCEL_REGION`, `NOW_REGION`, `VERCEL_DEPLOYMENT_ID`, `VERCEL_GIT_*` of the commit that is "
         "checked out, `TZ` (`UTC`) and `LANG` (`en_US.UTF-8`), each only where the user "
         "has "
         "not set it.",
     .source = VSIM_DOCS "environment-variables/system-environment-variables"},
    {.name = "region",
     .member = &Profile::region,
     .example = "iad1",
     .form = "three small letters and one or two digits",
     .legal = legal_region,
     .doc = "The region in `x-vercel-id`.",
     .source = VSIM_DOCS "functions/configuring-functions/region"},
};

constexpr Unenforced kUnenforced[] = {
    {"concurrency of all functions", "30,000 on Hobby and Pro, 100,000 or more on Enterprise",
     VSIM_DOCS "functions/concurrency-scaling", "2025-09-05"},
    {"burst: new executions at once", "1,000 in 10 s and region, then 503 FUNCTION_THROTTLED",
     VSIM_DOCS "functions/concurrency-scaling", "2025-09-05"},
    {"size of a function, unzipped", "250 MB (5 GB with large functions, beta)",
     VSIM_DOCS "functions/limitations", "2026-07-01"},
    {"file descriptors of an instance", "1,024, the runtime's own included",
     VSIM_DOCS "functions/limitations", "2026-07-01"},
    {"all environment variables of a deployment", "64 KB", VSIM_DOCS "functions/runtimes", "2026-07-29"},
    {"middleware: URL, body, headers", "14 KB; 4 MB; 64 headers, 16 KB in all",
     VSIM_DOCS "routing-middleware", "2026-08-14"},
    {"middleware and edge functions: bundle, gzip", "1 MB on Hobby, 2 MB on Pro, 4 MB on Enterprise",
     VSIM_DOCS "functions/runtimes/edge/edge-functions", "2026-08-03"},
    {"memory of an edge function", "128 MB", VSIM_DOCS "functions/runtimes/edge/edge-functions",
     "2026-08-03"},
    {"external rewrites: time to an answer", "120 s", VSIM_DOCS "errors/ROUTER_EXTERNAL_TARGET_ERROR",
     "2026-03-08"},
};

constexpr Word kConfidences[] = {{"DOC", "stated by documentation"},
                                 {"SRC", "read in published source"},
                                 {"OBS", "reported by third parties from production"},
                                 {"LAB", "reproduced locally"},
                                 {"INF", "inferred"},
                                 {"CHOICE", "this project's or the user's own choice"}};

template <class T>
struct SettingOf;
template <class T>
struct SettingOf<Setting<T> Profile::*> {
  using type = T;
};

// Calls f with the type tag and the member of a key: f(T{}, member).
template <class F>
auto with_member(const Key& key, F&& f) {
  return std::visit(
      [&](auto member) {
        using T = typename SettingOf<decltype(member)>::type;
        return f(T{}, member);
      },
      key.member);
}

std::optional<Duration> parse(std::string_view text, Duration) { return parse_duration(text); }
std::optional<std::uint64_t> parse(std::string_view text, std::uint64_t) { return parse_size(text); }
std::optional<OptionalSize> parse(std::string_view text, OptionalSize) {
  std::optional<OptionalSize> out;
  const auto bytes = parse_size(text);
  if (text == kAuto || bytes) out.emplace(bytes);
  return out;
}
std::optional<int> parse(std::string_view text, int) {
  int n = 0;
  return whole_number(text, n) ? std::optional(n) : std::nullopt;
}
std::optional<std::string> parse(std::string_view text, const std::string&) { return std::string(text); }
template <class E>
requires std::is_enum_v<E> std::optional<E> parse(std::string_view text, E) {
  for (const auto& w : words_for(E{}))
    if (w.word == text) return w.value;
  return std::nullopt;
}

std::string format(Duration v) { return format_duration(v); }
std::string format(std::uint64_t v) { return format_size(v); }
std::string format(OptionalSize v) { return v ? format_size(*v) : std::string(kAuto); }
std::string format(int v) { return fmt::format("{}", v); }
std::string format(const std::string& v) { return v; }
template <class E>
requires std::is_enum_v<E> std::string format(E v) { return std::string(to_string(v)); }

bool may_be_auto(const Key& key) {
  return std::holds_alternative<Setting<OptionalSize> Profile::*>(key.member);
}

bool is_none(Duration v) { return v == kForever; }
bool is_none(std::uint64_t v) { return v == kUnlimited; }
template <class T>
bool is_none(const T&) {
  return false;
}

template <class T>
bool in_range(const Key& key, const T& value) {
  if constexpr (std::is_enum_v<T>) {
    return true;
  } else if constexpr (std::is_same_v<T, std::string>) {
    return key.legal == nullptr || key.legal(value);
  } else if constexpr (std::is_same_v<T, OptionalSize>) {
    const auto min = parse_size(key.min), max = parse_size(key.max);
    return !value || (min && max && *min <= *value && *value <= *max);
  } else {
    if (is_none(value)) return key.none;
    const auto min = parse(key.min, T{}), max = parse(key.max, T{});
    return min && max && *min <= value && value <= *max;
  }
}

// A legal value the writer may have meant: "10" → "10s", "4,5MB" → "4.5MB", "Hobby" → "hobby".
std::optional<std::string> meant(const Key& key, std::string_view text) {
  if (text.size() > 40) return std::nullopt;
  std::string tidy;
  for (const char c : text)
    if (c != ' ' && c != '_') tidy += c == ',' ? '.' : ascii_lower(c);
  std::string_view number = tidy;
  number = number.substr(0, std::min(number.size(), number.find_first_not_of("0123456789.")));
  const Type type = type_of(key);
  std::vector<std::string> tries = {tidy};
  if (type == Type::duration && !number.empty()) {
    const std::string_view unit = std::string_view(tidy).substr(number.size());
    if (unit.empty() || unit.starts_with("sec")) tries.push_back(std::string(number) + "s");
    if (unit.starts_with("min")) tries.push_back(std::string(number) + "m");
    if (unit.starts_with("hour") || unit == "hr") tries.push_back(std::string(number) + "h");
    if (unit.starts_with("milli") || unit == "msec") tries.push_back(std::string(number) + "ms");
  }
  if (type == Type::size && !number.empty()) {
    tries.push_back(tidy + "b");
    for (std::string& t : tries)  // "4.5mb" as one writes it
      for (char& c : t)
        if (c != 'i' && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  if (may_be_auto(key) && std::string_view(tidy).starts_with(kAuto)) tries.emplace_back(kAuto);
  if (type == Type::word) {
    std::vector<std::string_view> names;
    for (const Word& w : words_of(key)) names.push_back(w.word);
    if (const auto near = nearest_name(text, names)) tries.emplace_back(*near);
  }
  for (const std::string& t : tries) {
    if (t == text) continue;
    const bool ok = with_member(key, [&](auto tag, auto) {
      const auto value = parse(t, tag);
      return value && in_range(key, *value);
    });
    if (ok) return t;
  }
  return std::nullopt;
}

// For messages: one line, not endless.
std::string quoted(std::string_view text) {
  constexpr std::size_t kShown = 60;
  std::string out;
  append_json_string(out, text.substr(0, kShown));
  if (text.size() > kShown) out += "...";
  return out;
}

}  // namespace

std::span<const Key> keys() { return kKeys; }
std::span<const Unenforced> unenforced() { return kUnenforced; }

const Key* find_key(std::string_view name) {
  for (const Key& k : kKeys)
    if (k.name == name) return &k;
  return nullptr;
}

bool is_group(std::string_view name) {
  return std::any_of(std::begin(kKeys), std::end(kKeys), [&](const Key& k) {
    return k.name.size() > name.size() && k.name.starts_with(name) && k.name[name.size()] == '.';
  });
}

std::vector<std::string_view> key_names() {
  std::vector<std::string_view> out;
  for (const Key& k : kKeys) out.push_back(k.name);
  return out;
}

Type type_of(const Key& key) {
  return with_member(key, [](const auto& tag, auto) {
    using T = std::decay_t<decltype(tag)>;
    if constexpr (std::is_same_v<T, Duration>) return Type::duration;
    if constexpr (std::is_same_v<T, std::uint64_t> || std::is_same_v<T, OptionalSize>) return Type::size;
    if constexpr (std::is_same_v<T, int>) return Type::integer;
    if constexpr (std::is_same_v<T, std::string>) return Type::text;
    return Type::word;
  });
}

std::string_view type_name(Type type) {
  switch (type) {
    case Type::duration:
      return "duration";
    case Type::size:
      return "size";
    case Type::integer:
      return "whole number";
    case Type::word:
      return "word";
    case Type::text:
      return "text";
  }
  return "?";
}

std::vector<Word> words_of(const Key& key) {
  return with_member(key, [](const auto& tag, auto) {
    std::vector<Word> out;
    using T = std::decay_t<decltype(tag)>;
    if constexpr (std::is_enum_v<T>)
      for (const auto& w : words_for(T{})) out.push_back({w.word, w.meaning});
    return out;
  });
}

std::string range_of(const Key& key) {
  switch (type_of(key)) {
    case Type::word: {
      std::string out;
      for (const Word& w : words_of(key)) out += (out.empty() ? "" : ", ") + std::string(w.word);
      return out;
    }
    case Type::text:
      return std::string(key.form);
    default:
      return fmt::format("{} to {}{}", key.min, key.max,
                         key.none           ? ", or none"
                         : may_be_auto(key) ? ", or auto"
                                            : "");
  }
}

std::string expected(const Key& key) {
  switch (type_of(key)) {
    case Type::word: {
      std::string out;
      for (const Word& w : words_of(key)) out += (out.empty() ? "" : ", ") + quoted(w.word);
      return "one of " + out;
    }
    case Type::text:
      return std::string(key.form) + ", such as " + quoted(key.example);
    default:
      return fmt::format("a {} such as {}{}", type_name(type_of(key)), quoted(key.example),
                         may_be_auto(key) ? ", or \"auto\"" : "");
  }
}

std::optional<std::string> assign(Profile& profile, const Key& key, std::string_view text, Provenance from) {
  return with_member(key, [&](const auto& tag, auto member) -> std::optional<std::string> {
    auto value = parse(text, tag);
    const bool is_text = type_of(key) == Type::text;
    if (value && in_range(key, *value)) {
      (profile.*member).value = std::move(*value);
      (profile.*member).from = std::move(from);
      return std::nullopt;
    }
    if (value && !is_text) return fmt::format("{} is out of range: {}", text, range_of(key));
    std::string message = fmt::format("expected {}, got {}", expected(key), quoted(text));
    if (const auto guess = meant(key, text)) message += fmt::format(" (did you mean {}?)", quoted(*guess));
    return message;
  });
}

std::string value_text(const Profile& profile, const Key& key) {
  return with_member(key, [&](const auto&, auto member) { return format((profile.*member).value); });
}

std::string value_human(const Profile& profile, const Key& key) {
  const std::string exact = value_text(profile, key);
  if (type_of(key) != Type::size || exact.size() < 8) return exact;
  return fmt::format("{} ({})", human_size(parse_size(exact).value_or(0)), exact);
}

const Provenance& provenance_of(const Profile& profile, const Key& key) {
  return *with_member(key, [&](const auto&, auto member) { return &(profile.*member).from; });
}

bool is_builtin(std::string_view name) {
  return std::find(std::begin(kBuiltinProfiles), std::end(kBuiltinProfiles), name) !=
         std::end(kBuiltinProfiles);
}

std::span<const Word> confidences() { return kConfidences; }

}  // namespace vsim::profile
