#include "project/node_version.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <vector>

#include <fmt/format.h>

#include "project/command_output.hpp"

namespace vsim::project {
namespace {

constexpr int kLeastNode = 20;  // issue 2 point 1; the agent is tested from there on

struct Partial {  // "20", "20.9", "20.x.x"
  Version v;
  int given = 0;
};

std::optional<Partial> parse_partial(std::string_view s) {
  if (s.starts_with('v') || s.starts_with('=')) s.remove_prefix(1);
  Partial p;
  int* const parts[] = {&p.v.major, &p.v.minor, &p.v.patch};
  for (int i = 0; i < 3 && !s.empty(); ++i) {
    if (s[0] == 'x' || s[0] == 'X' || s[0] == '*') return p;
    const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), *parts[i]);
    if (error != std::errc{}) return std::nullopt;
    p.given = i + 1;
    s.remove_prefix(static_cast<std::size_t>(end - s.data()));
    if (s.empty() || s[0] != '.')
      return s.empty() || s[0] == '-' || s[0] == '+' ? std::optional(p) : std::nullopt;
    s.remove_prefix(1);
  }
  return p;
}

Version next_after(Version v, int given) {  // the first version that no longer starts with the given parts
  if (given <= 0) return {INT32_MAX, 0, 0};
  if (given == 1) return {v.major + 1, 0, 0};
  if (given == 2) return {v.major, v.minor + 1, 0};
  return {v.major, v.minor, v.patch + 1};
}

std::optional<bool> comparator(Version v, std::string_view c) {
  const auto starts = [&](std::string_view op) {
    if (!c.starts_with(op)) return false;
    c.remove_prefix(op.size());
    return true;
  };
  const char* ops[] = {">=", "<=", ">", "<", "^", "~>", "~", "="};
  std::string_view op;
  for (const char* o : ops) {
    if (starts(o)) {
      op = o;
      break;
    }
  }
  const auto p = parse_partial(c);
  if (!p) return std::nullopt;
  const Version end = next_after(p->v, p->given);
  if (op == ">=") return v >= p->v;
  if (op == ">") return v >= end;
  if (op == "<") return v < p->v;
  if (op == "<=") return v < end;
  if (op == "^")
    return v >= p->v && (p->v.major > 0 || p->given < 2 ? v.major == p->v.major || p->given == 0
                                                        : v.major == 0 && v.minor == p->v.minor);
  if (op == "~" || op == "~>") return v >= p->v && v < next_after(p->v, p->given > 2 ? 2 : p->given);
  return v >= p->v && v < end;
}

std::vector<std::string_view> words_of(std::string_view s) {
  std::vector<std::string_view> out;
  while (true) {
    const std::size_t from = s.find_first_not_of(" \t");
    if (from == std::string_view::npos) return out;
    s.remove_prefix(from);
    const std::size_t to = std::min(s.find_first_of(" \t"), s.size());
    out.push_back(s.substr(0, to));
    s.remove_prefix(to);
  }
}

}  // namespace

std::optional<Version> parse_version(std::string_view text) {
  const auto p = parse_partial(text);
  if (!p || p->given == 0) return std::nullopt;
  return p->v;
}

bool satisfies(Version version, std::string_view range) {
  std::size_t at = 0;
  while (true) {
    const std::size_t bar = std::min(range.find("||", at), range.size());
    const std::vector<std::string_view> words = words_of(range.substr(at, bar - at));
    bool all = true;
    for (std::size_t i = 0; i < words.size() && all; ++i) {
      if (i + 2 < words.size() && words[i + 1] == "-") {  // "18 - 20"
        const auto low = comparator(version, fmt::format(">={}", words[i]));
        const auto high = comparator(version, fmt::format("<={}", words[i + 2]));
        all = low.value_or(true) && high.value_or(true);
        i += 2;
        continue;
      }
      std::string one(words[i]);
      if (one.find_first_not_of("<>=^~") == std::string::npos && i + 1 < words.size())
        one += words[++i];  // ">= 20"
      all = comparator(version, one).value_or(true);
    }
    if (all) return true;
    if (bar == range.size()) return false;
    at = bar + 2;
  }
}

std::string find_in_path(std::string_view name, std::string_view path) {
  while (true) {
    const std::size_t colon = std::min(path.find(':'), path.size());
    const std::string_view dir = path.substr(0, colon);
    std::string candidate = dir.empty() ? std::string(".") : std::string(dir);
    candidate += '/';
    candidate += name;
    struct stat st {};
    if (::stat(candidate.c_str(), &st) == 0 && S_ISREG(st.st_mode) && ::access(candidate.c_str(), X_OK) == 0)
      return candidate;
    if (colon == path.size()) return {};
    path.remove_prefix(colon + 1);
  }
}

Result<Version> node_version_of(const std::string& node) {
  std::string text = output_of({node, "--version"}).text;
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  if (const auto v = parse_version(text)) return *v;
  return Error{fmt::format("`{} --version` did not print a version.", node), "Install Node.js 22 or newer."};
}

std::optional<Error> check_node(Version v, std::string_view project_range, std::string_view next_range) {
  const std::string have = fmt::format("{}.{}.{}", v.major, v.minor, v.patch);
  if (v.major < kLeastNode)
    return Error{fmt::format("Node.js {} is too old: vercel-sim needs {} or newer.", have, kLeastNode),
                 fmt::format("Install Node.js {} or newer, and make sure it is the first `node` in PATH.",
                             kLeastNode)};
  if (!next_range.empty() && !satisfies(v, next_range))
    return Error{fmt::format("Node.js {} does not satisfy the installed next's engines.node \"{}\".", have,
                             next_range),
                 "Use a Node.js version in that range."};
  if (!project_range.empty() && !satisfies(v, project_range))
    return Error{
        fmt::format("Node.js {} does not satisfy engines.node \"{}\" of package.json.", have, project_range),
        "Use a Node.js version in that range, or change the range."};
  return std::nullopt;
}

}  // namespace vsim::project
