// Event streams that only the platform or the visitor ends.
#include <chrono>

#include "base/text.hpp"
#include "check/callers.hpp"
#include "check/predicates.hpp"

namespace vsim::check {
namespace {

constexpr int kMaxDepth = 4;  // functions followed to where they are called

std::string_view callee_name(const Ast& ast, int call) {
  const int callee = ast.strip(ast.field(call, "function"));
  if (ast.is(callee, "identifier")) return ast.text(callee);
  if (ast.is(callee, "member_expression")) return ast.text(ast.field(callee, "property"));
  return {};
}

bool is_content_type(const Ast& ast, int node) {
  return iequals(ast.is_string(node) ? ast.string(node) : std::string(ast.text(node)), "content-type");
}

// The text is sent: a value of the header content-type, not compared with one that was received.
bool is_sent(const Ast& ast, int text) {
  const int p = ast.parent(text);
  if (ast.is(p, "pair")) return is_content_type(ast, ast.field(p, "key"));
  if (!ast.is(p, "arguments") && !ast.is(p, "array")) return false;
  const auto parts = ast.children(p);
  return parts.size() >= 2 && parts[1] == text && is_content_type(ast, parts[0]);
}

// The function whose stream it is: the handler around the header, the helper of a handler's file, or who uses
// a list of headers that the module keeps.
int function_of_stream(const Match& m, int text) {
  const Ast& ast = m.ast;
  int i = text;
  if (ast.function_of(i) == kNone) {
    const int name = ast.field(ast.enclosing(text, "variable_declarator"), "name");
    if (name == kNone) return kNone;
    i = kNone;
    for (int u = 0; u < ast.size() && i == kNone; ++u)
      if (ast.is(u, "identifier") && u != name && ast.text(u) == ast.text(name) &&
          ast.function_of(u) != kNone)
        i = u;
    if (i == kNone) return kNone;
  }
  if (const Handler* handler = m.program.handler_around(m.file, i))
    return handler->kind == HandlerKind::route || handler->kind == HandlerKind::pages_api ? handler->function
                                                                                          : kNone;
  int f = ast.function_of(i);
  for (int up = f; up != kNone; up = ast.function_of(up)) f = up;
  return f;
}

// How long the function of this file may run, in milliseconds.
double allowed(const Match& m) {
  Duration most = m.profile.duration_default.value;
  for (const routes::Function& f : m.program.functions())
    if (f.file == m.ast.path() && f.max_duration) most = limit_of(f, m.profile);
  return std::chrono::duration<double, std::milli>(most).count();
}

bool is_request(std::string_view name) {
  return is_one_of(name, {"req", "_req", "request", "_request", "res", "_res", "response"});
}

// `signal.addEventListener("abort", …)`, `req.on("close", …)`
bool listens_for_departure(const Ast& ast, int call) {
  if (!is_one_of(callee_name(ast, call), {"addEventListener", "on", "once", "addListener"})) return false;
  const auto arguments = ast.children(ast.field(call, "arguments"));
  if (arguments.empty() || !ast.is_string(arguments[0])) return false;
  const std::string event = ast.string(arguments[0]);
  if (event == "abort") return true;
  if (!is_one_of(event, {"close", "aborted", "finish", "end", "error"})) return false;
  int object = ast.strip(ast.field(ast.strip(ast.field(call, "function")), "object"));
  while (ast.is(object, "member_expression")) object = ast.strip(ast.field(object, "object"));
  return ast.is(object, "identifier") && is_request(ast.text(object));
}

// Node i runs only when the visitor is gone or the stream has failed.
bool on_departure(const Ast& ast, int i, int stream, int depth = 0) {
  for (int p = ast.parent(i); p != kNone && p != stream; p = ast.parent(p)) {
    const std::string_view t = ast.type(p);
    if (t == "catch_clause") return true;
    if (t == "if_statement" && says(ast.text(ast.field(p, "condition")), "aborted")) return true;
    if (t == "call_expression" && listens_for_departure(ast, p)) return true;
    if (t == "assignment_expression" && says(ast.text(ast.field(p, "left")), ".onabort")) return true;
    if (!Ast::is_function(t)) continue;
    const std::string_view name = ast.function_name(p);
    if (name == "cancel") return true;
    if (name.empty() || depth >= kMaxDepth || name == "start" || name == "pull") continue;
    // A function with a name runs where it is called.
    bool any = false;
    for (int u = stream; u < ast.end(stream); ++u) {
      if (!ast.is(u, "identifier") || ast.text(u) != name || ast.inside(u, p)) continue;
      const int q = ast.parent(u);
      if (ast.is(q, "variable_declarator") && ast.field(q, "name") == u) continue;
      if (!on_departure(ast, u, stream, depth + 1)) return false;
      any = true;
    }
    return any;
  }
  return false;
}

// The time after which a setTimeout around node i fires, if it is known; nullopt when there is none around.
std::optional<std::optional<double>> timeout_around(const Ast& ast, int i, int stream) {
  for (int p = ast.parent(i); p != kNone && p != stream; p = ast.parent(p)) {
    if (!ast.is(p, "call_expression") || callee_name(ast, p) != "setTimeout") continue;
    const auto arguments = ast.children(ast.field(p, "arguments"));
    return arguments.size() < 2 ? std::nullopt : number(ast, arguments[1]);
  }
  return std::nullopt;
}

// `while (true)` and `while (!signal.aborted)` that sleep between their turns and have no other way out.
bool endless_loop(const Ast& ast, int loop) {
  const int c = ast.strip(ast.field(loop, "condition"));
  if (c == kNone) return false;
  const bool always = ast.is(c, "true") || ast.text(c) == "1";
  if (!always && !(says(ast.text(c), "aborted") && !says(ast.text(c), "&&"))) return false;
  bool sleep = false;
  for (int i = loop; i < ast.end(loop); ++i) {
    if (ast.function_of(i) != ast.function_of(loop)) continue;
    if (ast.is(i, "await_expression") && !ast.children(i).empty() && sleeps(ast, ast.children(i)[0]))
      sleep = true;
    if ((ast.is(i, "break_statement") || ast.is(i, "return_statement")) &&
        !on_departure(ast, i, ast.function_of(loop), kMaxDepth))
      return false;
  }
  return sleep;
}

// The controller, or what `start` calls it.
bool is_sink(const Ast& ast, int object, int stream) {
  object = ast.strip(object);
  if (object == kNone) return false;
  const std::string_view name = ast.text(object);
  if (says(name, "ontroller") || says(name, "riter") || name == "res" || name == "response") return true;
  if (!ast.is(object, "identifier")) return false;
  for (int f = ast.function_of(object); f != kNone && ast.inside(f, stream); f = ast.function_of(f)) {
    if (ast.function_name(f) != "start") continue;
    const auto parameters = ast.children(ast.field(f, "parameters"));
    return !parameters.empty() && says(ast.text(parameters[0]), name);
  }
  return false;
}

// Something in it ends the stream in time, whether or not the visitor leaves.
bool ends_itself(const Match& m, int stream) {
  const Ast& ast = m.ast;
  int loop = kNone;
  for (int i = stream; i < ast.end(stream); ++i) {
    if (ast.is(i, "while_statement") && loop == kNone && endless_loop(ast, i)) loop = i;
    if (!ast.is(i, "call_expression")) continue;
    if (!is_one_of(callee_name(ast, i), {"close", "end", "terminate", "error"})) continue;
    const int callee = ast.strip(ast.field(i, "function"));
    if (!ast.is(callee, "member_expression") || !is_sink(ast, ast.field(callee, "object"), stream)) continue;
    if (loop != kNone && i >= ast.end(loop) && ast.function_of(i) == ast.function_of(loop)) continue;
    if (on_departure(ast, i, stream)) continue;
    if (const auto timeout = timeout_around(ast, i, stream); timeout && *timeout && **timeout >= allowed(m))
      continue;
    return true;
  }
  return false;
}

// What was missed is asked for: by the header, or by a parameter that says where to go on.
bool resumes(const Ast& ast, int stream) {
  for (int i = stream; i < ast.end(stream); ++i) {
    if (ast.is(i, "string") && iequals(ast.string(i), "last-event-id")) return true;
    const bool word = ast.is(i, "string") || ast.is(i, "property_identifier") || ast.is(i, "identifier") ||
                      ast.is(i, "shorthand_property_identifier_pattern");
    if (!word) continue;
    const std::string text = ast.is(i, "string") ? ast.string(i) : std::string(ast.text(i));
    if (is_one_of(text, {"lastEventId", "lastEventID", "last_event_id", "since", "sinceId", "cursor",
                         "lastId", "startIndex", "resumeFrom"}))
      return true;
  }
  return false;
}

// `start(controller) { addClient(controller); }`, `start(c) { bus.on("x", (x) => c.enqueue(x)); }`: others
// feed it.
bool handed_to_others(const Ast& ast, int stream) {
  for (int f = stream; f < ast.end(stream); ++f) {
    if (!Ast::is_function(ast.type(f)) || ast.function_name(f) != "start" || ast.is_async(f)) continue;
    int object = ast.parent(ast.strip_up(f));
    if (ast.is(object, "pair")) object = ast.parent(object);
    const int made = ast.parent(ast.parent(object));
    if (!ast.is(made, "new_expression") || ast.text(ast.field(made, "constructor")) != "ReadableStream")
      continue;
    const auto parameters = ast.children(ast.field(f, "parameters"));
    if (parameters.empty()) continue;
    std::string_view controller = ast.text(parameters[0]);
    controller = controller.substr(0, controller.find_first_of(": "));
    bool given = false;
    for (int i = f; i < ast.end(f); ++i) {
      if (ast.is(i, "await_expression") || ast.is(i, "for_in_statement")) return false;
      if (!ast.is(i, "call_expression") || listens_for_departure(ast, i)) continue;
      const std::string_view name = callee_name(ast, i);
      const bool listens = is_one_of(name, {"on", "addListener", "subscribe", "addSubscriber"}) ||
                           (name.starts_with("on") && name.size() > 2 && name[2] >= 'A' && name[2] <= 'Z');
      for (const int a : ast.children(ast.field(i, "arguments"))) {
        const int v = ast.strip(a);
        if (ast.is(v, "identifier") && ast.text(v) == controller) given = true;
        if (listens && v != kNone && Ast::is_function(ast.type(v))) given = true;
      }
    }
    if (given) return true;
  }
  return false;
}

// `pump(writer)`, `redis.subscribe("x", (text) => writer.write(text))`: a function outside writes without an
// end, or whatever others send is written.
bool written_for_ever(const Match& m, int stream) {
  const Ast& ast = m.ast;
  for (int i = stream; i < ast.end(stream); ++i) {
    if (!ast.is(i, "call_expression") || listens_for_departure(ast, i)) continue;
    const bool listens =
        is_one_of(callee_name(ast, i), {"on", "addListener", "subscribe", "psubscribe", "addSubscriber"});
    bool sink = false;
    for (const int a : ast.children(ast.field(i, "arguments"))) {
      const std::string_view text = ast.text(a);
      const bool function = Ast::is_function(ast.type(ast.strip(a)));
      if (listens && function && (says(text, ".write(") || says(text, ".enqueue("))) return true;
      sink =
          sink || (!function && (says(text, "riter") || says(text, "writable") || says(text, "ontroller")));
    }
    const int helper = sink ? function_called(m.program, m.file, ast.field(i, "function")).function : kNone;
    if (helper == kNone || &m.file != function_called(m.program, m.file, ast.field(i, "function")).file)
      continue;
    for (int l = helper; l < ast.end(helper); ++l)
      if (ast.is(l, "while_statement") && endless_loop(ast, l)) return true;
  }
  return false;
}

}  // namespace

bool sleeps(const Ast& ast, int awaited) {
  const int call = ast.strip(awaited);
  const std::string_view text = ast.text(call);
  if (ast.is(call, "new_expression")) return text.starts_with("new Promise") && says(text, "setTimeout(");
  if (!ast.is(call, "call_expression")) return false;
  const std::string_view callee = ast.text(ast.field(call, "function"));
  for (const std::string_view name : {"sleep", "delay", "wait", "setTimeout", "timeout"})
    if (iequals(callee, name)) return true;
  return false;
}

bool endless_stream(Match& m, int text, const Predicate&) {
  const Ast& ast = m.ast;
  if (!ast.is_string(text) || !ast.string(text).starts_with("text/event-stream") || !is_sent(ast, text))
    return false;
  const int stream = function_of_stream(m, text);
  if (stream == kNone || resumes(ast, stream)) return false;
  bool endless = handed_to_others(ast, stream) || written_for_ever(m, stream);
  for (int i = stream; i < ast.end(stream) && !endless; ++i) {
    if (ast.is(i, "call_expression")) endless = callee_name(ast, i) == "setInterval";
    if (ast.is(i, "while_statement")) endless = endless_loop(ast, i);
  }
  return endless && !ends_itself(m, stream);
}

}  // namespace vsim::check
