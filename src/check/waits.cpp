// Waits whose length is written in the source and longer than the function may run.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "base/text.hpp"
#include "check/callers.hpp"
#include "check/predicates.hpp"

namespace vsim::check {
namespace {

constexpr double kMaxTurns = 1e6;  // of a loop: more is not counted but endless

// `new Promise((resolve) => setTimeout(resolve, 1000))`: nothing else may resolve it.
std::optional<double> promised(const Ast& ast, int made, const Names& names) {
  const auto arguments = ast.children(ast.field(made, "arguments"));
  if (ast.text(ast.field(made, "constructor")) != "Promise" || arguments.size() != 1) return std::nullopt;
  const int executor = ast.strip(arguments[0]);
  if (executor == kNone || !Ast::is_function(ast.type(executor))) return std::nullopt;
  int resolve = ast.field(executor, "parameter");
  if (resolve == kNone) {
    const auto parameters = ast.children(ast.field(executor, "parameters"));
    if (parameters.empty()) return std::nullopt;
    resolve = ast.is(parameters[0], "identifier") ? parameters[0] : ast.field(parameters[0], "pattern");
  }
  if (!ast.is(resolve, "identifier")) return std::nullopt;
  std::optional<double> delay;
  int timer = kNone;
  for (int i = executor; i < ast.end(executor) && timer == kNone; ++i) {
    if (!ast.is(i, "call_expression")) continue;
    if (ast.text(ast.field(i, "function")) != "setTimeout") continue;
    timer = i;
    const auto parts = ast.children(ast.field(i, "arguments"));
    if (parts.size() >= 2) delay = number(ast, parts[1], names);
  }
  if (timer == kNone || !delay) return std::nullopt;
  bool used = false;
  for (int i = ast.field(executor, "body"); i != kNone && i < ast.end(executor); ++i) {
    if (!ast.is(i, "identifier") || ast.text(i) != ast.text(resolve)) continue;
    if (!ast.inside(i, timer)) return std::nullopt;
    used = true;
  }
  return used ? delay : std::nullopt;
}

// The milliseconds that waiting for this value takes, if it is a sleep of a known length.
std::optional<double> sleep_of(const Program& program, const File& file, int value, const Names& names,
                               int depth = 0) {
  const Ast& ast = *file.ast;
  value = ast.strip(value);
  if (value == kNone || depth > 2) return std::nullopt;
  if (ast.is(value, "new_expression")) return promised(ast, value, names);
  if (!ast.is(value, "call_expression")) return std::nullopt;
  const int callee = ast.strip(ast.field(value, "function"));
  if (!ast.is(callee, "identifier")) return std::nullopt;
  const auto arguments = ast.children(ast.field(value, "arguments"));
  if (const Import* i = ast.import_of(ast.text(callee));
      i != nullptr && (i->source == "timers/promises" || i->source == "node:timers/promises"))
    return i->imported == "setTimeout" && !arguments.empty() ? number(ast, arguments[0], names)
                                                             : std::nullopt;
  const FunctionAt helper = function_called(program, file, callee);
  if (helper.function == kNone) return std::nullopt;
  const Ast& there = *helper.file->ast;
  Names inner;
  for (int i = helper.function; i < there.end(helper.function); ++i) {
    if (!there.is(i, "identifier") || inner.contains(there.text(i))) continue;
    const int given = argument_for(there, helper.function, there.text(i), ast, value);
    const int usual = parameter_default(there, helper.function, there.text(i));
    std::optional<double> n;
    if (given != kNone)
      n = number(ast, given, names);
    else if (usual != kNone)
      n = number(there, usual, {});
    if (n) inner.emplace(there.text(i), *n);
  }
  // What the helper gives back: `=> new Promise(…)`, `return sleep(ms)`, `await new Promise(…)` alone.
  const int body = there.field(helper.function, "body");
  if (body == kNone) return std::nullopt;
  if (!there.is(body, "statement_block")) return sleep_of(program, *helper.file, body, inner, depth + 1);
  const auto statements = there.children(body);
  if (statements.size() != 1) return std::nullopt;
  const auto parts = there.children(statements[0]);
  if (parts.size() != 1) return std::nullopt;
  int given = there.strip(parts[0]);
  if (there.is(given, "await_expression") && !there.children(given).empty())
    given = there.children(given)[0];
  else if (!there.is(statements[0], "return_statement"))
    return std::nullopt;
  return sleep_of(program, *helper.file, given, inner, depth + 1);
}

double milliseconds(Duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

// How long the code at node i may run: its own function's limit, or the longest of the project where any may
// run it.
Duration limit_at(const Match& m, int i) {
  const Handler* handler = m.program.handler_around(m.file, i);
  Duration most = m.profile.duration_default.value;
  for (const routes::Function& f : m.program.functions()) {
    if (handler != nullptr && handler->kind != HandlerKind::action && f.file == m.ast.path())
      return limit_of(f, m.profile);
    most = std::max(most, limit_of(f, m.profile));
  }
  return most;
}

// `for (let i = 0; i < 30; i++)`, `while (tries < 30) { … tries++ … }`: how often it turns at most.
std::optional<double> turns_of(const Ast& ast, int loop) {
  int condition = ast.field(loop, "condition");
  if (ast.is(condition, "expression_statement"))
    condition = ast.children(condition).empty() ? kNone : ast.children(condition)[0];
  condition = ast.strip(condition);
  if (!ast.is(condition, "binary_expression")) return std::nullopt;
  const std::string_view op = ast.operator_of(condition);
  if (op != "<" && op != "<=") return std::nullopt;
  const int counter = ast.strip(ast.field(condition, "left"));
  const auto to = number(ast, ast.field(condition, "right"));
  if (!ast.is(counter, "identifier") || !to) return std::nullopt;
  const std::string_view name = ast.text(counter);
  bool steps = false;
  double from = 0;
  for (int i = ast.function_of(loop) == kNone ? 0 : ast.function_of(loop); i < ast.end(loop); ++i) {
    if (ast.is(i, "variable_declarator") && ast.text(ast.field(i, "name")) == name &&
        i < ast.field(loop, "body"))
      from = number(ast, ast.field(i, "value")).value_or(0);
    if (!ast.inside(i, loop)) continue;
    if (ast.is(i, "update_expression") && says(ast.text(i), "++") && says(ast.text(i), name)) steps = true;
    if (ast.is(i, "augmented_assignment_expression") && ast.text(ast.field(i, "left")) == name) {
      const auto by = number(ast, ast.field(i, "right"));
      if (!by || *by != 1) return std::nullopt;
      steps = true;
    }
  }
  const double turns = *to - from + (op == "<=" ? 1 : 0);
  return steps && turns > 0 && turns < kMaxTurns ? std::optional(turns) : std::nullopt;
}

// The loop that node i turns in, within its function.
int loop_around(const Ast& ast, int i) {
  for (int p = ast.parent(i); p != kNone && !Ast::is_function(ast.type(p)); p = ast.parent(p))
    if (ast.is(p, "for_statement") || ast.is(p, "while_statement") || ast.is(p, "for_in_statement") ||
        ast.is(p, "do_statement"))
      return p;
  return kNone;
}

Duration duration(double ms) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double, std::milli>(ms));
}

}  // namespace

Duration limit_of(const routes::Function& f, const profile::Profile& profile) {
  if (!f.max_duration) return profile.duration_default.value;
  return f.max_duration->max ? profile.duration_max.value
                             : std::min(f.max_duration->value, profile.duration_extended_max.value);
}

bool long_wait(Match& m, int at, const Predicate&) {
  const Ast& ast = m.ast;
  if (!in_request_function(m, at)) return false;
  const Handler* handler = m.program.handler_around(m.file, at);
  // What a page does may be done once, at build.
  if (handler != nullptr && handler->kind == HandlerKind::page) return false;
  const Duration most = limit_at(m, at);
  const auto wait_at = [&](int await) -> std::optional<double> {
    const auto parts = ast.children(await);
    return parts.empty() ? std::nullopt : sleep_of(m.program, m.file, parts[0], {});
  };
  double wait = 0;
  std::string how;
  if (ast.is(at, "await_expression")) {
    wait = wait_at(at).value_or(0);
    how = format_duration(duration(wait));
  } else {
    const auto turns = turns_of(ast, at);
    if (!turns) return false;
    for (int i = at; i < ast.end(at); ++i) {
      if (!ast.is(i, "await_expression") || loop_around(ast, i) != at) continue;
      const double one = wait_at(i).value_or(0);
      if (one > milliseconds(most)) return false;  // the wait itself is told
      wait += one;
    }
    how = fmt::format("up to {} ({:.0f} times {})", format_duration(duration(wait * *turns)), *turns,
                      format_duration(duration(wait)));
    wait *= *turns;
  }
  if (wait <= milliseconds(most) || only_at_load(m.program, m.file, at)) return false;
  m.detail = fmt::format("{}, but the function may run {}", how, format_duration(most));
  return true;
}

}  // namespace vsim::check
