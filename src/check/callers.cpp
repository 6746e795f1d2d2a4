#include "check/callers.hpp"

#include <algorithm>

namespace vsim::check {
namespace {

constexpr int kMaxDepth = 3;  // callers of callers followed

int outermost_function(const Ast& ast, int i) {
  int outer = kNone;
  for (int f = ast.function_of(i); f != kNone; f = ast.function_of(f)) outer = f;
  return outer;
}

bool called_only_at_load(const Program& program, const File& file, const std::string& name, int declared,
                         int depth) {
  const Ast& ast = *file.ast;
  for (int i = 0; i < ast.size(); ++i) {
    const std::string_view t = ast.type(i);
    if (t != "identifier" && t != "shorthand_property_identifier") continue;
    if (ast.text(i) != name || ast.is_local(i, name)) continue;
    const int p = ast.parent(i);
    if (p == declared && ast.field(p, "name") == i) continue;
    if (ast.is(p, "import_specifier") || ast.is(p, "export_specifier") || ast.is(p, "type_query")) continue;
    if (!ast.is(p, "call_expression") || ast.field(p, "function") != i) return false;
    if (!only_at_load(program, file, i, depth + 1)) return false;
  }
  return true;
}

}  // namespace

bool in_load_callback(const Ast& ast, int i) {
  const int outer = outermost_function(ast, i);
  if (outer == kNone) return false;
  const int value = ast.strip_up(outer);
  int call = ast.parent(value);
  if (ast.is(call, "object")) {  // __esm({ "src/a.ts"() { … } })
    call = ast.parent(call);
  } else if (ast.is(call, "pair")) {
    call = ast.parent(ast.parent(call));
  }
  if (!ast.is(call, "arguments")) return false;
  const std::string_view callee = ast.text(ast.field(ast.parent(call), "function"));
  return callee.starts_with("process.") || callee == "setInterval" || callee == "setTimeout" ||
         callee.starts_with("__esm") || callee.starts_with("__commonJS");
}

bool only_at_load(const Program& program, const File& file, int i, int depth) {
  const Ast& ast = *file.ast;
  const int f = outermost_function(ast, i);
  if (f == kNone || in_load_callback(ast, i)) return true;
  if (depth > kMaxDepth) return false;
  if (std::any_of(file.handlers.begin(), file.handlers.end(),
                  [&](const Handler& h) { return h.function == f; }))
    return false;
  const std::string name(ast.function_name(f));
  const int declared = name.empty() ? kNone : ast.top_level(name);
  const bool named = declared != kNone && (declared == f || ast.strip(ast.field(declared, "value")) == f);
  // What Next itself may call: default exports, and any export of a file of its conventions.
  if (!named || (file.kind != routes::Kind::unknown && ast.default_export() == f)) return false;
  for (const auto& [exported, local] : ast.exports())
    if (local == name &&
        (exported == "default" || exported == "register" || file.kind == routes::Kind::pages))
      return false;
  if (program.imported_whole(file)) return false;
  if (!called_only_at_load(program, file, name, declared, depth)) return false;
  for (const Origin& other : program.importers(file, name))
    if (!called_only_at_load(program, *other.file, other.name, kNone, depth)) return false;
  return true;
}

}  // namespace vsim::check
