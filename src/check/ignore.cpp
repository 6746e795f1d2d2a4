#include "check/ignore.hpp"

#include <set>

namespace vsim::check {
namespace {

constexpr std::string_view kMark = "vercel-sim-ignore";

std::string_view trim(std::string_view s) {
  const std::size_t a = s.find_first_not_of(" \t\r\n*/{}");
  if (a == std::string_view::npos) return {};
  const std::size_t b = s.find_last_not_of(" \t\r\n*/{}");
  return s.substr(a, b - a + 1);
}

}  // namespace

std::vector<Ignore> read_ignores(const Ast& ast) {
  std::vector<Ignore> out;
  std::set<int> comment_lines, code_lines;
  for (int i = 0; i < ast.size(); ++i) {
    if (ast.is(i, "comment")) {
      comment_lines.insert(ast.line(i));
    } else if (i != 0 && !ast.is(i, "jsx_expression")) {
      code_lines.insert(ast.line(i));
    }
  }
  for (int i = 0; i < ast.size(); ++i) {
    if (!ast.is(i, "comment")) continue;
    const std::string_view text = trim(ast.text(i));
    if (!text.starts_with(kMark)) continue;
    std::string_view rest = text.substr(kMark.size());
    if (!rest.empty() && rest[0] != ' ' && rest[0] != '\t') continue;
    rest = trim(rest);
    const std::size_t n = std::min(rest.find_first_of(" \t\n"), rest.size());
    Ignore ignore;
    ignore.node = i;
    ignore.rule = rest.substr(0, n);
    ignore.reason = trim(rest.substr(n));
    ignore.line = ast.line(i);
    ignore.target = ignore.line;
    if (!code_lines.contains(ignore.line)) {
      // Only comments may stand in between.
      ignore.target = ignore.line + 1;
      while (comment_lines.contains(ignore.target) && !code_lines.contains(ignore.target)) ++ignore.target;
    }
    out.push_back(std::move(ignore));
  }
  return out;
}

}  // namespace vsim::check
