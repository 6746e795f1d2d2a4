#include "profile/schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <type_traits>

#include "base/text.hpp"
#include "profile/diagnostic.hpp"
#include "profile/words.hpp"

namespace vsim::profile {
namespace {

constexpr std::string_view kAuto = "auto", kNone = "none";
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

const Key kKeys[] = {
#define VSIM_KEY(type, member_, ...) {.member = &Profile::member_, __VA_ARGS__},
#include "profile/keys.def"
#undef VSIM_KEY
};

constexpr Unenforced kUnenforced[] = {
    {"concurrency of all functions", "30,000 on Hobby and Pro, 100,000 or more on Enterprise",
     VSIM_DOCS "functions/concurrency-scaling", "2025-09-05"},
    {"burst: new executions at once", "1,000 in 10 s and region, then 503 FUNCTION_THROTTLED",
     VSIM_DOCS "functions/concurrency-scaling", "2025-09-05"},
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
std::optional<BytesOrAuto> parse(std::string_view text, BytesOrAuto) {
  std::optional<BytesOrAuto> out;
  const auto bytes = parse_size(text);
  if (text == kAuto || bytes) out.emplace(bytes);
  return out;
}
std::optional<int> parse(std::string_view text, int) {
  int n = 0;
  return whole_number(text, n) ? std::optional(n) : std::nullopt;
}
std::optional<Count> parse(std::string_view text, Count) {
  int n = 0;
  if (text == kNone) return Count{};
  return whole_number(text, n) ? std::optional(Count{static_cast<std::uint32_t>(n)}) : std::nullopt;
}
std::optional<std::string> parse(std::string_view text, const std::string&) { return std::string(text); }
template <class E>
requires std::is_enum_v<E> std::optional<E> parse(std::string_view text, E) {
  for (const auto& w : words_for(E{}))
    if (w.word == text) return w.value;
  return std::nullopt;
}

bool is_none(Duration v) { return v == kForever; }
bool is_none(std::uint64_t v) { return v == kUnlimited; }
bool is_none(Count v) { return v.most == Count::kNone; }
template <class T>
bool is_none(const T&) {
  return false;
}

std::string format(Duration v) { return format_duration(v); }
std::string format(std::uint64_t v) { return format_size(v); }
std::string format(BytesOrAuto v) { return v ? format_size(*v) : std::string(kAuto); }
std::string format(int v) { return fmt::format("{}", v); }
std::string format(Count v) { return is_none(v) ? std::string(kNone) : fmt::format("{}", v.most); }
std::string format(const std::string& v) { return v; }
template <class E>
requires std::is_enum_v<E> std::string format(E v) { return std::string(to_string(v)); }

bool may_be_auto(const Key& key) {
  return std::holds_alternative<Setting<BytesOrAuto> Profile::*>(key.member);
}

template <class T>
bool in_range(const Key& key, const T& value) {
  if constexpr (std::is_enum_v<T>) {
    return true;
  } else if constexpr (std::is_same_v<T, std::string>) {
    return key.legal == nullptr || key.legal(value);
  } else if constexpr (std::is_same_v<T, BytesOrAuto>) {
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
    if constexpr (std::is_same_v<T, std::uint64_t> || std::is_same_v<T, BytesOrAuto>) return Type::size;
    if constexpr (std::is_same_v<T, int> || std::is_same_v<T, Count>) return Type::integer;
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
      for (const Word& w : words_of(key)) out += (out.empty() ? "" : ", ") + shown(w.word);
      return "one of " + out;
    }
    case Type::text:
      return std::string(key.form) + ", such as " + shown(key.example);
    default:
      return fmt::format("a {} such as {}{}", type_name(type_of(key)), shown(key.example),
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
    std::string message = fmt::format("expected {}, got {}", expected(key), shown(text));
    if (const auto guess = meant(key, text)) message += fmt::format(" (did you mean {}?)", shown(*guess));
    return message;
  });
}

std::string value_text(const Profile& profile, const Key& key) {
  return with_member(key, [&](const auto&, auto member) { return format((profile.*member).value); });
}

std::string value_human(const Profile& profile, const Key& key) {
  std::string exact = value_text(profile, key);
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
