#include "check/uses.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "check/callers.hpp"

namespace vsim::check {
namespace {

// A member of the holder that holds many things itself stands for the holder: `hub.clients` of `hub`.
int whole_of(const Ast& ast, int node, const std::set<std::string_view>& parts) {
  const int use = ast.strip_up(node), p = ast.parent(use);
  if (parts.empty() || !ast.is(p, "member_expression") || ast.field(p, "object") != use) return kNone;
  const int property = ast.field(p, "property");
  return parts.contains(ast.text(property)) ? p : kNone;
}

}  // namespace

std::optional<Use> classify(const Ref& ref, const std::set<std::string_view>& parts) {
  const File& file = *ref.file;
  const Ast& ast = *file.ast;
  if (const int part = whole_of(ast, ref.node, parts); part != kNone) {
    auto use = classify({ref.file, part, ref.name});
    if (use) use->node = ref.node;
    if (use) use->part = true;
    return use;
  }
  const int id = ref.node, use = ast.strip_up(id);
  const int p = ast.parent(use);
  if (p == kNone) return std::nullopt;
  const std::string_view t = ast.type(p);
  if (t == "variable_declarator" && ast.field(p, "name") == use) return std::nullopt;
  if (t == "import_specifier" || t == "export_specifier" || t == "type_query" || t == "import_clause" ||
      t == "namespace_import")
    return std::nullopt;
  if (ast.is_assignment(p) && ast.field(p, "left") == use) {
    const int value = ast.field(p, "right");
    return Use{&file, &ast, id, ref.name, t == "assignment_expression" ? Use::assign : Use::update, value};
  }
  if (t == "update_expression") return Use{&file, &ast, id, ref.name, Use::update};
  const bool member = t == "member_expression" && ast.field(p, "object") == use;
  const bool element = t == "subscript_expression" && ast.field(p, "object") == use;
  if (!member && !element) return Use{&file, &ast, id, ref.name, Use::read};
  const int outer = ast.strip_up(p), q = ast.parent(outer);
  if (q != kNone) {
    const std::string_view qt = ast.type(q);
    if (ast.is_assignment(q) && ast.field(q, "left") == outer)
      return Use{&file, &ast, id, ref.name, Use::insert, ast.field(q, "right")};
    if (qt == "update_expression") return Use{&file, &ast, id, ref.name, Use::insert};
    if (qt == "unary_expression" && ast.text(q).starts_with("delete"))
      return Use{&file, &ast, id, ref.name, Use::remove};
    if (member && qt == "call_expression" && ast.field(q, "function") == outer) {
      const std::string_view method = ast.text(ast.field(p, "property"));
      static constexpr std::string_view kInsert[] = {"set", "add", "push", "unshift"};
      static constexpr std::string_view kRemove[] = {"delete", "clear", "splice", "pop", "shift"};
      if (contains(kInsert, method)) return Use{&file, &ast, id, ref.name, Use::insert, kNone, false, method};
      if (contains(kRemove, method)) return Use{&file, &ast, id, ref.name, Use::remove, kNone, false, method};
      if (method == "emit" || method == "dispatchEvent") return Use{&file, &ast, id, ref.name, Use::emit};
      if (method == "on" || method == "once" || method == "addListener" || method == "addEventListener")
        return Use{&file, &ast, id, ref.name, Use::listen};
    }
  }
  return Use{&file, &ast, id, ref.name, Use::read};
}

namespace {

// The function of a use that is not a callback: `x.forEach(() => …)` belongs to what is around it.
int named_function(const Ast& ast, int i) {
  int f = ast.function_of(i);
  for (int up = f; up != kNone; up = ast.function_of(up)) {
    f = up;
    if (!ast.function_name(up).empty()) return up;
  }
  return f;
}

// `mod = await import("lib")`, `parse = mod.parse`: code that is loaded late, the same in every instance.
bool loads_code(const Ast& ast, int value) {
  const auto loader = [&](int v) {
    const std::string_view text = ast.text(v);
    return text.starts_with("await import(") || text.starts_with("(await import(") ||
           text.starts_with("require(");
  };
  value = ast.strip(value);
  if (loader(value)) return true;
  while (ast.is(value, "member_expression")) value = ast.strip(ast.field(value, "object"));
  if (!ast.is(value, "identifier")) return false;
  for (int i = ast.function_of(value); i != kNone && i < value; ++i)
    if (ast.is(i, "variable_declarator") && ast.text(ast.field(i, "name")) == ast.text(value))
      return loader(ast.field(i, "value"));
  return false;
}

// `function initMailer(options) { mailer = new Mailer(options); }`: a service that is set up, not what it
// holds.
bool sets_up(const Ast& ast, const Use& use) {
  const int value = ast.strip(use.value);
  if (!ast.is(value, "new_expression") || container_of(ast, value) != Container::no) return false;
  const std::string_view name = ast.function_name(named_function(ast, use.node));
  for (const std::string_view prefix : {"init", "setup", "setUp", "create", "configure", "bootstrap"})
    if (name.starts_with(prefix)) return true;
  return false;
}

// A function without parameters, and no handler, that waits for what it keeps: every instance loads the same.
bool loads(const Use& use) {
  const Ast& ast = *use.ast;
  const int f = named_function(ast, use.node);
  if (f == kNone || ast.function_of(f) != kNone) return false;
  if (ast.field(f, "parameter") != kNone || !ast.children(ast.field(f, "parameters")).empty()) return false;
  for (const Handler& h : use.file->handlers)
    if (h.function == f) return false;
  for (int i = f; i < ast.end(f); ++i)
    if (ast.is(i, "await_expression") && i < use.node + 40) return true;
  return false;
}

// `if (!x) x = …`, `x ??= …`, `x ? … : …`: made once and kept.
bool lazy(const Use& use) {
  const Ast& ast = *use.ast;
  const std::string_view name = use.name;
  const int statement = ast.parent(ast.strip_up(use.node));
  if (use.kind == Use::update) {
    const std::string_view text = ast.text(statement);
    return says(text, "?\?=") || says(text, "||=");
  }
  if (use.value != kNone) {
    const int v = ast.strip(use.value);
    static constexpr std::string_view kFlags[] = {"true", "false", "null", "undefined"};
    if (contains(kFlags, ast.type(v)) || loads_code(ast, v) || sets_up(ast, use)) return true;
    if (ast.is(v, "binary_expression") && ast.mentions(v, name)) {
      const std::string_view text = ast.text(v);
      if (says(text, "??") || says(text, "||")) return true;
    }
  }
  const int f = named_function(ast, use.node);
  for (int i = f; i < use.node; ++i) {
    if (!ast.is(i, "if_statement") && !ast.is(i, "ternary_expression") && !ast.is(i, "while_statement"))
      continue;
    const int condition = ast.field(i, "condition");
    if (ast.mentions(condition, name)) return true;
    // `if (Date.now() < expires) return token;`
    if (ast.end(i) > use.node || !ast.is(i, "if_statement")) continue;
    for (int r = i; r < ast.end(i); ++r)
      if (ast.is(r, "return_statement") && ast.mentions(r, name)) return true;
  }
  return loads(use);
}

// `if (!pools[key]) pools[key] = connect(key); return pools[key];` What is counted or collected there is not
// a cache: an object or a list that begins empty.
bool makes_once(const Use& insert, int function, const std::set<std::string_view>& derived) {
  const Ast& ast = *insert.ast;
  const auto about = [&](int node) {
    return std::any_of(derived.begin(), derived.end(),
                       [&](std::string_view d) { return ast.mentions(node, d); });
  };
  int value = insert.value;
  if (value == kNone) {  // x.set(key, value)
    const int call = ast.parent(ast.strip_up(ast.parent(ast.strip_up(insert.node))));
    const auto arguments = ast.children(ast.field(call, "arguments"));
    if (arguments.size() != 2) return false;
    value = arguments[1];
  }
  value = ast.strip(value);
  if (container_of(ast, value) != Container::no) return false;
  bool guarded = false;
  for (int p = ast.parent(insert.node); p != kNone && p != function; p = ast.parent(p))
    if (ast.is(p, "if_statement")) guarded = guarded || about(ast.field(p, "condition"));
  if (!guarded) return false;
  for (int i = function; i < ast.end(function); ++i) {
    if (!ast.is(i, "return_statement")) continue;
    const auto parts = ast.children(i);
    if (parts.size() != 1) continue;
    const int r = ast.strip(parts[0]);
    const bool whole =
        ast.is(r, "identifier") || ast.is(r, "subscript_expression") || ast.is(r, "call_expression");
    if (whole && about(r)) return true;
  }
  return false;
}

// `if (db.open) return; db.open = await connect();`: one property of a fixed name, made once and kept.
bool lazy_property(const Use& insert) {
  const Ast& ast = *insert.ast;
  const int member = ast.parent(ast.strip_up(insert.node)), assignment = ast.parent(ast.strip_up(member));
  if (!ast.is(member, "member_expression") || !ast.is(assignment, "assignment_expression")) return false;
  const int value = ast.strip(insert.value);
  for (const std::string_view flag : {"true", "false", "null", "undefined"})
    if (ast.is(value, flag)) return true;
  const std::string_view text = ast.text(member);
  for (int i = named_function(ast, insert.node); i != kNone && i < insert.node; ++i) {
    if (!ast.is(i, "if_statement")) continue;
    const int condition = ast.field(i, "condition");
    for (int c = condition; c != kNone && c < ast.end(condition); ++c)
      if (ast.is(c, "member_expression") && ast.text(c) == text) return true;
  }
  return false;
}

}  // namespace

// The function looks the key up, returns what it found, and inserts otherwise: a cache of what can be made
// again.
bool fills_cache(const Use& insert) {
  const Ast& ast = *insert.ast;
  const std::string_view name = insert.name;
  const int f = named_function(ast, insert.node);
  if (f == kNone) return false;
  std::set<std::string_view> derived = {name};
  for (int i = f; i < insert.node; ++i) {
    if (!ast.is(i, "variable_declarator")) continue;
    const int value = ast.field(i, "value");
    if (value == kNone || Ast::is_function(ast.type(ast.strip(value)))) continue;
    if (ast.mentions(value, name) && ast.is(ast.field(i, "name"), "identifier"))
      derived.insert(ast.text(ast.field(i, "name")));
  }
  for (int i = f; i < insert.node; ++i) {
    if (!ast.is(i, "return_statement") || ast.end(i) > insert.node) continue;
    for (const std::string_view d : derived)
      if (ast.mentions(i, d)) return true;
  }
  return makes_once(insert, f, derived);
}

namespace {

std::string place(const Use& u) { return fmt::format("{}:{}", u.ast->path(), u.ast->line(u.node)); }

// A name that is used once per request only to be unique: `let next = 1` read by `next++` is a read too.
bool value_used(const Use& u) {
  const int p = u.ast->parent(u.ast->strip_up(u.node));
  return u.kind == Use::update && u.ast->is(p, "update_expression") &&
         !u.ast->is(u.ast->parent(u.ast->strip_up(p)), "expression_statement");
}

bool is_handler(const Use& u, int f) {
  return std::any_of(u.file->handlers.begin(), u.file->handlers.end(),
                     [&](const Handler& h) { return h.function == f; });
}

// `idle.pop() ?? new Client()`: what is taken out is made anew when there is none, so it is a pool.
bool makes_another(const Use& u) {
  const Ast& ast = *u.ast;
  const int f = named_function(ast, u.node);
  if (f == kNone) return false;
  static constexpr std::string_view kData[] = {"Error", "Response", "NextResponse", "Promise", "Map",
                                               "Set",   "Date",     "URL",          "Array"};
  for (int i = f; i < ast.end(f); ++i) {
    if (ast.is(i, "new_expression")) {
      const std::string_view made = ast.text(ast.field(i, "constructor"));
      if (!made.empty() && !contains(kData, made) && !made.ends_with("Error")) return true;
    }
    if (!ast.is(i, "call_expression")) continue;
    int callee = ast.strip(ast.field(i, "function"));
    if (ast.is(callee, "member_expression")) callee = ast.field(callee, "property");
    for (const std::string_view verb : {"connect", "create", "open", "alloc", "make", "spawn", "launch"})
      if (ast.text(callee).starts_with(verb)) return true;
  }
  return false;
}

// Things are taken out, used, and given back: the inserted value is a name, never something made there.
bool pooled(const std::vector<Use>& uses) {
  bool taken = false;
  for (const Use& u : uses) {
    if (u.kind == Use::remove && (u.method == "pop" || u.method == "shift"))
      taken = taken || makes_another(u);
    if (u.kind != Use::insert || u.method.empty()) continue;
    const Ast& ast = *u.ast;
    const int call = ast.enclosing(u.node, "call_expression");
    const auto arguments = ast.children(ast.field(call, "arguments"));
    if (arguments.size() != 1 || !ast.is(ast.strip(arguments[0]), "identifier")) return false;
  }
  return taken;
}

// `buffer.push(line); if (buffer.length > 50) flush();`: what is collected leaves from the same instance, and
// goes to nobody who asks.
bool batched(const std::vector<Use>& uses) {
  bool drained = false;
  for (const Use& u : uses) {
    const Ast& ast = *u.ast;
    if (u.kind == Use::insert) continue;
    const int f = named_function(ast, u.node);
    const int member = ast.parent(ast.strip_up(u.node));
    const bool is_member = ast.is(member, "member_expression");
    if (u.kind == Use::read && is_member && ast.text(ast.field(member, "property")) == "length") continue;
    const bool drains = u.kind == Use::remove && u.method == "splice";
    if (f == kNone || is_handler(u, f)) return false;
    drained = drained || drains;
    for (int i = f; i < ast.end(f); ++i) {
      if (ast.is(i, "for_in_statement")) return false;
      if (ast.is(i, "return_statement") && !ast.children(i).empty()) return false;
      if (ast.is(i, "property_identifier") && (ast.text(i) == "forEach" || ast.text(i) == "map"))
        return false;
    }
  }
  return drained;
}

}  // namespace

// One request emits what another listens for. Within one function both ends are the same request's.
bool crosses_requests(const std::vector<Use>& uses, std::string& detail) {
  for (const Use& e : uses)
    for (const Use& l : uses)
      if (e.kind == Use::emit && l.kind == Use::listen &&
          (e.ast != l.ast || named_function(*e.ast, e.node) != named_function(*l.ast, l.node))) {
        detail = fmt::format("sent at {}, listened for at {}", place(e), place(l));
        return true;
      }
  return false;
}

// One request changes it and another reads it; sets the detail.
bool changed(const std::vector<Use>& uses, Container container, std::string& detail) {
  const Use* write = nullptr;
  const Use* read = nullptr;
  bool all_lazy = true, all_cache = true, any_insert = false, any_assign = false;
  for (const Use& u : uses) {
    switch (u.kind) {
      case Use::read:
      case Use::emit:
      case Use::listen:
        if (read == nullptr) read = &u;
        break;
      case Use::assign:
      case Use::update:
        any_assign = true;
        all_lazy = all_lazy && lazy(u);
        if (write == nullptr) write = &u;
        if (read == nullptr && value_used(u)) read = &u;
        break;
      case Use::insert:
        if (container == Container::no && !u.part) {  // a property of something that is not made here
          if (read == nullptr) read = &u;
          break;
        }
        any_insert = true;
        all_cache = all_cache && (lazy_property(u) || fills_cache(u) || loads(u));
        write = &u;
        break;
      case Use::remove:
        break;
    }
  }
  const bool shared = (any_assign && !all_lazy) || (any_insert && !all_cache);
  if (!shared || write == nullptr) return false;
  // What is only taken out again is read by who takes it.
  for (const Use& u : uses)
    if (read == nullptr && u.kind == Use::remove &&
        (u.method == "pop" || u.method == "shift" || u.method == "splice"))
      read = &u;
  if (read == nullptr || pooled(uses) || (container == Container::list && batched(uses))) return false;
  if (any_assign && !all_lazy)
    for (const Use& u : uses)
      if ((u.kind == Use::assign || u.kind == Use::update) && !lazy(u)) {
        write = &u;
        break;
      }
  detail = fmt::format("changed at {}, read at {}", place(*write), place(*read));
  return true;
}

void add_alias(const File& file, int i, std::vector<Ref>& out) {
  const Ast& ast = *file.ast;
  const int declarator = ast.parent(ast.strip_up(i)), f = ast.function_of(i);
  if (f == kNone || !ast.is(declarator, "variable_declarator")) return;
  const int name = ast.field(declarator, "name");
  if (!ast.is(name, "identifier")) return;
  for (int u = declarator; u < ast.end(f); ++u)
    if (u != name && ast.is(u, "identifier") && ast.text(u) == ast.text(name))
      out.push_back({&file, u, ast.text(u)});
}

std::vector<Ref> results_of(const Program& program, const File& file, int function) {
  std::vector<Ref> out;
  for (const CallSite& c : calls_of(program, file, function)) {
    const Ast& ast = *c.file->ast;
    if (ast.function_of(c.call) == kNone || in_load_callback(ast, c.call)) continue;
    const int callee = ast.strip(ast.field(c.call, "function"));
    out.push_back({c.file, c.call, ast.text(callee)});
    add_alias(*c.file, c.call, out);
  }
  return out;
}

int given_by(const Ast& ast, int i) {
  int use = ast.strip_up(i), p = ast.parent(use);
  while (ast.is_assignment(p) && ast.field(p, "left") == use) {
    use = ast.strip_up(p);
    p = ast.parent(use);
  }
  if (ast.is(p, "return_statement")) return ast.function_of(p);
  return ast.is(p, "arrow_function") && ast.field(p, "body") == use ? p : kNone;
}

std::vector<Ref> references(const Program& program, const File& file, const std::string& name) {
  std::vector<Ref> out;
  std::set<int> givers;
  program.each_user(file, name, [&](const File& in, std::string_view local) {
    const Ast& ast = *in.ast;
    for (int i = 0; i < ast.size(); ++i) {
      const std::string_view t = ast.type(i);
      if ((t != "identifier" && t != "shorthand_property_identifier") || ast.text(i) != local) continue;
      if (ast.function_of(i) == kNone || ast.is_local(i, local) || in_load_callback(ast, i)) continue;
      if (&in == &file)
        if (const int f = given_by(ast, i); f != kNone && ast.function_of(f) == kNone) givers.insert(f);
      out.push_back({&in, i, ast.text(i)});
    }
  });
  for (const int f : givers) {
    const auto given = results_of(program, file, f);
    out.insert(out.end(), given.begin(), given.end());
  }
  return out;
}

}  // namespace vsim::check
