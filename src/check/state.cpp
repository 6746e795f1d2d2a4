// Module-level state that requests share: bindings of modules, static fields, members of globalThis.

#include <algorithm>

#include "check/callers.hpp"
#include "check/predicates.hpp"
#include "check/uses.hpp"

namespace vsim::check {
namespace {

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
        for (const Ref& ref : references(m.program, file, std::string(ast.text(ast.field(i, "name")))))
          if (const auto use = classify(ref)) found.push_back(*use);
    }
  }
  for (Use& u : found) {
    if (u.kind == Use::assign || u.kind == Use::update || u.kind == Use::insert) continue;
    uses.push_back(u);
  }
}

// Only what looks like state so far is asked for its callers: registries are filled while modules load.
bool shared(Match& m, std::vector<Use> uses, Container container) {
  if (!changed(uses, container, m.detail)) return false;
  std::erase_if(uses, [&](const Use& u) {
    return (u.kind == Use::assign || u.kind == Use::update || u.kind == Use::insert) &&
           only_at_load(m.program, *u.file, u.node);
  });
  return changed(uses, container, m.detail);
}

// What the functions of this file put there, when it begins empty: `let rooms; … rooms ??= new Map();`
Container container_assigned(const Match& m, const std::vector<Use>& uses) {
  for (const Use& u : uses) {
    if ((u.kind != Use::assign && u.kind != Use::update) || u.value == kNone) continue;
    const int value = u.ast->strip(u.value);
    if (u.ast->is(value, "object") && !u.ast->children(value).empty()) continue;  // a value that is replaced
    if (const Container c = container_in(m.program, *u.file, value); c != Container::no) return c;
  }
  return Container::no;
}

struct StaticField {
  int definition = kNone, body = kNone;
  std::string class_name;
};
StaticField static_field(const Ast& ast, int name) {
  const int definition = ast.parent(name), body = ast.parent(definition), declared = ast.parent(body);
  if (!ast.is(definition, "public_field_definition") || ast.field(definition, "name") != name ||
      !ast.is(declared, "class_declaration"))
    return {};
  const std::string_view text = ast.text(definition);
  const std::string_view before =
      text.substr(0, static_cast<std::size_t>(ast.text(name).data() - text.data()));
  if (!says(before, "static") || says(before, "readonly")) return {};
  const std::string class_name(ast.text(ast.field(declared, "name")));
  if (ast.top_level(class_name) != declared) return {};
  return {definition, body, class_name};
}

// `Presence.online`, and `this.online` inside the class, in functions.
std::vector<Ref> static_references(const Match& m, const StaticField& field, std::string_view name) {
  std::vector<Ref> out;
  m.program.each_user(m.file, field.class_name, [&](const File& file, std::string_view local) {
    const Ast& ast = *file.ast;
    for (int i = 0; i < ast.size(); ++i) {
      if (!ast.is(i, "member_expression") || ast.function_of(i) == kNone) continue;
      const int property = ast.field(i, "property"), object = ast.strip(ast.field(i, "object"));
      if (property == kNone || object == kNone || ast.text(property) != name) continue;
      const bool own = ast.is(object, "this") && &file == &m.file && ast.inside(i, field.body);
      if (own || (ast.is(object, "identifier") && ast.text(object) == local && !ast.is_local(object, local)))
        out.push_back({&file, i, ast.text(i)});
    }
  });
  return out;
}

std::vector<Use> uses_of(const std::vector<Ref>& refs, const std::set<std::string_view>& parts = {}) {
  std::vector<Use> out;
  for (const Ref& ref : refs)
    if (const auto use = classify(ref, parts)) out.push_back(*use);
  return out;
}

// `global.todos` in functions, wherever requests run them; empty when a module keeps it under a name.
std::vector<Ref> global_references(const Match& m, std::string_view key) {
  std::vector<Ref> out;
  for (const auto& [path, file] : m.program.files()) {
    if (!file.request) continue;
    const Ast& ast = *file.ast;
    for (int i = 0; i < ast.size(); ++i) {
      if (ast.is(i, "variable_declarator") && ast.function_of(i) == kNone &&
          global_key(ast, ast.field(i, "value")) == key)
        return {};
      if (!ast.is(i, "member_expression")) continue;
      const int property = ast.field(i, "property"), object = ast.strip(ast.field(i, "object"));
      if (property == kNone || !ast.is(object, "identifier") || ast.text(property) != key) continue;
      if (ast.text(object) != "global" && ast.text(object) != "globalThis") continue;
      if (ast.function_of(i) != kNone) out.push_back({&file, i, ast.text(i)});
    }
  }
  return out;
}

}  // namespace

bool shared_state(Match& m, int name_node, const Predicate&) {
  const std::string name(m.ast.text(name_node));
  const int declarator = m.ast.parent(name_node);
  if (!m.ast.is(declarator, "variable_declarator") || m.ast.top_level(name) != declarator) return false;
  const int declaration = m.ast.parent(declarator), value = m.ast.field(declarator, "value");
  const bool constant = m.ast.text(declaration).starts_with("const");
  Container container = container_in(m.program, m.file, value);
  if (constant && container == Container::no) return false;
  if (per_instance_by_name(name, constant)) return false;

  std::vector<Use> uses = uses_of(references(m.program, m.file, name), parts_of(m.program, m.file, value));
  if (container == Container::no) container = container_assigned(m, uses);
  if (written_only(uses)) collect_by_key(m, global_key(m.ast, value), uses);
  if (container == Container::emitter) return crosses_requests(uses, m.detail);
  return shared(m, std::move(uses), container);
}

bool shared_static(Match& m, int name_node, const Predicate&) {
  const StaticField field = static_field(m.ast, name_node);
  const std::string_view name = m.ast.text(name_node);
  if (field.definition == kNone || per_instance_by_name(field.class_name, false)) return false;
  const auto refs = static_references(m, field, name);
  std::vector<Use> uses = uses_of(refs);
  int value = m.ast.field(field.definition, "value");
  for (const Use& u : uses)
    if (u.file == &m.file && u.value != kNone && m.ast.is(m.ast.strip(u.value), "new_expression"))
      value = u.value;
  // The one object of a class: what its fields hold is what matters.
  if (instance_shares(m, value, field.body, field.class_name, refs)) return true;
  if (per_instance_by_name(name, false)) return false;
  Container container = container_in(m.program, m.file, value);
  if (container == Container::emitter) return crosses_requests(uses, m.detail);
  return shared(m, std::move(uses), container);
}

bool shared_global(Match& m, int at, const Predicate&) {
  if (m.ast.function_of(at) == kNone) return false;
  const std::string_view key = m.ast.text(m.ast.field(at, "property"));
  if (per_instance_by_name(key, false)) return false;
  const auto refs = global_references(m, key);
  std::vector<Use> uses = uses_of(refs);
  const Use* first = nullptr;  // told once, in the first file that changes it
  for (const Use& u : uses)
    if (first == nullptr && (u.kind == Use::assign || u.kind == Use::update || u.kind == Use::insert))
      first = &u;
  if (first == nullptr || first->file != &m.file) return false;
  const auto here = std::find_if(refs.begin(), refs.end(), [&](const Ref& r) { return r.file == &m.file; });
  if (here->node != at) return false;
  const Container container = container_assigned(m, uses);
  if (container == Container::emitter) return crosses_requests(uses, m.detail);
  return shared(m, std::move(uses), container);
}

}  // namespace vsim::check
