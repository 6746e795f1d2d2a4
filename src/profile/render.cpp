#include "profile/render.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "base/text.hpp"
#include "profile/diagnostic.hpp"
#include "profile/schema.hpp"
#include "profile/switch.hpp"

namespace vsim::profile {
namespace {

int width_of(std::string_view text) { return characters(text, text.size()); }

// Rows as columns two spaces apart; no space at the end of a line.
std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<int> widths;
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (widths.size() <= i) widths.push_back(0);
      widths[i] = std::max(widths[i], width_of(row[i]));
    }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      const int room = widths[i] - width_of(row[i]) + 2;
      line.append(static_cast<std::size_t>(room), ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line;
    out += '\n';
  }
  return out;
}

std::string duration_text(const Profile& p) {
  std::string out = fmt::format("{}, at most {}", format_duration(p.duration_default.value),
                                format_duration(p.duration_max.value));
  if (p.duration_extended_max.value != p.duration_max.value)
    out += fmt::format(" ({} beta)", format_duration(p.duration_extended_max.value));
  return out;
}

std::string websocket_text(const Profile& p) {
  if (p.websocket_policy.value == WebSocketPolicy::tunnel) return "closed at the maximum duration";
  switch (p.websocket_refusal.value) {
    case WebSocketRefusal::reject:
      return fmt::format("refused ({})", p.websocket_refusal_status.value);
    case WebSocketRefusal::deliver_as_get:
      return "refused (delivered as GET)";
    case WebSocketRefusal::drop:
      return "refused (never answered)";
  }
  return "?";
}

std::string place_of(const Provenance& from) {
  return from.line > 0 ? fmt::format("{}:{}", from.file, from.line) : from.file;
}

// A YAML scalar that reads back as `text` whatever it holds.
std::string yaml_text(std::string_view text) {
  const bool plain = !text.empty() &&
                     text.find_first_not_of(
                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                         "_./:-") == std::string_view::npos &&
                     text.find_first_not_of("-:.") == 0 && text.back() != ':' && !iequals(text, "null");
  if (plain) return std::string(text);
  std::string out;
  append_json_string(out, text);  // YAML's double-quoted form takes every JSON string
  return out;
}

std::string comment(std::string_view text) {  // a file name may hold anything
  std::string out(text);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, '?');
  return out;
}

std::string markdown(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '|' ? "\\|" : std::string(1, c);
  return out;
}

std::string_view group_of(std::string_view key) {
  const std::size_t dot = key.find('.');
  return dot == std::string_view::npos ? std::string_view() : key.substr(0, dot);
}

}  // namespace

std::string render_list(std::span<const Profile> profiles) {
  std::vector<std::vector<std::string>> rows = {
      {"PROFILE", "DURATION", "REQUEST BODY", "WEBSOCKETS", "ISOLATION", "AS OF"}};
  std::vector<std::vector<std::string>> titles;
  for (const Profile& p : profiles) {
    rows.push_back({p.name, duration_text(p), human_size(p.request_body_max.value), websocket_text(p),
                    std::string(to_string(p.isolation.value)), p.as_of});
    titles.push_back({p.name, p.title});
  }
  return table(rows) + "\n" + table(titles);
}

std::string render_show(const Profile& p) {
  std::string out = fmt::format("# {}\n", comment(p.title));
  if (!p.as_of.empty())
    out += fmt::format("# Values as of {}. ", p.as_of);
  else
    out += "# ";
  out += "Save this as a file, change it, and use it: --profile ./my-profile.yaml\n";
  out += fmt::format("name: {}\ntitle: {}\n", yaml_text(p.name), yaml_text(p.title));
  std::string_view group;
  for (const Key& key : keys()) {
    const Provenance& from = provenance_of(p, key);
    const bool nested = !group_of(key.name).empty();
    if (nested && group_of(key.name) != group) out += fmt::format("\n{}:\n", group_of(key.name));
    if (!nested && (!group.empty() || &key == keys().data())) out += '\n';
    group = group_of(key.name);
    const std::string_view word = nested ? key.name.substr(group.size() + 1) : key.name;
    const std::string_view in = nested ? "  " : "";
    out += fmt::format("{}{}:  # {}\n", in, word, comment(place_of(from)));
    const std::string human = value_human(p, key);
    const std::string exact = value_text(p, key);
    out += fmt::format("{}  value: {}", in, yaml_text(exact));
    if (human != exact) out += fmt::format("  # {}", human.substr(0, human.find(" (")));
    out += '\n';
    const std::pair<std::string_view, const std::string*> evidence[] = {{"source", &from.source},
                                                                        {"as_of", &from.as_of},
                                                                        {"confidence", &from.confidence},
                                                                        {"note", &from.note}};
    for (const auto& [name, text] : evidence)
      if (!text->empty()) out += fmt::format("{}  {}: {}\n", in, name, yaml_text(*text));
  }
  out += "\n# Documented by the platform, and not enforced here:\n";
  for (const Unenforced& u : unenforced())
    out += fmt::format("#   {}: {} ({}, {})\n", u.what, u.value, u.source, u.as_of);
  return out;
}

std::string render_diff(const Profile& a, const Profile& b) {
  std::vector<std::vector<std::string>> rows = {{"KEY", a.name, b.name, "FROM"}};
  for (Difference& d : differences(a, b)) {
    const Key& key = *find_key(d.key);
    rows.push_back(
        {std::string(d.key), std::move(d.from), std::move(d.to),
         fmt::format("{} | {}", place_of(provenance_of(a, key)), place_of(provenance_of(b, key)))});
  }
  const std::size_t same = keys().size() - (rows.size() - 1);
  if (rows.size() == 1) return fmt::format("{} and {} have the same {} values.\n", a.name, b.name, same);
  return table(rows) + fmt::format("\n{} of {} values are the same.\n", same, keys().size());
}

std::string render_limits_summary(const Profile& p) {
  std::string out = fmt::format("limits: functions {}; request body {}; WebSockets {}", duration_text(p),
                                human_size(p.request_body_max.value), websocket_text(p));
  if (!p.as_of.empty()) out += fmt::format(" (as of {})", p.as_of);
  out += '\n';
  std::string set;
  for (const Key& key : keys()) {
    const Provenance& from = provenance_of(p, key);
    if (from.profile != kSetByUser) continue;
    if (key.name == "duration.extended_max" && p.duration_extended_max.value == p.duration_max.value)
      continue;
    set += fmt::format("{}{}={}", set.empty() ? "" : ", ", key.name, value_text(p, key));
    if (from.note.starts_with("instead of ")) set += fmt::format(" ({})", from.note);
  }
  if (!set.empty()) out += fmt::format("set by you: {}\n", set);
  // A limit that is not the documented one is said aloud.
  if (const Provenance& from = p.duration_default.from;
      is_builtin(from.profile) && from.confidence == "CHOICE" && !from.note.empty())
    out += fmt::format("duration.default {} is this project's choice: {}\n",
                       format_duration(p.duration_default.value), from.note);
  return out;
}

namespace {

constexpr std::string_view kDocs =
    R"(<!-- Generated from the table in src/profile/keys.def and from profiles/*.yaml. Do not edit: run
     VSIM_REGENERATE=1 ./build/test_profile "Docs: docs/profiles.md is what the schema says" -->

# Profiles

A profile holds the limits of one Vercel plan on one compute model. Each value stands there with its source, the date of that
source, and how far it can be trusted.

```
vercel-sim profiles                    the six that ship
vercel-sim profiles show hobby         every value with its source
vercel-sim profiles diff hobby pro     what differs
vercel-sim run --profile pro --set duration.default=15s
vercel-sim run --profile ./team.yaml   your own
```

## A profile of your own

```yaml
extends: hobby            # a shipped profile, or the path of a file, relative to this one
title: What our contract says
duration:
  default: 20s            # a value, or a value with its evidence:
  max:
    value: 120s
    source: https://example.com/contract
    as_of: 2026-08-24
    confidence: DOC
    note: Agreed for the reporting functions.
request.body_max: 1MB     # dotted keys are the same as nested ones
```

What the file does not say comes from the profile that it extends. Precedence: extended profile, then the file, then `--set key=value`
(which may be repeated; the last one of a key wins). A file that extends nothing has to say everything. All mistakes of a file are
shown at once, each with its place. Aliases (`*name`) and a second document are not accepted.

Durations: `250ms`, `10s`, `1.5s`, `5m`, `1h`. Sizes: `4.5MB` and `14KB` (powers of 1000), `14KiB` and `4MiB` (powers of 1024),
`4493823B`. `none` is no limit, where the range allows it.

`confidence` is one of:

)";

std::string docs_of_keys(std::span<const Profile> shipped) {
  std::string out;
  out += R"(
## Keys

The default is the value of `hobby`, the profile that is used without `--profile`.

| key | unit | default | range | meaning |
|---|---|---|---|---|
)";
  for (const Key& key : keys()) {
    std::string unit(type_name(type_of(key)));
    if (key.name == "websocket.refusal_status") unit = "HTTP status";
    if (key.name == "websocket.close_code") unit = "close code";
    std::string range = range_of(key);
    if (type_of(key) == Type::word) {
      range.clear();
      for (const Word& w : words_of(key))
        range += fmt::format("{}`{}` ({})", range.empty() ? "" : ", ", w.word, w.meaning);
    }
    out += fmt::format("| `{}` | {} | {} | {} | {} |\n", key.name, unit,
                       shipped.empty() ? "" : fmt::format("`{}`", value_text(shipped.front(), key)),
                       markdown(range), markdown(fmt::format("{} [Source]({})", key.doc, key.source)));
  }
  return out;
}

std::string docs_of_values(std::span<const Profile> shipped) {
  std::string out;
  out += "\n## The shipped profiles\n\n";
  for (const Profile& p : shipped)
    out += fmt::format("- `{}`: {}. Values as of {}.\n", p.name, p.title, p.as_of);
  out += "\n| key |";
  for (const Profile& p : shipped) out += fmt::format(" {} |", p.name);
  out += "\n|---|";
  for (std::size_t i = 0; i < shipped.size(); ++i) out += "---|";
  out += '\n';
  for (const Key& key : keys()) {
    out += fmt::format("| `{}` |", key.name);
    for (const Profile& p : shipped) out += fmt::format(" {} |", value_text(p, key));
    out += '\n';
  }
  return out;
}

std::string docs_of_sources(std::span<const Profile> shipped) {
  std::string out;
  out +=
      "\n### On whose authority\n\nEach value once, where it is first set; the profiles further right take "
      "it from there.\n\n"
      "| key | value | profile | confidence | as of | source | note |\n|---|---|---|---|---|---|---|\n";
  std::map<std::pair<std::string, int>, bool> told;
  for (const Key& key : keys())
    for (const Profile& p : shipped) {
      const Provenance& from = provenance_of(p, key);
      if (!told.try_emplace({std::string(key.name) + from.file, from.line}, true).second) continue;
      out += fmt::format("| `{}` | {} | {} | {} | {} | <{}> | {} |\n", key.name, value_text(p, key),
                         from.profile, from.confidence, from.as_of, from.source, markdown(from.note));
    }
  return out;
}

std::string docs_of_the_rest() {
  std::string out;
  out +=
      "\n## Not enforced\n\nWhat the platform documents too, and nothing here acts on. There are no keys for "
      "it: "
      "one without effect would be a false word.\n\n| what | documented | as of | source "
      "|\n|---|---|---|---|\n";
  for (const Unenforced& u : unenforced())
    out += fmt::format("| {} | {} | {} | <{}> |\n", u.what, u.value, u.as_of, u.source);
  return out;
}

}  // namespace

std::string render_docs(std::span<const Profile> shipped) {
  std::string out(kDocs);
  for (const Word& w : confidences()) out += fmt::format("- `{}`: {}\n", w.word, w.meaning);
  return out + docs_of_keys(shipped) + docs_of_values(shipped) + docs_of_sources(shipped) +
         docs_of_the_rest();
}

}  // namespace vsim::profile
