// docs/profiles.md from the table of keys and the shipped profiles; render_test.cpp compares, and writes it.
#pragma once

#include <fmt/format.h>

#include <map>
#include <span>
#include <string>

#include "profile/schema.hpp"

namespace vsim::profile {

inline std::string markdown(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '|' ? "\\|" : std::string(1, c);
  return out;
}

inline constexpr std::string_view kDocs =
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

inline std::string docs_of_keys(std::span<const Profile> shipped) {
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

inline std::string docs_of_values(std::span<const Profile> shipped) {
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

inline std::string docs_of_sources(std::span<const Profile> shipped) {
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

inline std::string docs_of_the_rest() {
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

// `shipped`: the six, in order.
inline std::string render_docs(std::span<const Profile> shipped) {
  std::string out(kDocs);
  for (const Word& w : confidences()) out += fmt::format("- `{}`: {}\n", w.word, w.meaning);
  return out + docs_of_keys(shipped) + docs_of_values(shipped) + docs_of_sources(shipped) +
         docs_of_the_rest();
}

}  // namespace vsim::profile
