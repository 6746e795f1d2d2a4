// The one table of profile keys. Loader, `--set`, diagnostics, `profiles show|diff` and docs/profiles.md are
// all derived from it; its rows are in keys.def, so a new limit is one row there and one value in
// profiles/hobby.yaml. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "profile/profile.hpp"

namespace vsim::profile {

using Member =
    std::variant<Setting<Duration> Profile::*, Setting<std::uint64_t> Profile::*, Setting<int> Profile::*,
                 Setting<Count> Profile::*, Setting<std::string> Profile::*, Setting<Plan> Profile::*,
                 Setting<Compute> Profile::*, Setting<Isolation> Profile::*,
                 Setting<WebSocketPolicy> Profile::*, Setting<WebSocketRefusal> Profile::*,
                 Setting<StreamCut> Profile::*, Setting<Mode> Profile::*, Setting<Switch> Profile::*,
                 Setting<Strictness> Profile::*, Setting<MiddlewareInstances> Profile::*,
                 Setting<std::optional<std::uint64_t>> Profile::*>;

enum class Type { duration, size, integer, word, text };  // a size may be optional: "auto" is legal then

struct Key {
  Member member;
  std::string_view name;      // dotted: "duration.default"
  std::string_view example;   // a legal value, shown in diagnostics
  std::string_view min, max;  // both inclusive, in the value's own notation; empty for words and text
  bool none = false;          // "none" (no limit) is legal
  std::string_view form;      // text keys: what is legal, in words
  bool (*legal)(std::string_view) = nullptr;  // text keys
  std::string_view doc;                       // one or two sentences for docs/profiles.md
  std::string_view source;                    // where Vercel documents it
};

struct Word {
  std::string_view word, meaning;
};

// What the platform documents and nothing here enforces: shown, so that nobody takes silence for a pass. No
// keys: one without effect would be a false word.
struct Unenforced {
  std::string_view what, value, source, as_of;
};
std::span<const Unenforced> unenforced();

// In the order in which they are shown. Lives as long as the program.
std::span<const Key> keys();
const Key* find_key(std::string_view name);
// "duration" is a group: some key begins with it and a dot.
bool is_group(std::string_view name);
std::vector<std::string_view> key_names();

Type type_of(const Key&);
std::string_view type_name(Type);        // "duration", "size", "whole number", "word", "text"
std::vector<Word> words_of(const Key&);  // empty unless Type::word
std::string range_of(const Key&);        // "1ms to 24h, or none"; "reject, tunnel"; the form of a text
std::string expected(const Key&);        // `a duration such as "10s"`, `one of "reject", "tunnel"`

// Stores `text` as the value of `key`. On failure the profile is unchanged and what is returned says what is
// wrong, without the key: `expected a duration such as "10s", got "10" (did you mean "10s"?)`.
std::optional<std::string> assign(Profile&, const Key&, std::string_view text, Provenance from);

std::string value_text(const Profile&, const Key&);   // parses back with assign()
std::string value_human(const Profile&, const Key&);  // "4.49 MB (4493823B)" where that reads better
const Provenance& provenance_of(const Profile&, const Key&);

// The six that ship, in the order of docs/profiles.md.
inline constexpr std::string_view kBuiltinProfiles[] = {"hobby",       "pro",       "enterprise",
                                                        "hobby-fluid", "pro-fluid", "enterprise-fluid"};
bool is_builtin(std::string_view name);

// What a value's evidence is worth; the tags of `confidence:`.
std::span<const Word> confidences();

}  // namespace vsim::profile
