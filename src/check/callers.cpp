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
  for (const NameOrigin& other : program.importers(file, name))
    if (!called_only_at_load(program, *other.file, other.name, kNone, depth)) return false;
  return true;
}

bool runs_at_load(const Program& program, const File& file, int i, int depth) {
  const Ast& ast = *file.ast;
  const int f = ast.function_of(i);
  if (f == kNone) return true;
  if (depth > kMaxDepth) return false;
  const int up = ast.strip_up(f), call = ast.parent(up);
  if (ast.is(call, "call_expression") && ast.field(call, "function") == up)  // (async () => { … })()
    return runs_at_load(program, file, call, depth + 1);
  const std::string_view name = ast.function_name(f);
  if (name.empty() || ast.is(f, "method_definition")) return false;
  const std::string_view path = ast.path();
  if (name == "register" &&
      (path.starts_with("instrumentation.") || path.starts_with("src/instrumentation.")))
    return true;
  for (const CallSite& c : calls_of(program, file, f))
    if (!(c.file == &file && ast.inside(c.call, f)) && runs_at_load(program, *c.file, c.call, depth + 1))
      return true;
  return false;
}

FunctionAt function_called(const Program& program, const File& file, int callee) {
  const Ast& ast = *file.ast;
  callee = ast.strip(callee);
  if (callee == kNone) return {};
  if (Ast::is_function(ast.type(callee))) return {&file, callee};
  if (!ast.is(callee, "identifier")) return {};
  const std::string_view name = ast.text(callee);
  Declaration found{&file, kNone};
  if (ast.is_local(callee, name)) {
    for (int f = ast.function_of(callee); f != kNone && found.node == kNone; f = ast.function_of(f))
      for (int i = f + 1; i < ast.end(f) && found.node == kNone; ++i) {
        if (!ast.is(i, "variable_declarator") && !ast.is(i, "function_declaration")) continue;
        if (ast.text(ast.field(i, "name")) == name && ast.function_of(i) == f) found.node = i;
      }
  } else {
    found = program.declaration(file, name);
    const Import* i = ast.import_of(name);
    if (i != nullptr && found.file != nullptr && program.origin(file, *i).name.empty())
      found.node = found.file->ast->default_export();
  }
  if (found.node == kNone) return {};
  const Ast& there = *found.file->ast;
  if (there.is(found.node, "variable_declarator")) found.node = there.strip(there.defined(found.node));
  if (!Ast::is_function(there.type(found.node))) return {};
  return {found.file, found.node};
}

std::vector<CallSite> calls_of(const Program& program, const File& file, int function) {
  std::vector<CallSite> out;
  const std::string name(file.ast->function_name(function));
  if (name.empty()) return out;
  program.each_user(file, name, [&](const File& in, std::string_view local) {
    const Ast& ast = *in.ast;
    for (int i = 0; i < ast.size(); ++i) {
      if (!ast.is(i, "identifier") || ast.text(i) != local) continue;
      const int use = ast.strip_up(i), call = ast.parent(use);
      if (!ast.is(call, "call_expression") || ast.field(call, "function") != use) continue;
      if (function_called(program, in, i).function == function) out.push_back({&in, call});
    }
  });
  return out;
}

namespace {

// The parameters in order: each one's name (or kNone for a pattern) and its default.
std::vector<std::pair<int, int>> parameters_of(const Ast& ast, int function) {
  std::vector<std::pair<int, int>> out;
  if (const int one = ast.field(function, "parameter"); one != kNone) out.emplace_back(one, kNone);
  for (const int p : ast.children(ast.field(function, "parameters"))) {
    int name = p, value = kNone;
    if (ast.is(p, "required_parameter") || ast.is(p, "optional_parameter")) {
      name = ast.field(p, "pattern");
      value = ast.field(p, "value");
    } else if (ast.is(p, "assignment_pattern")) {
      name = ast.field(p, "left");
      value = ast.field(p, "right");
    }
    out.emplace_back(ast.is(name, "identifier") ? name : kNone, value);
  }
  return out;
}

}  // namespace

int argument_for(const Ast& callee, int function, std::string_view name, const Ast& caller, int call) {
  const auto parameters = parameters_of(callee, function);
  const auto arguments = caller.children(caller.field(call, "arguments"));
  for (std::size_t i = 0; i < parameters.size() && i < arguments.size(); ++i)
    if (parameters[i].first != kNone && callee.text(parameters[i].first) == name) return arguments[i];
  return kNone;
}

int parameter_default(const Ast& ast, int function, std::string_view name) {
  for (const auto& [parameter, value] : parameters_of(ast, function))
    if (parameter != kNone && ast.text(parameter) == name) return value;
  return kNone;
}

}  // namespace vsim::check
