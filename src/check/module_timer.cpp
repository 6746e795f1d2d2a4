// Timers that are not a handler's own: started while a module loads, or by a helper that a handler calls.
#include <algorithm>

#include "check/callers.hpp"
#include "check/predicates.hpp"

namespace vsim::check {
namespace {

std::string_view callee_name(const Ast& ast, int call) {
  int callee = ast.strip(ast.field(call, "function"));
  if (ast.is(callee, "member_expression")) callee = ast.field(callee, "property");
  return callee == kNone ? std::string_view() : ast.text(callee);
}

// It only forgets what is old: a cache's housekeeping, which may as well not run.
bool only_clears(const Program& program, const File& file, int function, int depth = 0) {
  const Ast& ast = *file.ast;
  if (depth > 2) return false;
  static constexpr std::string_view kHarmless[] = {
      "now",   "delete", "clear", "entries", "keys", "values", "forEach", "from",   "filter",     "splice",
      "shift", "pop",    "has",   "get",     "next", "prune",  "evict",   "cutoff", "purgeStale", "getTime"};
  bool clears = false;
  for (int i = function; i < ast.end(function); ++i) {
    if (ast.is(i, "await_expression")) return false;
    if (ast.is(i, "unary_expression") && ast.text(i).starts_with("delete ")) clears = true;
    if (!ast.is(i, "call_expression")) continue;
    const std::string_view name = callee_name(ast, i);
    if (name == "delete" || name == "clear" || name == "splice" || name == "purgeStale") clears = true;
    if (std::find(std::begin(kHarmless), std::end(kHarmless), name) != std::end(kHarmless)) continue;
    const FunctionAt inner = function_called(program, file, ast.field(i, "function"));
    if (inner.function == kNone || inner.function == function ||
        !only_clears(program, *inner.file, inner.function, depth + 1))
      return false;
    clears = true;
  }
  return clears;
}

// `if (process.env.NODE_ENV === "development")`, `if (!process.env.VERCEL)`: not there.
bool elsewhere_only(const Ast& ast, int i) {
  for (int p = ast.parent(i); p != kNone; p = ast.parent(p)) {
    const int condition = ast.is(p, "if_statement")        ? ast.field(p, "condition")
                          : ast.is(p, "binary_expression") ? ast.field(p, "left")
                                                           : kNone;
    if (condition == kNone || ast.inside(i, condition)) continue;
    if (ast.is(p, "if_statement") && ast.field(p, "alternative") != kNone &&
        ast.inside(i, ast.field(p, "alternative")))
      continue;
    const std::string_view text = ast.text(condition);
    if (says(text, "\"development\"") || says(text, "'development'") || says(text, "isDev") ||
        says(text, "!== \"production\"") || says(text, "!== 'production'") ||
        says(text, "!process.env.VERCEL") || says(text, "SELF_HOSTED"))
      return true;
  }
  return false;
}

}  // namespace

bool module_timer(Match& m, int call, const Predicate&) {
  const Ast& ast = m.ast;
  const int name = ast.field(call, "function");
  if (!ast.is(name, "identifier") || !is_global(m, name, ast.text(name))) return false;
  const auto arguments = ast.children(ast.field(call, "arguments"));
  if (arguments.empty() || elsewhere_only(ast, call)) return false;
  const int callback = ast.strip(arguments[0]);
  const FunctionAt run = function_called(m.program, m.file, callback);
  if (ast.text(name) == "setTimeout") {
    // Only one that is set again by what it runs repeats.
    const int around = ast.function_of(call);
    if (around == kNone || run.function == kNone) return false;
    bool again = run.function == around;
    for (int i = callback; !again && i < ast.end(callback); ++i)
      again = ast.is(i, "call_expression") &&
              function_called(m.program, m.file, ast.field(i, "function")).function == around;
    if (!again) return false;
  } else if (run.function != kNone && only_clears(m.program, *run.file, run.function)) {
    return false;
  }
  return runs_at_load(m.program, m.file, call);
}

bool helper_outlives_response(Match& m, int call, const Predicate&) {
  const Ast& ast = m.ast;
  const int f = ast.function_of(call);
  if (f == kNone || m.program.handler_around(m.file, call) != nullptr || !in_request_function(m, call))
    return false;
  const int name = ast.field(call, "function");
  if (!is_global(m, name, ast.text(name))) return false;
  const auto arguments = ast.children(ast.field(call, "arguments"));
  if (arguments.size() < 2 || number(ast, arguments[1]).value_or(0) < 1000) return false;
  const std::string_view body = ast.text(arguments[0]);
  // It ends a wait or a stream, or forgets what is old.
  for (const std::string_view word : {"abort", "resolve", "reject", "ontroller", "riter", ".enqueue(",
                                      ".end(", ".close(", ".write(", ".destroy(", ".kill(", "clear"})
    if (says(body, word)) return false;
  if (says(ast.text(f), "Stream") || says(ast.text(f), "new Promise")) return false;
  const int callback = ast.strip(arguments[0]);
  if (callback != kNone && Ast::is_function(ast.type(callback)) && only_clears(m.program, m.file, callback))
    return false;
  const auto calls = calls_of(m.program, m.file, f);
  return std::any_of(calls.begin(), calls.end(), [&](const CallSite& c) {
    const Handler* h = m.program.handler_at(*c.file, c.call);
    return h != nullptr && (h->kind == HandlerKind::route || h->kind == HandlerKind::pages_api ||
                            h->kind == HandlerKind::action);
  });
}

}  // namespace vsim::check
