#include "check/state.hpp"

#include <vector>

#include "base/text.hpp"
#include "check/callers.hpp"

namespace vsim::check {
namespace {

// "cachedAt" → cached, at
std::vector<std::string> name_words(std::string_view name) {
  std::vector<std::string> out(1);
  for (const char c : name) {
    if (c == '_' || c == '$') {
      out.emplace_back();
      continue;
    }
    const bool upper = c >= 'A' && c <= 'Z';
    if (upper && !out.back().empty() && !(out.back().back() >= 'A' && out.back().back() <= 'Z'))
      out.emplace_back();
    out.back() += c;
  }
  for (std::string& w : out)
    for (char& c : w) c = ascii_lower(c);
  return out;
}

// What statements of the top level assign to this member: `if (!g.rooms) g.rooms = new Map();`
int assigned_at_load(const Ast& ast, std::string_view member) {
  for (int i = 0; i < ast.size(); ++i) {
    if (!ast.is_assignment(i)) continue;
    const int left = ast.strip(ast.field(i, "left"));
    if (ast.text(left) == member && ast.function_of(i) == kNone) return ast.field(i, "right");
  }
  return kNone;
}

bool is_global_object(const Ast& ast, int object) {
  object = ast.strip(object);
  if (!ast.is(object, "identifier")) return false;
  if (ast.text(object) == "globalThis" || ast.text(object) == "global") return true;
  const int declared = ast.top_level(ast.text(object));
  if (!ast.is(declared, "variable_declarator")) return false;
  const int value = ast.strip(ast.field(declared, "value"));
  return ast.is(value, "identifier") && (ast.text(value) == "globalThis" || ast.text(value) == "global");
}

}  // namespace

bool per_instance_by_name(std::string_view name, bool constant) {
  static constexpr std::string_view kBoth[] = {"cache",    "caches",     "cached",    "memo",
                                               "memoized", "promise",    "promises",  "inflight",
                                               "registry", "dataloader", "singleton", "lru"};
  static constexpr std::string_view kCell[] = {
      "client", "conn",   "connection", "pool",     "prisma", "db",      "database", "redis",       "logger",
      "log",    "config", "options",    "settings", "debug",  "verbose", "instance", "transporter", "sdk",
      "stripe", "resend", "schema",     "model",    "env",    "pending", "provider", "adapter",     "driver"};
  for (const std::string& w : name_words(name)) {
    if (contains(kBoth, w)) return true;
    if (!constant && contains(kCell, w)) return true;
  }
  return false;
}

Container container_of(const Ast& ast, int value) {
  bool followed = false;
  while (value != kNone) {
    value = ast.strip(value);
    const std::string_view t = ast.type(value);
    if (t == "binary_expression" || ast.is_assignment(value)) {
      value = ast.field(value, "right");
    } else if (t == "member_expression" || t == "subscript_expression") {
      if (followed) return Container::no;
      followed = true;
      value = assigned_at_load(ast, ast.text(value));
    } else if (t == "array") {
      return Container::list;
    } else if (t == "object") {
      return Container::keyed;
    } else if (t == "new_expression") {
      const std::string_view made = ast.text(ast.field(value, "constructor"));
      if (made == "Array") return Container::list;
      if (made == "EventEmitter") return Container::emitter;
      return made == "Map" || made == "Set" ? Container::keyed : Container::no;
    } else {
      return Container::no;
    }
  }
  return Container::no;
}

Container container_in(const Program& program, const File& file, int value, int depth) {
  const Ast& ast = *file.ast;
  if (const Container c = container_of(ast, value); c != Container::no) return c;
  value = ast.right_most(value);
  if (depth > 2) return Container::no;
  if (ast.is(value, "new_expression")) {
    const int c = ast.field(value, "constructor");
    if (!ast.is(c, "identifier")) return Container::no;
    const std::string_view name = ast.text(c);
    static constexpr std::string_view kStores[] = {"LRUCache", "LRU",       "QuickLRU",
                                                   "TTLCache", "NodeCache", "ExpiryMap"};
    if (contains(kStores, name)) return Container::keyed;
    if (name == "EventTarget") return Container::emitter;
    const int declared = ast.top_level(name);
    if (!ast.is(declared, "class_declaration")) return Container::no;
    for (int i = declared; i < ast.field(declared, "body"); ++i) {
      if (!ast.is(i, "extends_clause") && !ast.is(i, "class_heritage")) continue;
      if (says(ast.text(i), "EventEmitter")) return Container::emitter;
    }
    return Container::no;
  }
  if (!ast.is(value, "call_expression")) return Container::no;
  const int callee = ast.strip(ast.field(value, "function"));
  if (ast.is(callee, "identifier"))
    if (const Import* i = ast.import_of(ast.text(callee)); i != nullptr && i->source == "mitt")
      return Container::emitter;
  const FunctionAt made = function_called(program, file, callee);
  if (made.function == kNone) return Container::no;
  const Ast& there = *made.file->ast;
  int given = there.field(made.function, "body");
  if (there.is(given, "statement_block")) {
    int last = kNone;
    for (const int s : there.children(given))
      if (there.is(s, "return_statement")) last = s;
    const auto parts = there.children(last);
    given = parts.size() == 1 ? parts[0] : kNone;
  }
  given = there.strip(given);
  if (!there.is(given, "new_expression") && !there.is(given, "call_expression")) return Container::no;
  return container_in(program, *made.file, given, depth + 1);
}

std::set<std::string_view> parts_of(const Program& program, const File& file, int value) {
  const Ast& ast = *file.ast;
  std::set<std::string_view> out;
  value = ast.right_most(value);
  if (!ast.is(value, "object")) return out;
  for (const int pair : ast.children(value)) {
    const int key = ast.field(pair, "key"), v = ast.field(pair, "value");
    if (key == kNone || v == kNone || per_instance_by_name(ast.text(key), true)) continue;
    if (container_in(program, file, v) != Container::no) out.insert(ast.text(key));
  }
  return out;
}

std::string global_key(const Ast& ast, int value) {
  if (value == kNone) return {};
  for (int i = value; i < ast.end(value); ++i) {
    if (Ast::is_function(ast.type(i))) return {};
    if (ast.is(i, "member_expression") && is_global_object(ast, ast.field(i, "object")))
      return std::string(ast.text(ast.field(i, "property")));
  }
  return {};
}

}  // namespace vsim::check
