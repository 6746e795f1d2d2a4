#include "check/ast.hpp"

#include <algorithm>

namespace vsim::check {
namespace {

bool typescript_only(std::string_view path) {
  return path.ends_with(".ts") || path.ends_with(".mts") || path.ends_with(".cts");
}

}  // namespace

Ast::Ast(std::string path, std::string_view text)
    : path_(std::move(path)), typescript_(typescript_only(path_)), syntax_(text, typescript_) {
  number();
  read_module();
}

void Ast::number() {
  TSTreeCursor cursor = ts_tree_cursor_new(syntax_.root());
  std::vector<int> open;  // numbers of the ancestors; kNone for anonymous ones
  bool down = true;
  while (true) {
    if (down) {
      const TSNode n = ts_tree_cursor_current_node(&cursor);
      int at = kNone;
      if (ts_node_is_named(n)) {
        at = static_cast<int>(nodes_.size());
        int parent = kNone;
        for (auto it = open.rbegin(); it != open.rend() && parent == kNone; ++it) parent = *it;
        nodes_.push_back({n, parent, at + 1, ts_node_type(n)});
        index_.emplace(n.id, at);
      }
      open.push_back(at);
      if (ts_tree_cursor_goto_first_child(&cursor)) continue;
    }
    if (const int done = open.back(); done != kNone)
      nodes_[static_cast<std::size_t>(done)].end = static_cast<int>(nodes_.size());
    open.pop_back();
    if (ts_tree_cursor_goto_next_sibling(&cursor)) {
      down = true;
    } else if (ts_tree_cursor_goto_parent(&cursor)) {
      down = false;
    } else {
      break;
    }
  }
  ts_tree_cursor_delete(&cursor);
}

int Ast::index(TSNode n) const {
  const auto it = index_.find(n.id);
  return it == index_.end() ? kNone : it->second;
}
int Ast::field(int i, std::string_view name) const {
  if (i == kNone) return kNone;
  const auto f = routes::Syntax::field(node(i), name);
  return f ? index(*f) : kNone;
}
std::vector<int> Ast::children(int i) const {
  std::vector<int> out;
  if (i == kNone) return out;
  for (int c = i + 1; c < end(i); c = end(c))
    if (type(c) != "comment") out.push_back(c);
  return out;
}

bool Ast::is_function(std::string_view t) {
  return t == "arrow_function" || t == "function_declaration" || t == "function_expression" ||
         t == "method_definition" || t == "generator_function_declaration" || t == "generator_function";
}
int Ast::function_of(int i) const {
  for (int p = parent(i); p != kNone; p = parent(p))
    if (is_function(type(p))) return p;
  return kNone;
}
int Ast::strip(int i) const {
  while (i != kNone) {
    const std::string_view t = type(i);
    const bool cast = t == "type_assertion";
    if (!cast && t != "parenthesized_expression" && t != "as_expression" && t != "satisfies_expression" &&
        t != "non_null_expression")
      return i;
    const auto parts = children(i);
    if (parts.empty()) return i;
    i = cast ? parts.back() : parts.front();
  }
  return i;
}
int Ast::strip_up(int i) const {
  for (int p = parent(i); p != kNone && strip(p) == i; p = parent(p)) {
    const int outer = p;
    if (parent(outer) == kNone || strip(parent(outer)) != i) return outer;
  }
  return i;
}
bool Ast::is_string(int i) const {
  if (is(i, "string")) return true;
  if (!is(i, "template_string")) return false;
  for (const int c : children(i))
    if (type(c) == "template_substitution") return false;
  return true;
}
std::string Ast::string(int i) const {
  return is_string(i) ? routes::string_value(syntax_, node(i)) : std::string();
}
std::string_view Ast::function_name(int i) const {
  if (const int n = field(i, "name"); n != kNone) return text(n);
  const int p = parent(strip_up(i));
  if (is(p, "variable_declarator")) return text(field(p, "name"));
  if (is(p, "pair")) return text(field(p, "key"));
  return {};
}
bool Ast::is_async(int f) const {
  std::string_view t = text(f);
  // Methods may be preceded by modifiers; of those only `static` is met in practice.
  if (t.starts_with("static ")) t.remove_prefix(7);
  return t.starts_with("async") && t.size() > 5 &&
         (t[5] == ' ' || t[5] == '(' || t[5] == '\n' || t[5] == '<');
}

// Whether a pattern (parameter, declarator name) binds `name`. Default values are not bindings.
bool Ast::binds(int pattern, std::string_view name) const {
  if (pattern == kNone) return false;
  for (int i = pattern; i < end(pattern); ++i) {
    const std::string_view t = type(i);
    if (t != "identifier" && t != "shorthand_property_identifier_pattern") continue;
    if (text(i) != name) continue;
    const int p = parent(i);
    if (i != pattern && is(p, "assignment_pattern") && field(p, "right") == i) continue;
    if (i != pattern && (is(p, "required_parameter") || is(p, "optional_parameter")) &&
        field(p, "value") == i)
      continue;
    return true;
  }
  return false;
}
bool Ast::declares(int statement, std::string_view name) const {
  const std::string_view t = type(statement);
  if (t == "lexical_declaration" || t == "variable_declaration") {
    for (const int d : children(statement))
      if (is(d, "variable_declarator") && binds(field(d, "name"), name)) return true;
  } else if (t == "function_declaration" || t == "class_declaration" ||
             t == "generator_function_declaration") {
    const int n = field(statement, "name");
    return n != kNone && text(n) == name;
  }
  return false;
}
bool Ast::is_local(int i, std::string_view name) const {
  for (int p = parent(i); p != kNone; p = parent(p)) {
    const std::string_view t = type(p);
    if (t == "program") return false;
    if (is_function(t)) {
      if (binds(field(p, "parameters"), name) || binds(field(p, "parameter"), name)) return true;
      const int own = field(p, "name");
      if (t == "function_expression" && own != kNone && text(own) == name) return true;
    } else if (t == "statement_block" || t == "switch_case" || t == "switch_default") {
      for (const int s : children(p))
        if (declares(s, name)) return true;
    } else if (t == "for_statement") {
      if (const int init = field(p, "initializer"); init != kNone && declares(init, name)) return true;
    } else if (t == "for_in_statement") {
      if (field(p, "kind") != kNone || text(p).find("const ") != std::string_view::npos ||
          text(p).find("let ") != std::string_view::npos)
        if (binds(field(p, "left"), name)) return true;
    } else if (t == "catch_clause") {
      if (binds(field(p, "parameter"), name)) return true;
    }
  }
  return false;
}
int Ast::top_level(std::string_view name) const {
  const auto it = top_level_.find(name);
  return it == top_level_.end() ? kNone : it->second;
}
const Import* Ast::import_of(std::string_view local) const {
  for (const Import& i : imports_)
    if (i.local == local) return &i;
  return nullptr;
}
bool Ast::has_directive(std::string_view directive) const {
  for (const int s : children(0)) {
    if (type(s) == "hash_bang_line") continue;
    const auto parts = children(s);
    if (type(s) != "expression_statement" || parts.size() != 1 || !is(parts[0], "string")) return false;
    if (string(parts[0]) == directive) return true;
  }
  return false;
}
bool Ast::block_has_directive(int function, std::string_view directive) const {
  const int body = field(function, "body");
  if (!is(body, "statement_block")) return false;
  const auto statements = children(body);
  if (statements.empty() || !is(statements[0], "expression_statement")) return false;
  const auto parts = children(statements[0]);
  return parts.size() == 1 && is(parts[0], "string") && string(parts[0]) == directive;
}

void Ast::read_module() {
  if (nodes_.empty()) return;
  for (const int s : children(0)) {
    if (type(s) == "import_statement")
      read_import(s);
    else if (type(s) == "export_statement")
      read_export(s);
    else
      declare_top_level(s);
  }
  for (int i = 0; i < size(); ++i)
    if (type(i) == "call_expression") read_require(i);
}

void Ast::declare_top_level(int s) {
  if (type(s) == "lexical_declaration" || type(s) == "variable_declaration") {
    for (const int d : children(s))
      if (const int n = field(d, "name"); is(n, "identifier")) top_level_.emplace(text(n), d);
  } else if (const int n = field(s, "name"); n != kNone) {
    top_level_.emplace(text(n), s);
  }
}

void Ast::read_import(int s) {
  const int source = field(s, "source");
  if (source == kNone) return;
  const std::string from = string(source);
  if (text(s).starts_with("import type ")) return;
  bool named = false, value = false;
  for (const int clause : children(s)) {
    if (type(clause) != "import_clause") continue;
    for (const int c : children(clause)) {
      if (type(c) == "identifier") {
        imports_.push_back({std::string(text(c)), "default", from});
        value = true;
      } else if (type(c) == "namespace_import") {
        const auto parts = children(c);
        if (!parts.empty()) imports_.push_back({std::string(text(parts[0])), "*", from});
        value = true;
      } else if (type(c) == "named_imports") {
        named = true;
        for (const int spec : children(c)) {
          const int name = field(spec, "name"), alias = field(spec, "alias");
          if (name == kNone || text(spec).starts_with("type ")) continue;
          imports_.push_back({std::string(text(alias != kNone ? alias : name)),
                              is(name, "string") ? string(name) : std::string(text(name)), from});
          value = true;
        }
      }
    }
  }
  if (value || !named) sources_.push_back({from, source, false});
}

void Ast::read_export(int s) {
  const int source = field(s, "source");
  const bool is_default = text(s).starts_with("export default");
  if (text(s).starts_with("export type ")) return;
  if (source != kNone) sources_.push_back({string(source), source, false});
  if (is_default) {
    int value = field(s, "value");
    if (value == kNone) value = field(s, "declaration");
    default_export_ = value;
    std::string local;
    if (value != kNone) {
      if (is(strip(value), "identifier"))
        local = text(strip(value));
      else if (const int n = field(value, "name"); n != kNone)
        local = text(n);
      if (is_function(type(value)) && !local.empty()) top_level_.emplace(local, value);
    }
    exports_.emplace("default", local);
    return;
  }
  if (const int d = field(s, "declaration"); d != kNone) {
    declare_top_level(d);
    if (type(d) == "lexical_declaration" || type(d) == "variable_declaration") {
      for (const int v : children(d))
        if (const int n = field(v, "name"); is(n, "identifier"))
          exports_.emplace(std::string(text(n)), std::string(text(n)));
    } else if (const int n = field(d, "name"); n != kNone) {
      exports_.emplace(std::string(text(n)), std::string(text(n)));
    }
    return;
  }
  bool clause_seen = false;
  for (const int clause : children(s)) {
    if (type(clause) != "export_clause") continue;
    clause_seen = true;
    for (const int spec : children(clause)) {
      const int name = field(spec, "name"), alias = field(spec, "alias");
      if (name == kNone) continue;
      const std::string local(text(name)), exported(text(alias != kNone ? alias : name));
      if (source != kNone) {
        re_exports_.push_back({exported, local, string(source)});
      } else {
        exports_.emplace(exported, local);
        if (exported == "default") default_export_ = name;
      }
    }
  }
  if (!clause_seen && source != kNone) re_exports_.push_back({"*", "*", string(source)});
}

void Ast::read_require(int call) {
  const int f = field(call, "function"), arguments = field(call, "arguments");
  if (f == kNone || arguments == kNone) return;
  const bool require = is(f, "identifier") && text(f) == "require";
  if (!require && type(f) != "import") return;
  const auto args = children(arguments);
  if (args.empty() || !is_string(args[0])) return;
  const std::string from = string(args[0]);
  sources_.push_back({from, args[0], true});
  int value = call;
  if (is(parent(value), "await_expression")) value = parent(value);
  value = strip_up(value);
  std::string member;
  if (is(parent(value), "member_expression") && field(parent(value), "object") == value) {
    value = parent(value);
    member = text(field(value, "property"));
    value = strip_up(value);
  }
  const int declarator = parent(value);
  if (!is(declarator, "variable_declarator")) return;
  const int name = field(declarator, "name");
  if (is(name, "identifier")) {
    imports_.push_back({std::string(text(name)), member.empty() ? "*" : member, from});
    return;
  }
  if (!is(name, "object_pattern")) return;
  for (const int p : children(name)) {
    if (type(p) == "shorthand_property_identifier_pattern") {
      imports_.push_back({std::string(text(p)), std::string(text(p)), from});
    } else if (type(p) == "pair_pattern") {
      const int key = field(p, "key"), v = field(p, "value");
      if (key != kNone && is(v, "identifier"))
        imports_.push_back({std::string(text(v)), std::string(text(key)), from});
    }
  }
}

}  // namespace vsim::check
