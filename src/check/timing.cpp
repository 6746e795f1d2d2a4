// Work that goes on after the response, and loops that wait without an end.
#include <fmt/format.h>

#include "base/text.hpp"
#include "check/predicates.hpp"

namespace vsim::check {
namespace {

// A name bound by the parameter of the response is used below `node`: it answers the request itself.
bool uses_response(const Ast& ast, int function, int node) {
  const auto parameters = ast.children(ast.field(function, "parameters"));
  if (parameters.size() < 2) return false;
  for (int i = parameters[1]; i < ast.end(parameters[1]); ++i)
    if ((ast.is(i, "identifier") || ast.is(i, "shorthand_property_identifier_pattern")) &&
        ast.mentions(node, ast.text(i)))
      return true;
  return false;
}

// Called inside the callback of setTimeout or setInterval.
bool in_timer_callback(const Ast& ast, int i, int up_to) {
  for (int p = ast.parent(i); p != kNone && p != up_to; p = ast.parent(p)) {
    if (!ast.is(p, "call_expression")) continue;
    const int f = ast.field(p, "function");
    if (ast.is(f, "identifier") &&
        (ast.text(f) == "setTimeout" || ast.text(f) == "setInterval" || ast.text(f) == "setImmediate") &&
        i > f)
      return true;
  }
  return false;
}

bool streams(const Ast& ast, int function) {
  const std::string_view text = ast.text(function);
  return says(text, "Stream") || says(text, "stream") || says(text, "writer") || says(text, ".write(");
}

// The handler waits for its after-work in another way, or hands it over.
bool handed_over(const Ast& ast, int i, int handler) {
  for (int p = ast.parent(i); p != kNone && p != handler; p = ast.parent(p)) {
    if (!ast.is(p, "call_expression")) continue;
    const std::string_view callee = ast.text(ast.field(p, "function"));
    if (says(callee, "after") || says(callee, "waitUntil")) return true;
  }
  return false;
}

// `inngest.send(…).catch(…)`, `void audit.write(…)`, `axios.post(…)`. What only gives something back may be
// left to itself.
bool floating_method(Match& m, int callee, bool promise) {
  const Ast& ast = m.ast;
  const std::string_view method = ast.text(ast.field(callee, "property"));
  if (is_one_of(method, {"cancel", "close", "release", "destroy", "abort", "end", "quit", "disconnect",
                         "$disconnect", "terminate", "kill", "unlock"}))
    return false;
  const int object = ast.strip(ast.field(callee, "object"));
  if (!promise) {
    if (!ast.is(object, "identifier")) return false;
    const Import* i = ast.import_of(ast.text(object));
    if (i == nullptr || i->source != "axios" || i->imported != "default") return false;
    if (method == "create") return false;
  }
  const std::string_view whole = ast.text(callee);
  const bool plain = whole.size() <= 60 && whole.find_first_of("(\n") == std::string_view::npos;
  m.detail = fmt::format("{}()", plain ? whole : method);
  return true;
}

}  // namespace

bool outlives_response(Match& m, int call, const Predicate&) {
  const Ast& ast = m.ast;
  const Handler* handler = m.program.handler_at(m.file, call);
  if (handler == nullptr || handler->kind == HandlerKind::page) return false;
  const int name = ast.field(call, "function");
  if (!is_global(m, name, ast.text(name))) return false;
  const auto arguments = ast.children(ast.field(call, "arguments"));
  if (arguments.empty()) return false;
  const int callback = ast.strip(arguments[0]);
  const std::string_view body = ast.text(callback);
  // The callback ends the wait of somebody else, or writes to a response that is still open.
  for (const std::string_view word :
       {"abort", "resolve", "reject", "controller", "writer", ".enqueue(", ".end(", ".close(", ".write("})
    if (says(body, word)) return false;
  if (!Ast::is_function(ast.type(callback)) && !ast.is(callback, "identifier")) return false;
  if (handler->kind == HandlerKind::pages_api && uses_response(ast, handler->function, callback))
    return false;
  if (streams(ast, handler->function)) return false;

  // What becomes of the timer: an expression of its own, or a name that is cleared outside of other timers.
  int value = ast.strip_up(call);
  if (ast.is(ast.parent(value), "member_expression")) {  // setInterval(…).unref()
    value = ast.parent(value);
    if (!ast.is(ast.parent(value), "call_expression")) return false;
    value = ast.strip_up(ast.parent(value));
  }
  const int parent = ast.parent(value);
  if (ast.is(parent, "expression_statement")) return true;
  std::string_view timer;
  if (ast.is(parent, "variable_declarator") && ast.is(ast.field(parent, "name"), "identifier"))
    timer = ast.text(ast.field(parent, "name"));
  else if (ast.is(parent, "assignment_expression") && ast.is(ast.field(parent, "left"), "identifier"))
    timer = ast.text(ast.field(parent, "left"));
  else
    return false;
  const int f = handler->function;
  for (int i = f; i < ast.end(f); ++i) {
    if (!ast.is(i, "identifier") || ast.text(i) != timer || i == ast.field(parent, "name")) continue;
    if (ast.inside(i, call)) continue;                // clears itself in its own callback: later
    if (!in_timer_callback(ast, i, f)) return false;  // cleared, awaited or passed on: not seen through
  }
  return true;
}

bool floating(Match& m, int statement, const Predicate&) {
  const Ast& ast = m.ast;
  const Handler* handler = m.program.handler_at(m.file, statement);
  if (handler == nullptr ||
      (handler->kind != HandlerKind::route && handler->kind != HandlerKind::pages_api &&
       handler->kind != HandlerKind::action && handler->kind != HandlerKind::middleware))
    return false;
  if (streams(ast, handler->function) || handed_over(ast, statement, handler->function)) return false;
  const auto parts = ast.children(statement);
  if (parts.size() != 1) return false;
  int call = ast.strip(parts[0]);
  bool promise = false;  // it is one for sure, whatever is called
  if (ast.is(call, "unary_expression") && ast.text(call).starts_with("void")) {
    call = ast.strip(ast.children(call).empty() ? kNone : ast.children(call)[0]);
    promise = true;
  }
  // fetch(…).then(…).catch(…): the head of the chain is what runs.
  while (ast.is(call, "call_expression")) {
    const int f = ast.strip(ast.field(call, "function"));
    if (!ast.is(f, "member_expression")) break;
    const std::string_view method = ast.text(ast.field(f, "property"));
    if (method != "then" && method != "catch" && method != "finally") break;
    promise = true;
    call = ast.strip(ast.field(f, "object"));
  }
  if (!ast.is(call, "call_expression")) return false;
  // A pages/api handler may answer from the chain itself.
  if (handler->kind == HandlerKind::pages_api && uses_response(ast, handler->function, statement))
    return false;
  const int callee = ast.strip(ast.field(call, "function"));
  if (Ast::is_function(ast.type(callee))) {  // (async () => { … })()
    if (!ast.is_async(callee)) return false;
    m.detail = "the async function";
    return true;
  }
  if (ast.is(callee, "member_expression")) return floating_method(m, callee, promise);
  if (!ast.is(callee, "identifier")) return false;
  const std::string_view name = ast.text(callee);
  m.detail = fmt::format("{}()", name);
  if (promise) return true;
  if (name == "fetch") return is_global(m, callee, name);
  Declaration found{&m.file, kNone};
  if (ast.is_local(callee, name)) {
    // A function inside the handler: only its own statements are looked at.
    const int body = ast.field(handler->function, "body");
    for (const int s : ast.children(body)) {
      if (ast.is(s, "function_declaration") && ast.text(ast.field(s, "name")) == name) found.node = s;
      for (const int d : ast.children(s))
        if (ast.is(d, "variable_declarator") && ast.text(ast.field(d, "name")) == name) found.node = d;
    }
  } else {
    found = m.program.declaration(m.file, name);
  }
  if (found.node == kNone) return false;
  const Ast& there = *found.file->ast;
  const int f = there.strip(there.defined(found.node));
  if (!Ast::is_function(there.type(f)) || !there.is_async(f)) return false;
  // An async function that waits for nothing is done when it returns.
  for (int i = f; i < there.end(f); ++i)
    if (there.is(i, "await_expression") && there.function_of(i) == f) return true;
  return false;
}

bool endless_wait(Match& m, int loop, const Predicate&) {
  const Ast& ast = m.ast;
  const Handler* handler = m.program.handler_at(m.file, loop);
  if (handler == nullptr ||
      (handler->kind != HandlerKind::route && handler->kind != HandlerKind::pages_api &&
       handler->kind != HandlerKind::action && handler->kind != HandlerKind::server_props))
    return false;
  const std::string_view text = ast.text(loop);
  // A clock, a count or an abort signal ends it in time.
  for (const std::string_view word : {"Date.now", "performance.now", "new Date", "aborted", "attempt",
                                      "retries", "tries", "deadline", "elapsed", ".next(", ".read("})
    if (says(text, word)) return false;
  bool sleep = false;
  for (int i = loop; i < ast.end(loop); ++i) {
    if (ast.function_of(i) != handler->function) continue;
    if (ast.is(i, "update_expression") || ast.is(i, "augmented_assignment_expression")) return false;
    if (ast.is(i, "await_expression")) {
      const auto parts = ast.children(i);
      sleep = sleep || (!parts.empty() && sleeps(ast, parts[0]));
    }
  }
  if (!sleep) return false;
  if (ast.is(loop, "for_statement")) {
    const int condition = ast.field(loop, "condition");
    return condition == kNone || ast.is(condition, "empty_statement") || ast.is(condition, "true");
  }
  const int condition = ast.strip(ast.field(loop, "condition"));
  if (condition == kNone) return false;
  if (ast.is(condition, "true") || ast.text(condition) == "1") return true;
  // `while (!ready)`, `while (job.status !== "done")`
  if (ast.is(condition, "unary_expression")) return ast.text(condition).starts_with("!");
  return ast.is(condition, "binary_expression") &&
         (says(ast.text(condition), "!==") || says(ast.text(condition), "==="));
}

}  // namespace vsim::check
