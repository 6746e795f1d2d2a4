// Rules about values: paths, sizes, options.
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <optional>

#include "base/text.hpp"
#include "check/predicates.hpp"

namespace vsim::check {
namespace {

constexpr int kMaxDepth = 4;   // names and joins followed
constexpr int kMaxTerms = 16;  // of a number: names followed and operators nested

enum class Path { unknown, tmp, outside };

// Where a path is written.
struct Place {
  const Program& program;
  const File& file;
};

Path judge_text(std::string_view text, bool whole) {
  if (text == "/tmp" || text.starts_with("/tmp/") || text.starts_with("/dev/")) return Path::tmp;
  if (text.starts_with("file:")) return Path::unknown;
  if (text.starts_with("/") || text.starts_with("./") || text.starts_with("../")) return Path::outside;
  // "data/" + …: relative to the working directory, which is read-only too. A lone word may be anything's
  // start.
  if (whole) return text.empty() ? Path::unknown : Path::outside;
  return text.find('/') != std::string_view::npos ? Path::outside : Path::unknown;
}

Path judge(const Place& at, int value, int depth);

// A constant of another file of the project: `import { kUploads } from "@/lib/paths"`.
Path judge_imported(const Place& at, std::string_view name, int depth) {
  const Import* i = at.file.ast->import_of(name);
  const File* from = i != nullptr ? at.program.resolve(at.file, i->source) : nullptr;
  if (from == nullptr) return Path::unknown;
  const Origin origin = at.program.origin(*from, i->imported);
  if (origin.file == nullptr) return Path::unknown;
  const Ast& ast = *origin.file->ast;
  const int declared = ast.top_level(origin.name);
  if (!ast.is(declared, "variable_declarator") || !ast.text(ast.parent(declared)).starts_with("const"))
    return Path::unknown;
  return judge({at.program, *origin.file}, ast.field(declared, "value"), depth + 1);
}

// One way out of the working directory is enough, unless another way knows better.
Path judge_choice(const Place& at, int value, int depth) {
  const Ast& ast = *at.file.ast;
  const int condition = ast.field(value, "condition");
  const std::string_view asked = condition == kNone ? std::string_view() : ast.text(condition);
  if (asked.find("env") != std::string_view::npos || asked.find("rod") != std::string_view::npos ||
      asked.find("ercel") != std::string_view::npos || asked.find("isDev") != std::string_view::npos)
    return Path::unknown;
  const Path yes = judge(at, ast.field(value, "consequence"), depth + 1),
             no = judge(at, ast.field(value, "alternative"), depth + 1);
  if (yes == Path::tmp || no == Path::tmp) return Path::unknown;
  return yes == Path::outside || no == Path::outside ? Path::outside : Path::unknown;
}

Path judge(const Place& at, int value, int depth) {
  const Ast& ast = *at.file.ast;
  value = ast.strip(value);
  if (value == kNone || depth > kMaxDepth) return Path::unknown;
  if (ast.is_string(value)) return judge_text(ast.string(value), true);
  const std::string_view t = ast.type(value);
  if (t == "template_string") {
    const auto parts = ast.children(value);
    if (parts.empty()) return Path::unknown;
    if (ast.is(parts[0], "template_substitution")) {
      const auto inner = ast.children(parts[0]);
      return inner.empty() ? Path::unknown : judge(at, inner[0], depth + 1);
    }
    return judge_text(ast.text(parts[0]), false);
  }
  if (t == "ternary_expression") return judge_choice(at, value, depth);
  if (t == "binary_expression") return judge(at, ast.field(value, "left"), depth + 1);
  if (t == "identifier") {
    if (ast.text(value) == "__dirname") return Path::outside;
    const int v = constant(ast, value);
    if (v != kNone) return judge(at, v, depth + 1);
    return ast.is_local(value, ast.text(value)) ? Path::unknown : judge_imported(at, ast.text(value), depth);
  }
  if (t == "call_expression") {
    const std::string_view callee = ast.text(ast.field(value, "function"));
    if (callee == "process.cwd") return Path::outside;
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

// Next reads sizes with the package `bytes`: "10mb" is 10 × 1024 × 1024, a number is bytes.
std::optional<double> bytes_of(const Ast& ast, int value) {
  value = ast.strip(value);
  if (value == kNone) return std::nullopt;
  if (ast.is(value, "number")) return routes::number_value(ast.text(value));
  if (!ast.is_string(value)) return std::nullopt;
  std::string text;
  for (const char c : ast.string(value))
    if (c != ' ') text += ascii_lower(c);
  double n = 0;
  const auto r = std::from_chars(text.data(), text.data() + text.size(), n);
  if (r.ec != std::errc()) return std::nullopt;
  const std::string_view unit(r.ptr, static_cast<std::size_t>(text.data() + text.size() - r.ptr));
  if (unit.empty() || unit == "b") return n;
  if (unit == "kb") return n * 1024;
  if (unit == "mb") return n * 1024 * 1024;
  if (unit == "gb") return n * 1024 * 1024 * 1024;
  return std::nullopt;
}

}  // namespace

int constant(const Ast& ast, int identifier) {
  const std::string_view name = ast.text(identifier);
  int found = kNone;
  for (int i = 0; i < ast.size(); ++i) {
    if (!ast.is(i, "variable_declarator") || ast.text(ast.field(i, "name")) != name) continue;
    if (found != kNone || !ast.text(ast.parent(i)).starts_with("const")) return kNone;
    found = i;
  }
  // A parameter of the same name wins.
  if (found == kNone || (ast.is_local(identifier, name) && ast.top_level(name) == found)) return kNone;
  return ast.field(found, "value");
}

std::optional<double> number(const Ast& ast, int value, int depth) {
  value = ast.strip(value);
  if (value == kNone || depth > kMaxTerms) return std::nullopt;
  if (ast.is(value, "number")) return routes::number_value(ast.text(value));
  if (ast.is(value, "identifier")) {
    const int v = constant(ast, value);
    return v == kNone ? std::nullopt : number(ast, v, depth + 1);
  }
  if (!ast.is(value, "binary_expression")) return std::nullopt;
  const int left = ast.field(value, "left"), right = ast.field(value, "right");
  const auto a = number(ast, left, depth + 1), b = number(ast, right, depth + 1);
  if (!a || !b) return std::nullopt;
  const std::string_view l = ast.text(left), r = ast.text(right);
  const std::string_view between(l.data() + l.size(),
                                 static_cast<std::size_t>(r.data() - l.data()) - l.size());
  const std::size_t op = between.find_first_not_of(" \t\n");
  switch (op == std::string_view::npos ? ' ' : between[op]) {
    case '*':
      return *a * *b;
    case '+':
      return *a + *b;
    case '-':
      return *a - *b;
    case '/':
      return *b == 0 ? std::nullopt : std::optional(*a / *b);
    default:
      return std::nullopt;
  }
}

bool outside_tmp(Match& m, const Predicate& p) {
  const int call = capture(m, p);
  if (call == kNone) return false;
  const Ast& ast = m.ast;
  // A database that is opened while the module loads is opened for requests.
  const bool made = ast.is(call, "new_expression");
  if (!in_request_function(m, call) && (!made || ast.function_of(call) != kNone)) return false;
  const Place at{m.program, m.file};
  // Code that knows it is in development writes there on purpose.
  for (int f = ast.function_of(call); f != kNone; f = ast.function_of(f))
    for (const std::string_view word : {"NODE_ENV", "process.env.VERCEL", "isDev", "__DEV__"})
      if (ast.text(f).find(word) != std::string_view::npos) return false;
  if (!made && !ast.is(call, "call_expression")) return judge(at, call, 0) == Path::outside;
  const auto arguments = ast.children(ast.field(call, "arguments"));
  if (arguments.empty()) return false;
  if (made) {
    if (arguments.size() > 1 && ast.text(arguments[1]).find("eadonly") != std::string_view::npos)
      return false;
    if (arguments.size() > 1 && ast.text(arguments[1]).find("eadOnly") != std::string_view::npos)
      return false;
    if (ast.is_string(arguments[0]) && ast.string(arguments[0]) == ":memory:") return false;
    // A data file that came with the deployment may be read.
    const std::string_view file = ast.text(0);
    bool writes = false;
    for (const std::string_view word :
         {"CREATE TABLE", "create table", "INSERT INTO", "insert into", "journal_mode", "betterAuth("})
      writes = writes || file.find(word) != std::string_view::npos;
    if (!writes) return false;
    return judge(at, arguments[0], 0) == Path::outside;
  }
  int callee = ast.strip(ast.field(call, "function"));
  if (ast.is(callee, "member_expression")) callee = ast.field(callee, "property");
  std::string_view name = ast.text(callee);
  if (const Import* i = ast.import_of(name)) name = i->imported;
  // copyFile, rename and cp write to their second argument.
  const bool second =
      name.starts_with("copyFile") || name.starts_with("rename") || name == "cp" || name == "cpSync";
  if (second && arguments.size() < 2) return false;
  return judge(at, arguments[second ? 1 : 0], 0) == Path::outside;
}

bool over_body_max(Match& m, const Predicate& p) {
  const int value = capture(m, p);
  const auto bytes = bytes_of(m.ast, value);
  const std::uint64_t most = m.profile.request_body_max.value;
  if (!bytes || most == kUnlimited) return false;
  // "4.5mb" is Next's spelling of the limit itself.
  if (*bytes <= static_cast<double>(most) * 1.06) return false;
  m.detail = human_size(most);
  return true;
}

bool without_websocket_transport(Match& m, const Predicate& p) {
  const int call = capture(m, p);
  if (call == kNone) return false;
  const Ast& ast = m.ast;
  const auto arguments = ast.children(ast.field(call, "arguments"));
  int options = kNone;
  bool elsewhere = false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const int a = ast.strip(arguments[i]);
    if (ast.is(a, "object")) {
      options = a;
    } else if (i == 0 && ast.is_string(a)) {
      // Another host has servers of its own kind; "" and "/room" are this site.
      const std::string url = ast.string(a);
      if (!url.empty() && !(url.starts_with('/') && !url.starts_with("//"))) return false;
    } else if (i == 0 && ast.text(a).starts_with("window.location")) {
      continue;
    } else if (!ast.is(a, "undefined")) {
      elsewhere = true;
    }
  }
  // io(process.env.NEXT_PUBLIC_SITE_URL, { path: "/api/socket/io" }) is this site's API route.
  if (elsewhere) {
    bool ours = false;
    for (const int o : ast.children(options))
      if (ast.is(o, "pair") && ast.text(ast.field(o, "key")) == "path" &&
          ast.string(ast.strip(ast.field(o, "value"))).starts_with("/api/"))
        ours = true;
    if (!ours) return false;
  }
  if (options == kNone) {
    m.detail = "no transports given";
    return true;
  }
  for (const int o : ast.children(options)) {
    if (!ast.is(o, "pair")) return false;  // spread, shorthand: not seen through
    std::string_view key = ast.text(ast.field(o, "key"));
    if (key != "transports" && key != "\"transports\"" && key != "'transports'") continue;
    const int list = ast.strip(ast.field(o, "value"));
    if (!ast.is(list, "array")) return false;
    for (const int t : ast.children(list))
      if (ast.is_string(t) && ast.string(t) == "polling") {
        m.detail = "polling among its transports";
        return true;
      }
    return false;
  }
  m.detail = "no transports given";
  return true;
}

}  // namespace vsim::check
