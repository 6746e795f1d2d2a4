// Module-level state that requests share: who changes it, who reads it, and what only looks like state.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/text.hpp"
#include "check/callers.hpp"
#include "check/predicates.hpp"
#include "check/state.hpp"

namespace vsim::check {
namespace {

struct Use {
  const File* file;
  const Ast* ast;
  int node;
  enum Kind { read, assign, update, insert, remove, emit, listen } kind;
  int value = kNone;  // of assign
};

bool contains(std::span<const std::string_view> list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

// One reference of the name, or nullopt when it is a declaration or a type.
std::optional<Use> classify(const File& file, int id) {
  const Ast& ast = *file.ast;
  const int use = ast.strip_up(id);
  const int p = ast.parent(use);
  if (p == kNone) return std::nullopt;
  const std::string_view t = ast.type(p);
  if (t == "variable_declarator" && ast.field(p, "name") == use) return std::nullopt;
  if (t == "import_specifier" || t == "export_specifier" || t == "type_query" || t == "import_clause" ||
      t == "namespace_import")
    return std::nullopt;
  if ((t == "assignment_expression" || t == "augmented_assignment_expression") &&
      ast.field(p, "left") == use) {
    const int value = ast.field(p, "right");
    return Use{&file, &ast, id, t == "assignment_expression" ? Use::assign : Use::update, value};
  }
  if (t == "update_expression") return Use{&file, &ast, id, Use::update};
  const bool member = t == "member_expression" && ast.field(p, "object") == use;
  const bool element = t == "subscript_expression" && ast.field(p, "object") == use;
  if (!member && !element) return Use{&file, &ast, id, Use::read};
  const int outer = ast.strip_up(p), q = ast.parent(outer);
  if (q != kNone) {
    const std::string_view qt = ast.type(q);
    if ((qt == "assignment_expression" || qt == "augmented_assignment_expression") &&
        ast.field(q, "left") == outer)
      return Use{&file, &ast, id, Use::insert, ast.field(q, "right")};
    if (qt == "update_expression") return Use{&file, &ast, id, Use::insert};
    if (qt == "unary_expression" && ast.text(q).starts_with("delete"))
      return Use{&file, &ast, id, Use::remove};
    if (member && qt == "call_expression" && ast.field(q, "function") == outer) {
      const std::string_view method = ast.text(ast.field(p, "property"));
      static constexpr std::string_view kInsert[] = {"set", "add", "push", "unshift"};
      static constexpr std::string_view kRemove[] = {"delete", "clear", "splice", "pop", "shift"};
      if (contains(kInsert, method)) return Use{&file, &ast, id, Use::insert};
      if (contains(kRemove, method)) return Use{&file, &ast, id, Use::remove};
      if (method == "emit") return Use{&file, &ast, id, Use::emit};
      if (method == "on" || method == "once" || method == "addListener")
        return Use{&file, &ast, id, Use::listen};
    }
  }
  return Use{&file, &ast, id, Use::read};
}

void collect(const File& file, std::string_view name, std::vector<Use>& out) {
  const Ast& ast = *file.ast;
  for (int i = 0; i < ast.size(); ++i) {
    const std::string_view t = ast.type(i);
    if ((t != "identifier" && t != "shorthand_property_identifier") || ast.text(i) != name) continue;
    if (ast.function_of(i) == kNone || ast.is_local(i, name) || in_load_callback(ast, i)) continue;
    if (const auto use = classify(file, i)) out.push_back(*use);
  }
}

// The function of a use that is not a callback: `x.forEach(() => …)` belongs to what is around it.
int named_function(const Ast& ast, int i) {
  int f = ast.function_of(i);
  for (int up = f; up != kNone; up = ast.function_of(up)) {
    f = up;
    if (!ast.function_name(up).empty()) return up;
  }
  return f;
}

bool mentions(const Ast& ast, int from, int to, std::string_view name) {
  for (int i = from; i < to; ++i)
    if ((ast.is(i, "identifier") || ast.is(i, "shorthand_property_identifier")) && ast.text(i) == name)
      return true;
  return false;
}

// `mod = await import("lib")`, `parse = mod.parse`: code that is loaded late, the same in every instance.
bool loads_code(const Ast& ast, int value) {
  const auto loader = [&](int v) {
    const std::string_view text = v == kNone ? std::string_view() : ast.text(v);
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

// `if (!x) x = …`, `x ??= …`, `x ? … : …`: made once and kept.
bool lazy(const Use& use) {
  const Ast& ast = *use.ast;
  const std::string_view name = ast.text(use.node);
  const int statement = ast.parent(ast.strip_up(use.node));
  if (use.kind == Use::update) {
    const std::string_view text = ast.text(statement);
    return text.find("?\?=") != std::string_view::npos || text.find("||=") != std::string_view::npos;
  }
  if (use.value != kNone) {
    const int v = ast.strip(use.value);
    static constexpr std::string_view kFlags[] = {"true", "false", "null", "undefined"};
    if (contains(kFlags, ast.type(v)) || loads_code(ast, v) || sets_up(ast, use)) return true;
    if (ast.is(v, "binary_expression") && mentions(ast, v, ast.end(v), name)) {
      const std::string_view text = ast.text(v);
      if (text.find("??") != std::string_view::npos || text.find("||") != std::string_view::npos) return true;
    }
  }
  const int f = named_function(ast, use.node);
  for (int i = f; i < use.node; ++i) {
    if (!ast.is(i, "if_statement") && !ast.is(i, "ternary_expression") && !ast.is(i, "while_statement"))
      continue;
    const int condition = ast.field(i, "condition");
    if (condition != kNone && mentions(ast, condition, ast.end(condition), name)) return true;
  }
  return false;
}

// `if (!pools[key]) pools[key] = connect(key); return pools[key];` What is counted or collected there is not
// a cache: an object or a list that begins empty.
bool makes_once(const Use& insert, int function, const std::set<std::string_view>& derived) {
  const Ast& ast = *insert.ast;
  const auto about = [&](int node) {
    return std::any_of(derived.begin(), derived.end(),
                       [&](std::string_view d) { return mentions(ast, node, ast.end(node), d); });
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

// The function looks the key up, returns what it found, and inserts otherwise: a cache of what can be made
// again.
bool fills_cache(const Use& insert) {
  const Ast& ast = *insert.ast;
  const std::string_view name = ast.text(insert.node);
  const int f = named_function(ast, insert.node);
  if (f == kNone) return false;
  std::set<std::string_view> derived = {name};
  for (int i = f; i < insert.node; ++i) {
    if (!ast.is(i, "variable_declarator")) continue;
    const int value = ast.field(i, "value");
    if (value == kNone || Ast::is_function(ast.type(ast.strip(value)))) continue;
    if (mentions(ast, value, ast.end(value), name) && ast.is(ast.field(i, "name"), "identifier"))
      derived.insert(ast.text(ast.field(i, "name")));
  }
  for (int i = f; i < insert.node; ++i) {
    if (!ast.is(i, "return_statement") || ast.end(i) > insert.node) continue;
    for (const std::string_view d : derived)
      if (mentions(ast, i, ast.end(i), d)) return true;
  }
  return makes_once(insert, f, derived);
}

std::string place(const Use& u) { return fmt::format("{}:{}", u.ast->path(), u.ast->line(u.node)); }

// A name that is used once per request only to be unique: `let next = 1` read by `next++` is a read too.
bool value_used(const Use& u) {
  const int p = u.ast->parent(u.ast->strip_up(u.node));
  return u.kind == Use::update && u.ast->is(p, "update_expression") &&
         !u.ast->is(u.ast->parent(u.ast->strip_up(p)), "expression_statement");
}

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
bool changed(const std::vector<Use>& uses, Container container, Match& m) {
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
        if (container == Container::no) {  // a property of something that is not made here
          if (read == nullptr) read = &u;
          break;
        }
        any_insert = true;
        all_cache = all_cache && (lazy_property(u) || fills_cache(u));
        write = &u;
        break;
      case Use::remove:
        break;
    }
  }
  const bool shared = (any_assign && !all_lazy) || (any_insert && !all_cache);
  if (!shared || write == nullptr || read == nullptr) return false;
  if (any_assign && !all_lazy)
    for (const Use& u : uses)
      if ((u.kind == Use::assign || u.kind == Use::update) && !lazy(u)) {
        write = &u;
        break;
      }
  m.detail = fmt::format("changed at {}, read at {}", place(*write), place(*read));
  return true;
}

// Whether other names of it matter at all: the search goes through every file.
bool written_only(const std::vector<Use>& uses) {
  const auto writes = [](const Use& u) {
    return u.kind == Use::assign || u.kind == Use::update || u.kind == Use::insert;
  };
  return !uses.empty() && std::all_of(uses.begin(), uses.end(), writes);
}

// What other files read of the same member of globalThis under their own names; what they write to it is
// their own finding.
void collect_by_key(const Match& m, const std::string& key, std::vector<Use>& uses) {
  if (key.empty()) return;
  std::vector<Use> found;
  for (const auto& [path, file] : m.program.files()) {
    if (!file.request || &file == &m.file) continue;
    const Ast& ast = *file.ast;
    for (int i = 0; i < ast.size(); ++i) {
      if (!ast.is(i, "variable_declarator") || ast.function_of(i) != kNone) continue;
      if (ast.is(ast.field(i, "name"), "identifier") && global_key(ast, ast.field(i, "value")) == key)
        collect(file, ast.text(ast.field(i, "name")), found);
    }
  }
  for (Use& u : found) {
    if (u.kind == Use::assign || u.kind == Use::update || u.kind == Use::insert) continue;
    uses.push_back(u);
  }
}

}  // namespace

bool shared_state(Match& m, const Predicate& p) {
  const int name_node = capture(m, p);
  if (name_node == kNone) return false;
  const std::string name(m.ast.text(name_node));
  const int declarator = m.ast.parent(name_node);
  if (!m.ast.is(declarator, "variable_declarator") || m.ast.top_level(name) != declarator) return false;
  const int declaration = m.ast.parent(declarator);
  const bool constant = m.ast.text(declaration).starts_with("const");
  const Container container = container_of(m.ast, m.ast.field(declarator, "value"));
  if (constant && container == Container::no) return false;
  if (per_instance_by_name(name, constant)) return false;

  std::vector<Use> uses;
  collect(m.file, name, uses);
  for (const Origin& other : m.program.importers(m.file, name))
    if (other.file != &m.file) collect(*other.file, other.name, uses);
  if (written_only(uses)) collect_by_key(m, global_key(m.ast, m.ast.field(declarator, "value")), uses);

  if (container == Container::emitter) return crosses_requests(uses, m.detail);
  if (!changed(uses, container, m)) return false;
  // Only what looks like state so far is asked for its callers: registries are filled while modules load.
  std::erase_if(uses, [&](const Use& u) {
    return (u.kind == Use::assign || u.kind == Use::update || u.kind == Use::insert) &&
           only_at_load(m.program, *u.file, u.node);
  });
  return changed(uses, container, m);
}

}  // namespace vsim::check
