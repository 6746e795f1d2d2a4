// One parsed source file with its nodes numbered, so that questions about parents, subtrees and names are
// index arithmetic. What a file imports and exports is read here too. Pure; bounded by the text's size.
#pragma once

#include <algorithm>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "routes/syntax.hpp"

namespace vsim::check {

constexpr int kNone = -1;

inline bool says(std::string_view text, std::string_view word) {
  return text.find(word) != std::string_view::npos;
}
inline bool contains(std::span<const std::string_view> list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

struct Import {
  std::string local;     // name in this file
  std::string imported;  // "default", "*" or the exported name
  std::string source;    // module specifier as written
};
// A module this file names, whether or not it binds something of it.
struct ModuleSpecifier {
  std::string specifier;
  int node = kNone;  // the string
  bool dynamic = false;
};
// `export { a as b } from "./c"`; imported "*" with exported "*" for `export * from`.
struct ReExport {
  std::string exported, imported, source;
};

class Ast {
 public:
  Ast(std::string path, std::string_view text);  // the text must outlive it
  Ast(const Ast&) = delete;
  Ast& operator=(const Ast&) = delete;

  const std::string& path() const { return path_; }
  const routes::Syntax& syntax() const { return syntax_; }
  bool typescript() const { return typescript_; }  // parsed without JSX
  int size() const { return static_cast<int>(nodes_.size()); }
  // Of kNone: nothing. What a rule looks for may be missing in any file, and in one that is being typed.
  std::string_view type(int i) const { return at(i).type; }
  bool is(int i, std::string_view t) const { return i != kNone && type(i) == t; }
  std::string_view text(int i) const { return i == kNone ? std::string_view() : syntax_.text(at(i).ts); }
  int parent(int i) const { return at(i).parent; }
  int end(int i) const { return at(i).end; }  // the subtree is [i, end)
  TSNode node(int i) const { return at(i).ts; }
  int index(TSNode n) const;  // kNone for an anonymous one
  int field(int i, std::string_view name) const;
  std::vector<int> children(int i) const;  // named, comments left out
  int line(int i) const { return i == kNone ? 0 : routes::Syntax::line(node(i)); }

  static bool is_function(std::string_view type);
  bool is_assignment(int i) const {
    return is(i, "assignment_expression") || is(i, "augmented_assignment_expression");
  }
  int function_of(int i) const;  // nearest enclosing function, not itself; kNone at the top level
  int strip(int i) const;        // without parentheses, `as`, `satisfies`, `!`, `<T>`
  int strip_up(int i) const;     // the outermost node that strips to i
  bool inside(int i, int ancestor) const { return ancestor <= i && i < end(ancestor); }
  std::string string(int i) const;  // of a string or a template without expressions, else ""
  bool is_string(int i) const;
  // The name of a function: its own, or that of the variable or property it is the value of.
  std::string_view function_name(int i) const;
  bool is_async(int function) const;
  std::string_view operator_of(int i) const;  // "+" of `a + b`; "" where there is none
  int member_name(int i) const;               // of a method or a field of a class; kNone
  // A name, or a member as it is written ("hub.clients"), stands in the subtree of node i.
  bool mentions(int i, std::string_view name) const;
  // The nearest node of this type around node i, or itself; kNone.
  int enclosing(int i, std::string_view type) const;
  // What is assigned in the end: `a ?? b`, `x = y` and `x ??= y` give what stands on their right.
  int right_most(int i) const;

  // Where `name`, used at node i, is declared by a function, block or loop around it. False: it is the
  // module's or a global.
  bool is_local(int i, std::string_view name) const;
  // The top-level variable_declarator or function_declaration of a name; kNone.
  int top_level(std::string_view name) const;
  // What a declaration defines: the value of a variable, else itself.
  int defined(int declaration) const {
    return is(declaration, "variable_declarator") ? field(declaration, "value") : declaration;
  }
  const Import* import_of(std::string_view local) const;
  bool has_directive(std::string_view directive) const;  // 'use client'
  bool block_has_directive(int function, std::string_view directive) const;
  // exported name → local name; "default" → "" for an anonymous one
  const std::map<std::string, std::string, std::less<>>& exports() const { return exports_; }
  int default_export() const { return default_export_; }  // the expression or declaration, or kNone
  const std::vector<Import>& imports() const { return imports_; }
  const std::vector<ModuleSpecifier>& sources() const { return sources_; }
  const std::vector<ReExport>& re_exports() const { return re_exports_; }

 private:
  struct Node {
    TSNode ts;
    int parent, end;
    int scope;        // the nearest node around it that declares names; kNone
    TSFieldId field;  // of its parent; 0: none
    std::string_view type;
  };
  const Node& at(int i) const {
    static const Node none{{}, kNone, 0, kNone, 0, {}};
    return i == kNone ? none : nodes_[static_cast<std::size_t>(i)];
  }
  void number();
  void read_scopes();
  void read_module();
  void read_import(int statement);
  void read_export(int statement);
  void read_require(int call);
  void declare_top_level(int statement);
  TSFieldId field_id(std::string_view name) const;
  void bound_by(int pattern, std::vector<std::string_view>& names) const;
  void declared_by(int statement, std::vector<std::string_view>& names) const;
  std::vector<std::string_view> names_of(int scope) const;

  const std::string path_;
  const bool typescript_;
  routes::Syntax syntax_;
  std::vector<Node> nodes_;
  std::unordered_map<const void*, int> index_;
  std::unordered_map<int, std::vector<std::string_view>> scopes_;  // node → names that it declares, sorted
  std::map<std::string, int, std::less<>> top_level_;
  std::map<std::string, std::string, std::less<>> exports_;
  int default_export_ = kNone;
  std::vector<Import> imports_;
  std::vector<ModuleSpecifier> sources_;
  std::vector<ReExport> re_exports_;
};

}  // namespace vsim::check
