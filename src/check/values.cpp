// Rules about values: paths, sizes, options.

#include <charconv>
#include <optional>

#include "base/text.hpp"
#include "check/predicates.hpp"

namespace vsim::check {
namespace {

constexpr int kMaxTerms = 16;  // of a number: names followed and operators nested

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

std::optional<double> number(const Ast& ast, int value, const Names& names, int depth) {
  value = ast.strip(value);
  if (value == kNone || depth > kMaxTerms) return std::nullopt;
  if (ast.is(value, "number")) return routes::number_value(ast.text(value));
  if (ast.is(value, "identifier")) {
    if (const auto it = names.find(ast.text(value)); it != names.end()) return it->second;
    return number(ast, constant(ast, value), {}, depth + 1);
  }
  if (!ast.is(value, "binary_expression")) return std::nullopt;
  const auto a = number(ast, ast.field(value, "left"), names, depth + 1),
             b = number(ast, ast.field(value, "right"), names, depth + 1);
  if (!a || !b) return std::nullopt;
  const std::string_view op = ast.operator_of(value);
  if (op == "*") return *a * *b;
  if (op == "+") return *a + *b;
  if (op == "-") return *a - *b;
  if (op == "/" && *b != 0) return *a / *b;
  return std::nullopt;
}

bool over_body_max(Match& m, int value, const Predicate&) {
  const auto bytes = bytes_of(m.ast, value);
  const std::uint64_t most = m.profile.request_body_max.value;
  if (!bytes || most == kUnlimited) return false;
  // "4.5mb" is Next's spelling of the limit itself.
  if (*bytes <= static_cast<double>(most) * 1.06) return false;
  m.detail = human_size(most);
  return true;
}

bool without_websocket_transport(Match& m, int call, const Predicate&) {
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
