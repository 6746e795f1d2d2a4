// State inside an object that a module makes once: `export const store = new JobStore()`, or the instance
// that JobStore.getInstance() gives. What counts is a Map, a Set or a list in a field that one method fills.
#include <fmt/format.h>

#include <set>

#include "check/callers.hpp"
#include "check/predicates.hpp"
#include "check/state.hpp"

namespace vsim::check {
namespace {

struct Class {
  const File* file = nullptr;
  int body = kNone;
};

// The class whose one object a value is: `new X()`, `g.x ?? new X()`, `X.getInstance()`.
Class class_of(const Match& m, int value) {
  const Ast& ast = m.ast;
  int name = kNone;
  for (value = ast.strip(value); value != kNone && name == kNone;) {
    if (ast.is(value, "binary_expression") || ast.is(value, "assignment_expression") ||
        ast.is(value, "augmented_assignment_expression")) {
      value = ast.strip(ast.field(value, "right"));
    } else if (ast.is(value, "new_expression")) {
      name = ast.field(value, "constructor");
      if (!ast.is(name, "identifier")) return {};
    } else if (ast.is(value, "call_expression")) {
      const int callee = ast.strip(ast.field(value, "function"));
      if (!ast.is(callee, "member_expression") ||
          !ast.text(ast.field(callee, "property")).starts_with("getInstance"))
        return {};
      name = ast.strip(ast.field(callee, "object"));
      if (!ast.is(name, "identifier")) return {};
    } else {
      return {};
    }
  }
  if (name == kNone) return {};
  const File* file = &m.file;
  std::string local(ast.text(name));
  if (const Import* i = ast.import_of(local)) {
    const File* from = m.program.resolve(m.file, i->source);
    if (from == nullptr) return {};
    const Origin origin = m.program.origin(*from, i->imported);
    if (origin.file == nullptr) return {};
    file = origin.file;
    local = origin.name;
  }
  const int declared = file->ast->top_level(local);
  if (!file->ast->is(declared, "class_declaration") || per_instance_by_name(local, false)) return {};
  return {file, file->ast->field(declared, "body")};
}

std::string_view method_name(const Ast& ast, int member) {
  if (ast.is(member, "method_definition")) return ast.text(ast.field(member, "name"));
  const int value = ast.strip(ast.field(member, "value"));  // add = (x) => { … }
  if (value == kNone || !Ast::is_function(ast.type(value))) return {};
  const int name =
      ast.field(member, "name") != kNone ? ast.field(member, "name") : ast.field(member, "property");
  return name == kNone ? std::string_view() : ast.text(name);
}

// `this.jobs` at node i.
bool is_own_member(const Ast& ast, int i, std::string_view field) {
  return ast.is(i, "member_expression") && ast.is(ast.strip(ast.field(i, "object")), "this") &&
         ast.text(ast.field(i, "property")) == field;
}

// The fields that hold many things, by their initial value here or in the constructor.
std::set<std::string_view> container_fields(const Ast& ast, int body) {
  std::set<std::string_view> out;
  const auto holds = [&](int value) {
    const Container c = container_of(ast, value);
    // `state = {}` may be anything; what is written to it key by key is a table.
    return c == Container::keyed || c == Container::list;
  };
  for (const int member : ast.children(body)) {
    const int value = ast.field(member, "value");
    const int name =
        ast.field(member, "name") != kNone ? ast.field(member, "name") : ast.field(member, "property");
    if (value != kNone && name != kNone && holds(value)) out.insert(ast.text(name));
    if (!ast.is(member, "method_definition") || method_name(ast, member) != "constructor") continue;
    for (int i = member; i < ast.end(member); ++i) {
      if (!ast.is(i, "assignment_expression")) continue;
      const int left = ast.strip(ast.field(i, "left"));
      if (ast.is(left, "member_expression") && ast.is(ast.strip(ast.field(left, "object")), "this") &&
          holds(ast.field(i, "right")))
        out.insert(ast.text(ast.field(left, "property")));
    }
  }
  std::erase_if(out, [](std::string_view f) { return per_instance_by_name(f, true); });
  return out;
}

struct Access {
  int node = kNone;
  std::string_view method;  // of the class
  bool write = false;
};

// What `this.field` at node i is used for.
bool is_insert(const Ast& ast, int i) {
  const int use = ast.strip_up(i), p = ast.parent(use);
  if (!(ast.is(p, "member_expression") || ast.is(p, "subscript_expression")) || ast.field(p, "object") != use)
    return false;
  const int outer = ast.strip_up(p), q = ast.parent(outer);
  if ((ast.is(q, "assignment_expression") || ast.is(q, "augmented_assignment_expression")) &&
      ast.field(q, "left") == outer)
    return ast.is(p, "subscript_expression");
  if (!ast.is(p, "member_expression") || !ast.is(q, "call_expression") || ast.field(q, "function") != outer)
    return false;
  const std::string_view method = ast.text(ast.field(p, "property"));
  return method == "set" || method == "add" || method == "push" || method == "unshift";
}

// The method asks for the key first and returns what it finds: a cache of what can be made again.
bool looks_up_first(const Ast& ast, int member, int insert, std::string_view field) {
  bool asked = false, returned = false;
  for (int i = member; i < insert; ++i) {
    if (is_own_member(ast, i, field)) asked = true;
    if (asked && ast.is(i, "return_statement") && ast.end(i) <= insert) returned = true;
  }
  return asked && returned;
}

std::vector<Access> accesses(const Ast& ast, int body, std::string_view field) {
  std::vector<Access> out;
  for (const int member : ast.children(body)) {
    const std::string_view name = method_name(ast, member);
    if (name.empty() || name == "constructor") continue;
    for (int i = member; i < ast.end(member); ++i) {
      if (!is_own_member(ast, i, field)) continue;
      const bool insert = is_insert(ast, i);
      if (insert && looks_up_first(ast, member, i, field)) continue;
      out.push_back({i, name, insert});
    }
  }
  return out;
}

// A method of the object that a request calls: `store.add(…)` in a function that does not only run at load,
// or `this.add(…)` in another such method.
bool called_by_request(const Match& m, const Class& c, std::string_view instance, std::string_view method,
                       int depth = 0) {
  const auto calls = [&](const File& file, std::string_view name) {
    const Ast& ast = *file.ast;
    for (int i = 0; i < ast.size(); ++i) {
      if (!ast.is(i, "identifier") || ast.text(i) != name || ast.is_local(i, name)) continue;
      const int p = ast.parent(ast.strip_up(i));
      if (!ast.is(p, "member_expression") || ast.text(ast.field(p, "property")) != method) continue;
      if (ast.function_of(i) != kNone && !only_at_load(m.program, file, i)) return true;
    }
    return false;
  };
  if (calls(m.file, instance)) return true;
  for (const Origin& other : m.program.importers(m.file, std::string(instance)))
    if (calls(*other.file, other.name)) return true;
  if (depth > 1) return false;
  const Ast& ast = *c.file->ast;
  for (const int member : ast.children(c.body)) {
    const std::string_view name = method_name(ast, member);
    if (name.empty() || name == method || name == "constructor") continue;
    for (int i = member; i < ast.end(member); ++i)
      if (is_own_member(ast, i, method) && called_by_request(m, c, instance, name, depth + 1)) return true;
  }
  return false;
}

}  // namespace

bool shared_instance(Match& m, const Predicate& p) {
  const int name_node = capture(m, p);
  if (name_node == kNone) return false;
  const std::string_view name = m.ast.text(name_node);
  const int declarator = m.ast.parent(name_node);
  if (m.ast.top_level(name) != declarator || per_instance_by_name(name, false)) return false;
  const Class c = class_of(m, m.ast.field(declarator, "value"));
  if (c.body == kNone) return false;
  const Ast& ast = *c.file->ast;
  for (const std::string_view field : container_fields(ast, c.body)) {
    const Access* write = nullptr;
    const Access* read = nullptr;
    const auto all = accesses(ast, c.body, field);
    for (const Access& a : all) {
      const Access*& slot = a.write ? write : read;
      if (slot == nullptr && called_by_request(m, c, name, a.method)) slot = &a;
    }
    if (write == nullptr || read == nullptr) continue;
    m.detail = fmt::format("its {} changed at {}:{}, read at {}:{}", field, ast.path(), ast.line(write->node),
                           ast.path(), ast.line(read->node));
    return true;
  }
  return false;
}

}  // namespace vsim::check
