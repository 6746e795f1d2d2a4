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
  read_scopes();
  read_module();
}

TSFieldId Ast::field_id(std::string_view name) const {
  using Ids = std::unordered_map<std::string_view, TSFieldId>;
  static const auto read = [](const TSLanguage* language) {
    Ids ids;
    for (std::uint32_t id = 1; id <= ts_language_field_count(language); ++id)
      ids.emplace(ts_language_field_name_for_id(language, static_cast<TSFieldId>(id)), id);
    return ids;
  };
  static const Ids tsx = read(tree_sitter_tsx()), typescript = read(tree_sitter_typescript());
  const Ids& ids = typescript_ ? typescript : tsx;
  const auto it = ids.find(name);
  return it == ids.end() ? TSFieldId{0} : it->second;
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
        nodes_.push_back(
            {n, parent, at + 1, kNone, ts_tree_cursor_current_field_id(&cursor), ts_node_type(n)});
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
  const TSFieldId id = field_id(name);
  if (id == 0) return kNone;
  for (int c = i + 1; c < end(i); c = end(c))
    if (nodes_[static_cast<std::size_t>(c)].field == id) return c;
  return kNone;
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

std::string_view Ast::operator_of(int i) const {
  const auto sign = i == kNone ? std::nullopt : routes::Syntax::field(node(i), "operator");
  return sign ? syntax_.text(*sign) : std::string_view();
}
int Ast::member_name(int i) const {
  const int name = field(i, "name");
  return name != kNone ? name : field(i, "property");
}
bool Ast::mentions(int i, std::string_view name) const {
  const bool member = says(name, ".");
  for (const int to = end(i); i < to; ++i)
    if (text(i) == name &&
        (member ? is(i, "member_expression") : is(i, "identifier") || is(i, "shorthand_property_identifier")))
      return true;
  return false;
}
int Ast::enclosing(int i, std::string_view type) const {
  while (i != kNone && !is(i, type)) i = parent(i);
  return i;
}
int Ast::right_most(int i) const {
  i = strip(i);
  while (is(i, "binary_expression") || is_assignment(i)) i = strip(field(i, "right"));
  return i;
}

// What a pattern (parameter, declarator name) binds. Default values are not bindings.
void Ast::bound_by(int pattern, std::vector<std::string_view>& names) const {
  if (pattern == kNone) return;
  for (int i = pattern; i < end(pattern); ++i) {
    const std::string_view t = type(i);
    if (t != "identifier" && t != "shorthand_property_identifier_pattern") continue;
    const int p = parent(i);
    if (i != pattern && is(p, "assignment_pattern") && field(p, "right") == i) continue;
    if (i != pattern && (is(p, "required_parameter") || is(p, "optional_parameter")) &&
        field(p, "value") == i)
      continue;
    names.push_back(text(i));
  }
}
void Ast::declared_by(int statement, std::vector<std::string_view>& names) const {
  const std::string_view t = type(statement);
  if (t == "lexical_declaration" || t == "variable_declaration") {
    for (const int d : children(statement))
      if (is(d, "variable_declarator")) bound_by(field(d, "name"), names);
  } else if (t == "function_declaration" || t == "class_declaration" ||
             t == "generator_function_declaration") {
    if (const int n = field(statement, "name"); n != kNone) names.push_back(text(n));
  }
}
std::vector<std::string_view> Ast::names_of(int scope) const {
  std::vector<std::string_view> names;
  const std::string_view t = type(scope);
  if (is_function(t)) {
    bound_by(field(scope, "parameters"), names);
    bound_by(field(scope, "parameter"), names);
    const int own = field(scope, "name");
    if (t == "function_expression" && own != kNone) names.push_back(text(own));
  } else if (t == "statement_block" || t == "switch_case" || t == "switch_default") {
    for (const int s : children(scope)) declared_by(s, names);
  } else if (t == "for_statement") {
    if (const int init = field(scope, "initializer"); init != kNone) declared_by(init, names);
  } else if (t == "for_in_statement") {
    // `for (x of all)` declares nothing.
    const int left = field(scope, "left");
    const std::string_view head =
        left == kNone
            ? std::string_view()
            : text(scope).substr(0, ts_node_start_byte(node(left)) - ts_node_start_byte(node(scope)));
    if (says(head, "const") || says(head, "let") || says(head, "var")) bound_by(left, names);
  } else if (t == "catch_clause") {
    bound_by(field(scope, "parameter"), names);
  }
  std::sort(names.begin(), names.end());
  return names;
}
void Ast::read_scopes() {
  for (int i = 0; i < size(); ++i) {
    Node& own = nodes_[static_cast<std::size_t>(i)];
    const int p = own.parent;
    if (p != kNone) own.scope = scopes_.contains(p) ? p : nodes_[static_cast<std::size_t>(p)].scope;
    if (auto names = names_of(i); !names.empty()) scopes_.emplace(i, std::move(names));
  }
}
bool Ast::is_local(int i, std::string_view name) const {
  for (int s = at(i).scope; s != kNone; s = at(s).scope) {
    const auto& names = scopes_.at(s);
    if (std::binary_search(names.begin(), names.end(), name)) return true;
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
