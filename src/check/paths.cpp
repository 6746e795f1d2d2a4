// Where files are written: what is known of a path.
#include <string>

#include "check/callers.hpp"
#include "check/predicates.hpp"

namespace vsim::check {
namespace {

constexpr int kMaxDepth = 6;  // names, joins and calls followed

// named: only a variable of the environment says where, which may name a folder of /tmp there: nothing that
// is in the sources can tell.
enum class Path { unknown, tmp, outside, named };

// Where a path is written.
struct PathSite {
  const Program& program;
  const File& file;
  bool moved = false;  // the code that writes has gone to another folder: a relative path may lie in /tmp
};

Path relative(const PathSite& at) { return at.moved ? Path::unknown : Path::outside; }

Path judge_text(const PathSite& at, std::string_view text, bool whole) {
  if (text == "/tmp" || text.starts_with("/tmp/") || text.starts_with("/dev/")) return Path::tmp;
  if (text.starts_with("file:")) return Path::unknown;
  if (text.starts_with("/")) return Path::outside;
  if (text.starts_with("./") || text.starts_with("../")) return relative(at);
  // "data/" + …: relative to the working directory, which is read-only too. A lone word may be anything's
  // start.
  if (whole) return text.empty() ? Path::unknown : relative(at);
  return text.find('/') != std::string_view::npos ? relative(at) : Path::unknown;
}

Path judge(const PathSite& at, int value, int depth);

bool is_constant(const Declaration& d) {
  if (d.file == nullptr) return false;
  const Ast& ast = *d.file->ast;
  return ast.is(d.node, "variable_declarator") && ast.text(ast.parent(d.node)).starts_with("const");
}

// A constant of another file of the project: `import { kUploads } from "@/lib/paths"`.
Path judge_imported(const PathSite& at, std::string_view name, int depth) {
  if (at.file.ast->import_of(name) == nullptr) return Path::unknown;
  const Declaration d = at.program.declaration(at.file, name);
  return is_constant(d)
             ? judge({at.program, *d.file, at.moved}, d.file->ast->field(d.node, "value"), depth + 1)
             : Path::unknown;
}

// One of several values, of which each may be the one.
Path join(Path a, Path b) {
  if (a == Path::tmp || b == Path::tmp) return Path::unknown;
  if (a == Path::outside || b == Path::outside) return Path::outside;
  return a == Path::named || b == Path::named ? Path::named : Path::unknown;
}

// What is called after a place for scratch is left alone.
bool is_scratch(std::string_view name) {
  for (const std::string_view scratch : {"TMP", "TEMP", "CACHE", "SCRATCH"})
    if (name.find(scratch) != std::string_view::npos) return true;
  return false;
}

// `process.env.UPLOAD_DIR`, `process.env["UPLOAD_DIR"]`
bool is_environment(const Ast& ast, int value) {
  if (!ast.is(value, "member_expression") && !ast.is(value, "subscript_expression")) return false;
  return ast.text(ast.strip(ast.field(value, "object"))) == "process.env" && !is_scratch(ast.text(value));
}

// `const { UPLOAD_DIR, DATA: data = "./data" } = process.env`: the default of `name`, if there is one.
Path judge_taken_apart(const PathSite& at, std::string_view name, int depth) {
  const Ast& ast = *at.file.ast;
  for (int i = 0; i < ast.size(); ++i) {
    if (!ast.is(i, "variable_declarator") || !ast.is(ast.field(i, "name"), "object_pattern")) continue;
    if (ast.text(ast.strip(ast.field(i, "value"))) != "process.env") continue;
    for (int part : ast.children(ast.field(i, "name"))) {
      const std::string_view whole = ast.text(part);
      if (ast.is(part, "pair_pattern")) part = ast.field(part, "value");
      const bool usual = ast.is(part, "object_assignment_pattern") || ast.is(part, "assignment_pattern");
      if (ast.text(usual ? ast.field(part, "left") : part) != name || is_scratch(whole)) continue;
      return usual ? judge(at, ast.field(part, "right"), depth + 1) : Path::named;
    }
  }
  return Path::unknown;
}

// A parameter: its default, and what the function is called with.
Path judge_parameter(const PathSite& at, int function, std::string_view name, int depth) {
  const Ast& ast = *at.file.ast;
  const int usual = parameter_default(ast, function, name);
  Path out = usual == kNone ? Path::unknown : judge(at, usual, depth + 1);
  bool any = false;
  const auto given = [&](const File& file, int call) {
    const int a = argument_for(ast, function, name, *file.ast, call);
    if (a == kNone) return;
    const Path one = judge({at.program, file, at.moved}, a, depth + 1);
    out = any || out != Path::unknown ? join(out, one) : one;
    any = true;
  };
  if (!ast.is(function, "method_definition")) {
    for (const CallSite& c : calls_of(at.program, at.file, function)) given(*c.file, c.call);
    return out;
  }
  if (ast.text(ast.field(function, "name")) != "constructor") return out;
  const int declared = ast.parent(ast.parent(function));
  if (!ast.is(declared, "class_declaration")) return out;
  const std::string class_name(ast.text(ast.field(declared, "name")));
  at.program.each_user(at.file, class_name, [&](const File& file, std::string_view local) {
    const Ast& there = *file.ast;
    for (int i = 0; i < there.size(); ++i) {
      if (!there.is(i, "new_expression")) continue;
      if (there.text(there.field(i, "constructor")) == local) given(file, i);
    }
  });
  return out;
}

// `this.directory`: the field's value, or what the constructor is given for it.
Path judge_field(const PathSite& at, int member, int depth) {
  const Ast& ast = *at.file.ast;
  const std::string_view name = ast.text(ast.field(member, "property"));
  int body = ast.parent(member);
  while (body != kNone && !ast.is(body, "class_body")) body = ast.parent(body);
  for (const int m : ast.children(body)) {
    const int n = ast.member_name(m);
    const int value = ast.field(m, "value");
    if (n != kNone && value != kNone && ast.text(n) == name) return judge(at, value, depth + 1);
    if (!ast.is(m, "method_definition") || ast.text(n) != "constructor") continue;
    for (int i = m; i < ast.end(m); ++i) {
      if (!ast.is(i, "assignment_expression")) continue;
      const int left = ast.strip(ast.field(i, "left"));
      if (ast.is(left, "member_expression") && ast.text(left) == ast.text(member))
        return judge(at, ast.field(i, "right"), depth + 1);
    }
    if (parameter_default(ast, m, name) != kNone || says(ast.text(m), "private") ||
        says(ast.text(m), "readonly"))
      return judge_parameter(at, m, name, depth);
  }
  return Path::unknown;
}

// `config.uploads`: a property of an object that the module keeps.
Path judge_property(const PathSite& at, int member, int depth) {
  const Ast& ast = *at.file.ast;
  const int object = ast.strip(ast.field(member, "object"));
  if (!ast.is(object, "identifier") || ast.is_local(object, ast.text(object))) return Path::unknown;
  const Declaration d = at.program.declaration(at.file, ast.text(object));
  if (!is_constant(d)) return Path::unknown;
  const Ast& there = *d.file->ast;
  const int value = there.strip(there.field(d.node, "value"));
  // `env.DATA_DIR` of createEnv({…}) or schema.parse(process.env)
  if (there.is(value, "call_expression") && says(there.text(value), "process.env"))
    return is_scratch(ast.text(member)) ? Path::unknown : Path::named;
  if (!there.is(value, "object")) return Path::unknown;
  for (const int pair : there.children(value)) {
    const int key = there.field(pair, "key");
    if (key != kNone && there.text(key) == ast.text(ast.field(member, "property")))
      return judge({at.program, *d.file, at.moved}, there.field(pair, "value"), depth + 1);
  }
  return Path::unknown;
}

// The function that has a parameter of this name around node i, nearest first.
int function_with(const Ast& ast, int i, std::string_view name) {
  for (int f = ast.function_of(i); f != kNone; f = ast.function_of(f)) {
    const int list = ast.field(f, "parameters");
    for (int n = list; n != kNone && n < ast.end(list); ++n)
      if (ast.is(n, "identifier") && ast.text(n) == name) return f;
  }
  return kNone;
}

// One way out of the working directory is enough, unless another way knows better.
Path judge_choice(const PathSite& at, int value, int depth) {
  const Ast& ast = *at.file.ast;
  const std::string_view asked = ast.text(ast.field(value, "condition"));
  if (says(asked, "env") || says(asked, "rod") || says(asked, "ercel") || says(asked, "isDev"))
    return Path::unknown;
  const Path yes = judge(at, ast.field(value, "consequence"), depth + 1),
             no = judge(at, ast.field(value, "alternative"), depth + 1);
  return join(yes, no);
}

Path judge(const PathSite& at, int value, int depth) {
  const Ast& ast = *at.file.ast;
  value = ast.strip(value);
  if (value == kNone || depth > kMaxDepth) return Path::unknown;
  if (ast.is_string(value)) return judge_text(at, ast.string(value), true);
  const std::string_view t = ast.type(value);
  if (t == "template_string") {
    const auto parts = ast.children(value);
    if (parts.empty()) return Path::unknown;
    if (ast.is(parts[0], "template_substitution")) {
      const auto inner = ast.children(parts[0]);
      return inner.empty() ? Path::unknown : judge(at, inner[0], depth + 1);
    }
    return judge_text(at, ast.text(parts[0]), false);
  }
  if (t == "ternary_expression") return judge_choice(at, value, depth);
  if (is_environment(ast, value)) return Path::named;
  if (t == "binary_expression") {
    const Path left = judge(at, ast.field(value, "left"), depth + 1);
    const std::string_view op = ast.operator_of(value);
    if (op != "??" && op != "||") return left;
    const Path right = judge(at, ast.field(value, "right"), depth + 1);
    return left == Path::named ? right : left == Path::unknown ? Path::unknown : left;
  }
  if (t == "member_expression") {
    return ast.is(ast.strip(ast.field(value, "object")), "this") ? judge_field(at, value, depth)
                                                                 : judge_property(at, value, depth);
  }
  if (t == "identifier") {
    if (ast.text(value) == "__dirname") return Path::outside;
    const int v = constant(ast, value);
    if (v != kNone) return judge(at, v, depth + 1);
    const Path apart = judge_taken_apart(at, ast.text(value), depth);
    if (apart != Path::unknown) return apart;
    if (!ast.is_local(value, ast.text(value))) return judge_imported(at, ast.text(value), depth);
    const int f = function_with(ast, value, ast.text(value));
    return f == kNone ? Path::unknown : judge_parameter(at, f, ast.text(value), depth);
  }
  if (t == "call_expression") {
    const std::string_view callee = ast.text(ast.field(value, "function"));
    if (callee == "process.cwd") return relative(at);
    const bool join = callee == "join" || callee == "path.join",
               resolve = callee == "resolve" || callee == "path.resolve";
    if (!join && !resolve) return Path::unknown;
    const auto arguments = ast.children(ast.field(value, "arguments"));
    if (arguments.empty()) return Path::unknown;
    // resolve() starts anew at each absolute part: only a known first part followed by relative texts is
    // known.
    if (resolve)
      for (std::size_t i = 1; i < arguments.size(); ++i)
        if (ast.is_string(arguments[i]) && ast.string(arguments[i]).starts_with('/')) return Path::unknown;
    return judge(at, arguments[0], depth + 1);
  }
  return Path::unknown;
}

bool goes_elsewhere(const Ast& ast) {
  for (int i = 0; i < ast.size(); ++i)
    if (ast.is(i, "call_expression") && ast.text(ast.strip(ast.field(i, "function"))).ends_with("chdir"))
      return true;
  return false;
}

// Where the call, the value of an option or the database that is the match writes.
Path written_by(const Match& m, int call) {
  const Ast& ast = m.ast;
  // A database that is opened while the module loads is opened for requests.
  const bool made = ast.is(call, "new_expression");
  if (!in_request_function(m, call) && (!made || ast.function_of(call) != kNone)) return Path::unknown;
  const PathSite at{m.program, m.file, goes_elsewhere(ast)};
  // Code that knows it is in development writes there on purpose.
  for (int f = ast.function_of(call); f != kNone; f = ast.function_of(f))
    for (const std::string_view word : {"NODE_ENV", "process.env.VERCEL", "isDev", "__DEV__"})
      if (ast.text(f).find(word) != std::string_view::npos) return Path::unknown;
  if (!made && !ast.is(call, "call_expression")) return judge(at, call, 0);
  const auto arguments = ast.children(ast.field(call, "arguments"));
  if (arguments.empty()) return Path::unknown;
  if (made) {
    const std::string_view options = arguments.size() > 1 ? ast.text(arguments[1]) : std::string_view();
    if (says(options, "eadonly") || says(options, "eadOnly")) return Path::unknown;
    if (ast.is_string(arguments[0]) && ast.string(arguments[0]) == ":memory:") return Path::unknown;
    // A data file that came with the deployment may be read.
    const std::string_view file = ast.text(0);
    bool writes = false;
    for (const std::string_view word :
         {"CREATE TABLE", "create table", "INSERT INTO", "insert into", "journal_mode", "betterAuth("})
      writes = writes || file.find(word) != std::string_view::npos;
    if (!writes) return Path::unknown;
    return judge(at, arguments[0], 0);
  }
  int callee = ast.strip(ast.field(call, "function"));
  if (ast.is(callee, "member_expression")) callee = ast.field(callee, "property");
  std::string_view name = ast.text(callee);
  if (const Import* i = ast.import_of(name)) name = i->imported;
  // copyFile, rename and cp write to their second argument.
  const bool second =
      name.starts_with("copyFile") || name.starts_with("rename") || name == "cp" || name == "cpSync";
  if (second && arguments.size() < 2) return Path::unknown;
  return judge(at, arguments[second ? 1 : 0], 0);
}

}  // namespace

bool outside_tmp(Match& m, int at, const Predicate&) { return written_by(m, at) == Path::outside; }
bool path_of_environment(Match& m, int at, const Predicate&) { return written_by(m, at) == Path::named; }

}  // namespace vsim::check
