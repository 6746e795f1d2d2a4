// State inside an object that a module makes once: `export const store = new JobStore()`, the instance that
// JobStore.getInstance() or getStore() gives, what createStore() closes over. What counts is a Map, a Set or
// a list in a field (or a variable of the factory) that one method fills and another reads.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "check/callers.hpp"
#include "check/predicates.hpp"
#include "check/uses.hpp"

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
    if (ast.is(value, "binary_expression") || ast.is_assignment(value)) {
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
  const Declaration d = m.program.declaration(m.file, ast.text(name));
  if (d.file == nullptr) return {};
  const Ast& there = *d.file->ast;
  if (!there.is(d.node, "class_declaration")) return {};
  if (per_instance_by_name(there.text(there.field(d.node, "name")), false)) return {};
  return {d.file, there.field(d.node, "body")};
}

std::string_view method_name(const Ast& ast, int member) {
  if (ast.is(member, "method_definition")) return ast.text(ast.field(member, "name"));
  const int value = ast.strip(ast.field(member, "value"));  // add = (x) => { … }
  if (value == kNone || !Ast::is_function(ast.type(value))) return {};
  return ast.text(ast.member_name(member));
}

// `this.jobs` at node i.
bool is_own_member(const Ast& ast, int i, std::string_view field) {
  return ast.is(i, "member_expression") && ast.is(ast.strip(ast.field(i, "object")), "this") &&
         ast.text(ast.field(i, "property")) == field;
}

using Fields = std::map<std::string_view, Container, std::less<>>;

// The fields that hold many things, by their initial value here or in the constructor.
Fields container_fields(const Program& program, const File& file, int body) {
  const Ast& ast = *file.ast;
  Fields out;
  const auto add = [&](int name, int value) {
    const Container c = container_in(program, file, value);
    if (c == Container::keyed || c == Container::list) out.emplace(ast.text(name), c);
  };
  for (const int member : ast.children(body)) {
    const int value = ast.field(member, "value");
    const int name = ast.member_name(member);
    const bool fixed = name != kNone && ast.text(member).starts_with("static");
    if (value != kNone && name != kNone && !fixed) add(name, value);
    if (!ast.is(member, "method_definition") || method_name(ast, member) != "constructor") continue;
    for (int i = member; i < ast.end(member); ++i) {
      if (!ast.is(i, "assignment_expression")) continue;
      const int left = ast.strip(ast.field(i, "left"));
      if (ast.is(left, "member_expression") && ast.is(ast.strip(ast.field(left, "object")), "this"))
        add(ast.field(left, "property"), ast.field(i, "right"));
    }
  }
  std::erase_if(out, [](const auto& f) { return per_instance_by_name(f.first, true); });
  return out;
}

// Requests call this method of the object, or use the object in a way that may call any.
bool called(const Match& m, const std::vector<Ref>& refs, std::string_view method) {
  return std::any_of(refs.begin(), refs.end(), [&](const Ref& ref) {
    const Ast& ast = *ref.file->ast;
    const int p = ast.parent(ast.strip_up(ref.node));
    if (!ast.is(p, "member_expression")) return false;
    return ast.text(ast.field(p, "property")) == method && !only_at_load(m.program, *ref.file, ref.node);
  });
}

bool called_by_request(const Match& m, const Class& c, const std::vector<Ref>& refs, std::string_view method,
                       int depth = 0) {
  if (called(m, refs, method)) return true;
  if (depth > 1) return false;
  const Ast& ast = *c.file->ast;
  for (const int member : ast.children(c.body)) {
    const std::string_view name = method_name(ast, member);
    if (name.empty() || name == method || name == "constructor") continue;
    for (int i = member; i < ast.end(member); ++i)
      if (is_own_member(ast, i, method) && called_by_request(m, c, refs, name, depth + 1)) return true;
  }
  return false;
}

// Those who call the methods that insert look the key up first and give back what they find: the object is a
// cache of theirs.
bool callers_fill_cache(const std::vector<Ref>& refs, const std::set<std::string_view>& methods) {
  bool any = false;
  for (const Ref& ref : refs) {
    const Ast& ast = *ref.file->ast;
    const int p = ast.parent(ast.strip_up(ref.node));
    if (!ast.is(p, "member_expression") || !methods.contains(ast.text(ast.field(p, "property")))) continue;
    any = true;
    if (!fills_cache({ref.file, &ast, ref.node, ref.name, Use::insert})) return false;
  }
  return any;
}

// `field` of the class's one object: what its methods that requests call do with it, and what is done from
// outside.
bool field_shares(Match& m, const Class& c, const std::vector<Ref>& refs, std::string_view field,
                  Container container) {
  const Ast& ast = *c.file->ast;
  std::vector<Use> uses;
  std::set<std::string_view> writers;
  for (const int member : ast.children(c.body)) {
    const std::string_view method = method_name(ast, member);
    if (method.empty() || method == "constructor") continue;
    std::vector<Use> own;
    for (int i = member; i < ast.end(member); ++i)
      if (is_own_member(ast, i, field))
        if (const auto use = classify({c.file, i, ast.text(i)})) own.push_back(*use);
    if (own.empty() || !called_by_request(m, c, refs, method)) continue;
    for (const Use& u : own)
      if (u.kind == Use::insert) writers.insert(method);
    uses.insert(uses.end(), own.begin(), own.end());
  }
  for (const Ref& ref : refs) {
    const Ast& there = *ref.file->ast;
    const int p = there.parent(there.strip_up(ref.node));
    if (!there.is(p, "member_expression") || there.text(there.field(p, "property")) != field) continue;
    if (const auto use = classify({ref.file, p, there.text(p)})) uses.push_back(*use);
  }
  std::string detail;
  if (!changed(uses, container, detail) || callers_fill_cache(refs, writers)) return false;
  m.detail = fmt::format("its {} {}", field, detail);
  return true;
}

bool class_shares(Match& m, const Class& c, const std::vector<Ref>& refs) {
  const Fields fields = container_fields(m.program, *c.file, c.body);
  return std::any_of(fields.begin(), fields.end(),
                     [&](const auto& f) { return field_shares(m, c, refs, f.first, f.second); });
}

// The function that makes a value: `createStore()`, `(() => { … })()`, `g.store ?? createStore()`.
FunctionAt factory_of(const Match& m, int value) {
  const Ast& ast = m.ast;
  value = ast.right_most(value);
  if (!ast.is(value, "call_expression")) return {};
  const FunctionAt made = function_called(m.program, m.file, ast.field(value, "function"));
  if (made.function == kNone || made.file->ast->is_async(made.function)) return {};
  return made;
}

// The name by which the object that a factory gives has the function around node i; "" for a helper inside.
std::string_view method_of_factory(const Ast& ast, int i, int factory) {
  std::string_view name;
  for (int f = ast.function_of(i); f != kNone && f != factory; f = ast.function_of(f)) {
    const std::string_view own = ast.function_name(f);
    if (!own.empty()) name = own;
  }
  return name;
}

bool closure_shares(Match& m, const FunctionAt& made, const std::vector<Ref>& refs) {
  const File& file = *made.file;
  const Ast& ast = *file.ast;
  for (int d = made.function; d < ast.end(made.function); ++d) {
    if (!ast.is(d, "variable_declarator") || ast.function_of(d) != made.function) continue;
    const int name = ast.field(d, "name"), value = ast.strip(ast.field(d, "value"));
    if (!ast.is(name, "identifier")) continue;
    const Container container = container_in(m.program, file, value);
    const bool count = ast.is(value, "number") && ast.text(ast.parent(d)).starts_with("let");
    if (!count && container != Container::keyed && container != Container::list) continue;
    std::vector<Use> uses;
    std::set<std::string_view> writers;
    for (int i = made.function; i < ast.end(made.function); ++i) {
      const bool word = ast.is(i, "identifier") || ast.is(i, "shorthand_property_identifier");
      if (!word || ast.text(i) != ast.text(name) || ast.function_of(i) == made.function) continue;
      const std::string_view method = method_of_factory(ast, i, made.function);
      const auto use = classify({&file, i, ast.text(i)});
      if (!use) continue;
      bool by_request = called(m, refs, method);
      for (int c = made.function; c < ast.end(made.function) && !by_request; ++c)  // a helper inside
        by_request = ast.is(c, "call_expression") && ast.is(ast.field(c, "function"), "identifier") &&
                     ast.text(ast.field(c, "function")) == method &&
                     called(m, refs, method_of_factory(ast, c, made.function));
      if (!by_request) continue;
      if (use->kind == Use::insert) writers.insert(method);
      uses.push_back(*use);
    }
    std::string detail;
    if (!changed(uses, container, detail) || callers_fill_cache(refs, writers)) continue;
    m.detail = fmt::format("its {} {}", ast.text(name), detail);
    return true;
  }
  return false;
}

// Where the object of a static field is given: `GameServer.getInstance()`, `Votes.shared`, the field itself.
std::vector<Ref> given_objects(const Match& m, int body, const std::string& class_name,
                               const std::vector<Ref>& refs) {
  const Ast& ast = m.ast;
  std::map<std::string_view, bool> givers;  // name; whether it is a getter
  std::vector<Ref> out;
  for (const Ref& ref : refs) {
    if (ref.file != &m.file || !ast.inside(ref.node, body)) {
      out.push_back(ref);
      continue;
    }
    const int f = given_by(ast, ref.node);
    if (!ast.is(f, "method_definition")) continue;
    const std::string_view text = ast.text(f), name = ast.text(ast.field(f, "name"));
    const std::string_view before = text.substr(0, static_cast<std::size_t>(name.data() - text.data()));
    givers.emplace(name, before.find("get ") != std::string_view::npos);
  }
  m.program.each_user(m.file, class_name, [&](const File& file, std::string_view local) {
    const Ast& there = *file.ast;
    for (int i = 0; i < there.size(); ++i) {
      if (!there.is(i, "member_expression") || there.function_of(i) == kNone) continue;
      const int object = there.strip(there.field(i, "object")), property = there.field(i, "property");
      if (!there.is(object, "identifier") || there.text(object) != local || property == kNone) continue;
      const auto giver = givers.find(there.text(property));
      if (giver == givers.end()) continue;
      int node = i;
      if (!giver->second) {
        node = there.parent(there.strip_up(i));
        if (!there.is(node, "call_expression")) continue;
      }
      out.push_back({&file, node, there.text(i)});
      add_alias(file, node, out);
    }
  });
  return out;
}

}  // namespace

bool instance_shares(Match& m, int value, int body, const std::string& class_name,
                     const std::vector<Ref>& refs) {
  const Class c = class_of(m, value);
  return c.body != kNone && class_shares(m, c, given_objects(m, body, class_name, refs));
}

bool shared_instance(Match& m, int name_node, const Predicate&) {
  const std::string name(m.ast.text(name_node));
  const int declarator = m.ast.parent(name_node);
  if (m.ast.top_level(name) != declarator || per_instance_by_name(name, false)) return false;
  const int value = m.ast.field(declarator, "value");
  const bool constant = m.ast.text(m.ast.parent(declarator)).starts_with("const");
  Class c = class_of(m, value);
  const FunctionAt made = c.body == kNone ? factory_of(m, value) : FunctionAt{};
  if (constant && c.body == kNone && made.function == kNone) return false;
  const auto refs = references(m.program, m.file, name);
  for (const Ref& ref : refs) {  // made when it is first asked for
    if (c.body != kNone || made.function != kNone) break;
    if (ref.file != &m.file) continue;
    if (const auto use = classify(ref); use && use->value != kNone) c = class_of(m, use->value);
  }
  if (c.body != kNone) return class_shares(m, c, refs);
  return made.function != kNone && closure_shares(m, made, refs);
}

}  // namespace vsim::check
