// What a rule's query cannot say, by name. Every predicate sees one match and the whole program; it answers
// yes or no and may leave a `detail` for the message. Doubt is no: a false alarm is worse than a miss. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "check/program.hpp"
#include "check/query.hpp"
#include "profile/profile.hpp"

namespace vsim::check {

struct Match {
  const Program& program;
  const File& file;
  const Ast& ast;
  const Captures& captures;
  const profile::Profile& profile;
  std::string detail = {};
};

using Test = bool (*)(Match&, const Predicate&);
struct NamedTest {
  std::string_view name;
  Test test;
  std::string_view meaning;  // for docs/rules.md
};
std::span<const NamedTest> predicate_table();
const NamedTest* find_predicate(std::string_view name);

// The capture that argument `i` names, or kNone.
int capture(const Match& m, const Predicate& p, std::size_t i = 0);

// One file each, because each is a page of reasons (state, object_state, timing, waits, module_timer, stream,
// values).
bool shared_state(Match&, const Predicate&);
bool shared_instance(Match&, const Predicate&);
bool shared_static(Match&, const Predicate&);
bool shared_global(Match&, const Predicate&);
bool outlives_response(Match&, const Predicate&);
bool floating(Match&, const Predicate&);
bool endless_wait(Match&, const Predicate&);
bool endless_stream(Match&, const Predicate&);
bool long_wait(Match&, const Predicate&);
bool module_timer(Match&, const Predicate&);
bool helper_outlives_response(Match&, const Predicate&);
bool outside_tmp(Match&, const Predicate&);
bool path_of_environment(Match&, const Predicate&);
bool spelled_otherwise(Match&, const Predicate&);
bool only_local_env(Match&, const Predicate&);
bool public_env_not_inlined(Match&, const Predicate&);
bool over_body_max(Match&, const Predicate&);
bool without_websocket_transport(Match&, const Predicate&);

// Inside code that a request runs: in a function, but not in one that only builds (generateStaticParams …).
bool in_request_function(const Match& m, int i);
// The value of a name that is declared once in its file, with const; kNone.
int constant(const Ast& ast, int identifier);
// The value of `8_000`, `1000 * 60 * 20`, `(kMax - 15) * 1000`.
std::optional<double> number(const Ast& ast, int value, int depth = 0);
// `sleep(1000)`, `new Promise((r) => setTimeout(r, 1000))`, `setTimeout(1000)` of node:timers/promises
bool sleeps(const Ast& ast, int awaited);
// A global function's name, not redeclared in this file.
bool is_global(const Match& m, int identifier, std::string_view name);

}  // namespace vsim::check
