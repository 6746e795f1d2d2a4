// What a rule's query cannot say, by name. Every predicate sees one match and the whole program; it answers
// yes or no and may leave a `detail` for the message. Doubt is no: a false alarm is worse than a miss. Pure.
#pragma once

#include <map>
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

using Test = bool (*)(Match&, int at, const Predicate&);
struct NamedTest {
  std::string_view name;
  Test test;
  std::string_view meaning;  // for docs/rules.md
};
std::span<const NamedTest> predicate_table();
const NamedTest* find_predicate(std::string_view name);

// Whether the predicate holds; not so without its capture.
bool holds(Match& m, const Predicate& p);

// One file each, because each is a page of reasons (state, object_state, timing, waits, module_timer, stream,
// values).
bool shared_state(Match&, int at, const Predicate&);
bool shared_instance(Match&, int at, const Predicate&);
bool shared_static(Match&, int at, const Predicate&);
bool shared_global(Match&, int at, const Predicate&);
bool outlives_response(Match&, int at, const Predicate&);
bool floating(Match&, int at, const Predicate&);
bool endless_wait(Match&, int at, const Predicate&);
bool endless_stream(Match&, int at, const Predicate&);
bool long_wait(Match&, int at, const Predicate&);
bool module_timer(Match&, int at, const Predicate&);
bool helper_outlives_response(Match&, int at, const Predicate&);
bool outside_tmp(Match&, int at, const Predicate&);
bool path_of_environment(Match&, int at, const Predicate&);
bool spelled_otherwise(Match&, int at, const Predicate&);
bool only_local_env(Match&, int at, const Predicate&);
bool public_env_not_inlined(Match&, int at, const Predicate&);
bool over_body_max(Match&, int at, const Predicate&);
bool without_websocket_transport(Match&, int at, const Predicate&);

// Inside code that a request runs: in a function, but not in one that only builds (generateStaticParams …).
bool in_request_function(const Match& m, int i);
// The value of a name that is declared once in its file, with const; kNone.
int constant(const Ast& ast, int identifier);
// Numbers that names stand for where an expression is read: a helper's parameters.
using Names = std::map<std::string, double, std::less<>>;
// The value of `8_000`, `1000 * 60 * 20`, `(kMax - 15) * 1000`.
std::optional<double> number(const Ast& ast, int value, const Names& names = {}, int depth = 0);
// How long a function may run.
Duration limit_of(const routes::Function& f, const profile::Profile& profile);
// `sleep(1000)`, `new Promise((r) => setTimeout(r, 1000))`, `setTimeout(1000)` of node:timers/promises
bool sleeps(const Ast& ast, int awaited);
// A global function's name, not redeclared in this file.
bool is_global(const Match& m, int identifier, std::string_view name);

}  // namespace vsim::check
