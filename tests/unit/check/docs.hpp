// docs/rules.md from the rules; check_test.cpp compares, and writes it.
#pragma once

#include <fmt/format.h>

#include <string>

#include "check/predicates.hpp"
#include "check/rule.hpp"

namespace vsim::check {

inline std::string render_docs() {
  std::string out =
      "# Rules of `vercel-sim check`\n\n"
      "Generated from `rules/*.yaml`: run `VSIM_UPDATE_GOLDEN=1 test_check` and `VSIM_UPDATE_GOLDEN=1 "
      "test_explain` "
      "after a change there. "
      "`vercel-sim check [DIR]` reads a "
      "project's sources, runs nothing of them, and exits with 2 when it finds an error, 0 when not, 64 when "
      "it is called "
      "wrongly.\n\n"
      "A finding that is meant is silenced with its reason, on its line or the line above; a comment that "
      "silences nothing is "
      "reported:\n\n```ts\n// vercel-sim-ignore module-level-mutable-state counts only for this instance's "
      "log\nlet served = 0;\n"
      "```\n\n| rule | serverless | Fluid | what |\n|---|---|---|---|\n";
  for (const Rule& r : rules())
    out += fmt::format("| [{0}](codes/{0}.md) | {1} | {2} | {3} |\n", r.id, to_string(r.serverless),
                       to_string(r.fluid), r.title);
  out +=
      "\n## JSON\n\n`--format json` (or `--json`) prints one object: `version` (1), `profile`, `files` "
      "(sources parsed), "
      "`ignored` (findings "
      "silenced by comments), `errors`, `warnings`, `notes` (counts), and `findings`, by file and line. A "
      "finding has `rule`, "
      "`severity` (`error`, `warning`, `note`), `file`, `line` and `column` (from 1; `column` counts "
      "characters; 0: unknown), "
      "`endColumn` (exclusive, on the same line), `message`, `explanation`, `fix`, `docs` (addresses). Keys "
      "may be added; none "
      "will change its meaning under the same `version`.\n\n`--format sarif` is SARIF 2.1.0 with all rules "
      "and one result a "
      "finding; `--format github` is one workflow command (`::error`, `::warning`, `::notice`) a finding.\n\n"
      "## Writing a rule\n\nOne YAML file in `rules/`: what it says in words, and a tree-sitter query with "
      "the capture `@at` for "
      "the place of the finding. `where` says which files are searched: `request` (imported by route "
      "handlers, API routes, "
      "Server Actions, middleware), `server` (also by server components), `custom-server` (run by a "
      "package.json script), "
      "`client`, `config` (next.config), `edge` (imported by an edge function), `plan` (no query: each "
      "function's maxDuration). "
      "`once: true`: the same words are said at the first place only. "
      "The examples are tests: a bad one strikes its rule and no other, a good one nothing. Predicates:\n\n"
      "| predicate | holds when |\n|---|---|\n";
  for (const NamedTest& t : predicate_table()) out += fmt::format("| `#{}` | {} |\n", t.name, t.meaning);
  return out;
}

}  // namespace vsim::check
