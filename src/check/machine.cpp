// What is of this machine alone: the case of file names, and variables.
#include <algorithm>

#include "base/text.hpp"
#include "check/predicates.hpp"

namespace vsim::check {
namespace {

// What the platform, Next or every shell defines.
bool is_everywhere(std::string_view name) {
  for (const std::string_view prefix : {"VERCEL", "NOW_", "AWS_", "NEXT_RUNTIME", "__NEXT", "npm_", "LC_"})
    if (name.starts_with(prefix)) return true;
  static constexpr std::string_view kNames[] = {
      "NODE_ENV", "NODE_OPTIONS", "CI",     "TZ",      "LANG",  "PATH",     "HOME",       "PWD",
      "USER",     "SHELL",        "TERM",   "PORT",    "HOST",  "HOSTNAME", "TMP",        "TMPDIR",
      "TEMP",     "DEBUG",        "EDITOR", "LOGNAME", "COLOR", "NO_COLOR", "FORCE_COLOR"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

}  // namespace

void Program::read_environment(const Input& input) {
  std::set<std::string, std::less<>> deployed;
  const auto names_of = [&](const std::string& file, auto use) {
    const auto it = input.files.find(file);
    if (it == input.files.end() || it->second.starts_with("# Created by Vercel CLI")) return;
    for (const std::string_view line : split(it->second, "\n"))
      if (const std::size_t equal = line.find('=');
          equal != std::string_view::npos && equal > 0 && line[0] != '#')
        use(line.substr(0, equal));
  };
  for (const char* file : {".env", ".env.production"})
    if (!has_git_ || git_.contains(file))
      names_of(file, [&](std::string_view name) { deployed.emplace(name); });
  names_of(".env.deployed", [&](std::string_view name) { deployed.emplace(name); });
  const auto local = [&](const std::string& file, std::string_view where) {
    names_of(file, [&](std::string_view name) {
      if (!deployed.contains(name) && !is_everywhere(name))
        only_local_.try_emplace(std::string(name), std::string(where));
    });
  };
  for (const char* file : {".env", ".env.local", ".env.development", ".env.development.local"})
    local(file, file);
  local(".shell", "this shell");
}

std::string_view Program::only_local(std::string_view variable) const {
  const auto it = only_local_.find(variable);
  return it == only_local_.end() ? std::string_view() : std::string_view(it->second);
}

bool spelled_otherwise(Match& m, int at, const Predicate&) {
  if (!m.ast.is_string(at)) return false;
  const auto found = m.program.spelled_otherwise(m.file, m.ast.string(at));
  if (found) m.detail = (m.program.has_git() ? "git has " : "the file is ") + *found;
  return found.has_value();
}

bool only_local_env(Match& m, int at, const Predicate&) {
  const std::string_view name = m.ast.text(at);
  // The browser has those alone that the build writes into it.
  const bool is_public = name.starts_with("NEXT_PUBLIC_");
  if (!m.file.server && !(m.file.client && is_public)) return false;
  m.detail = m.program.only_local(name);
  return !m.detail.empty();
}

// In a file of client components: the name must stand behind `process.env.` for the build to find it.
bool public_env_not_inlined(Match& m, int at, const Predicate&) {
  if (!m.file.client) return false;
  const auto is_public = [](std::string_view name) { return name.starts_with("NEXT_PUBLIC_"); };
  if (!m.ast.is(at, "identifier") && !m.ast.is(at, "template_string"))
    return is_public(m.ast.text(at));  // of a pattern
  const int value = m.ast.is(at, "identifier") ? constant(m.ast, at) : at;
  if (value == kNone) return false;
  if (m.ast.is_string(value)) return is_public(m.ast.string(value));
  return m.ast.is(value, "template_string") && is_public(m.ast.text(value).substr(1));
}

}  // namespace vsim::check
