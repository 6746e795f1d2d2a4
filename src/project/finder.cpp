#include "project/finder.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>

#include <fmt/format.h>
#include <boost/json/value.hpp>

#include "project/files.hpp"
#include "routes/app_path.hpp"
#include "routes/glob.hpp"
#include "routes/json_text.hpp"

namespace vsim::project {
namespace {

namespace json = boost::json;
constexpr int kMaxWorkspaces = 2000;  // directories looked at for workspace patterns

struct Manifest {
  std::string directory;
  json::object root;
};

std::string join(const std::string& a, std::string_view b) {
  std::string out = a == "/" ? std::string() : a;
  out += '/';
  out += b;
  return out;
}

// nullopt: no package.json there.
std::optional<Result<Manifest>> read_manifest(const std::string& directory) {
  const std::string path = join(directory, "package.json");
  if (!is_file(path)) return std::nullopt;
  const auto text = read_text(path);
  if (!text)
    return Result<Manifest>(Error{fmt::format("{} cannot be read.", path), "Check its permissions."});
  routes::JsonText parsed = routes::parse_json_text(*text);
  if (parsed.error)
    return Result<Manifest>(
        Error{fmt::format("{}:{}:{}: not valid JSON: {}.", path, parsed.error_place.line,
                          parsed.error_place.column, *parsed.error),
              "Repair package.json: it is plain JSON, without comments and trailing commas."});
  if (!parsed.value.is_object())
    return Result<Manifest>(Error{fmt::format("{}:1:1: expected an object.", path), "Repair package.json."});
  return Result<Manifest>(Manifest{directory, std::move(parsed.value.get_object())});
}

std::string text_of(const json::value* v) {
  const json::string* s = v != nullptr ? v->if_string() : nullptr;
  return s != nullptr ? std::string(s->data(), s->size()) : std::string();
}
const json::value* member(const json::object& o, std::string_view outer, std::string_view inner) {
  const json::value* v = o.if_contains({outer.data(), outer.size()});
  const json::object* inside = v != nullptr ? v->if_object() : nullptr;
  return inside != nullptr ? inside->if_contains({inner.data(), inner.size()}) : nullptr;
}

bool names_next(const Manifest& m) {
  return member(m.root, "dependencies", "next") != nullptr ||
         member(m.root, "devDependencies", "next") != nullptr;
}

// `packages:` of pnpm-workspace.yaml: a list of patterns, one a line. Enough of YAML for the only form pnpm
// documents.
std::vector<std::string> pnpm_patterns(const std::string& text) {
  std::vector<std::string> out;
  bool inside = false;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line(text.data() + at, end - at);
    at = end + 1;
    const std::size_t first = line.find_first_not_of(" \t\r");
    if (first == std::string_view::npos || line[first] == '#') continue;
    if (line[first] != '-') {
      inside = first == 0 && line.starts_with("packages:");
      continue;
    }
    if (!inside) continue;
    line.remove_prefix(first + 1);
    const std::size_t from = line.find_first_not_of(" \t");
    if (from == std::string_view::npos) continue;
    line.remove_prefix(from);
    if (line[0] == '"' || line[0] == '\'')
      line = line.substr(1, line.find(line[0], 1) - 1);
    else
      line = line.substr(0, line.find_first_of(" #\t\r"));
    out.emplace_back(line);
  }
  return out;
}

std::vector<std::string> workspace_patterns(const Manifest& m) {
  std::vector<std::string> out;
  const json::value* v = m.root.if_contains("workspaces");
  if (v != nullptr && v->is_object()) v = v->get_object().if_contains("packages");
  if (v != nullptr && v->is_array())
    for (const json::value& p : v->get_array())
      if (p.is_string()) out.emplace_back(p.get_string());
  if (const auto text = read_text(join(m.directory, "pnpm-workspace.yaml")))
    for (std::string& p : pnpm_patterns(*text)) out.push_back(std::move(p));
  return out;
}

std::vector<std::string> subdirectories(const std::string& path) {
  std::vector<std::string> out;
  std::error_code error;
  for (std::filesystem::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (!name.starts_with('.') && name != "node_modules" && is_directory(join(path, name)))
      out.push_back(name);
  }
  std::sort(out.begin(), out.end());
  return out;
}

// The workspaces of `m` that have next, relative to it.
std::vector<std::string> workspaces_with_next(const Manifest& m) {
  std::vector<routes::Glob> globs;
  std::size_t deepest = 1;
  for (std::string p : workspace_patterns(m)) {
    if (p.starts_with("./")) p.erase(0, 2);
    while (p.ends_with('/')) p.pop_back();
    if (p.empty() || p.starts_with('!')) continue;
    deepest =
        std::max(deepest, p.find("**") != std::string::npos ? std::size_t{6} : routes::split_path(p).size());
    globs.emplace_back(p);
  }
  std::vector<std::string> out;
  if (globs.empty()) return out;
  std::vector<std::pair<std::string, std::size_t>> todo{{"", 0}};
  int looked = 0;
  for (std::size_t i = 0; i < todo.size() && looked < kMaxWorkspaces; ++i) {
    const auto [relative, depth] = todo[i];
    for (const std::string& name :
         subdirectories(relative.empty() ? m.directory : join(m.directory, relative))) {
      ++looked;
      const std::string path = relative.empty() ? name : fmt::format("{}/{}", relative, name);
      if (depth + 1 < deepest) todo.emplace_back(path, depth + 1);
      if (std::none_of(globs.begin(), globs.end(), [&](const routes::Glob& g) { return g.matches(path); }))
        continue;
      const auto inner = read_manifest(join(m.directory, path));
      if (inner && inner->ok() && names_next(inner->value())) out.push_back(path);
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

struct Manager {
  std::string name = "npm";
  std::string directory;  // of the lock file
};

Manager package_manager_of(const std::string& root) {
  for (std::string dir = root;; dir = parent_directory(dir)) {
    if (const auto m = read_manifest(dir); m && m->ok()) {
      const std::string field = text_of(m->value().root.if_contains("packageManager"));
      for (const std::string_view name : {"npm", "pnpm", "yarn", "bun"})
        if (field.starts_with(std::string(name) + "@")) return {std::string(name), dir};
    }
    static constexpr std::pair<std::string_view, std::string_view> kLocks[] = {
        {"pnpm-lock.yaml", "pnpm"}, {"yarn.lock", "yarn"},        {"bun.lock", "bun"},
        {"bun.lockb", "bun"},       {"package-lock.json", "npm"}, {"npm-shrinkwrap.json", "npm"}};
    for (const auto& [file, name] : kLocks)
      if (is_file(join(dir, file))) return {std::string(name), dir};
    if (is_file(join(dir, "pnpm-workspace.yaml"))) return {"pnpm", dir};
    if (dir == "/" || is_directory(join(dir, ".git"))) return {"npm", root};
  }
}

Result<Project> complete(const Manifest& m) {
  Project p;
  p.root = m.directory;
  p.name = text_of(m.root.if_contains("name"));
  if (p.name.empty()) p.name = p.root.substr(p.root.rfind('/') + 1);
  p.engines_node = text_of(member(m.root, "engines", "node"));
  const Manager manager = package_manager_of(p.root);
  p.package_manager = manager.name;
  p.workspace_root = manager.directory;

  // As Node resolves it: the nearest node_modules/next upwards. A pnpm or workspace link is followed to the
  // real package.
  std::string pnp;
  for (std::string dir = p.root;; dir = parent_directory(dir)) {
    const std::string candidate = join(dir, "node_modules/next");
    if (is_file(join(candidate, "package.json"))) {
      p.next_directory = real_path(candidate);
      break;
    }
    if (pnp.empty() && (is_file(join(dir, ".pnp.cjs")) || is_file(join(dir, ".pnp.js")))) pnp = dir;
    if (dir == "/") break;
  }
  if (p.next_directory.empty() && !pnp.empty())
    return Error{
        fmt::format("{} uses Yarn Plug'n'Play, which vercel-sim does not support yet: it runs next from "
                    "node_modules.",
                    pnp),
        "Add `nodeLinker: node-modules` to .yarnrc.yml and run `yarn install`, or start your own server with "
        "`--app 'yarn dev'` or `--upstream URL`."};
  if (p.next_directory.empty())
    return Error{fmt::format("next is in {} but is not installed.", join(p.root, "package.json")),
                 fmt::format("Run `{} install` in {}.", p.package_manager, p.workspace_root)};
  const auto next = read_manifest(p.next_directory);
  if (!next || !next->ok())
    return Error{fmt::format("The installed next in {} has no readable package.json.", p.next_directory),
                 fmt::format("Run `{} install` again.", p.package_manager)};
  p.next_version = text_of(next->value().root.if_contains("version"));
  p.next_engines = text_of(member(next->value().root, "engines", "node"));
  const json::value* bin = next->value().root.if_contains("bin");
  std::string relative =
      bin != nullptr && bin->is_object() ? text_of(bin->get_object().if_contains("next")) : text_of(bin);
  if (relative.starts_with("./")) relative.erase(0, 2);
  if (relative.empty()) relative = "dist/bin/next";
  p.next_bin = join(p.next_directory, relative);
  if (!is_file(p.next_bin))
    return Error{
        fmt::format("The installed next in {} is incomplete: {} is missing.", p.next_directory, relative),
        fmt::format("Run `{} install` again.", p.package_manager)};

  std::map<std::string, std::string, std::less<>> scripts;
  if (const json::value* v = m.root.if_contains("scripts"); v != nullptr && v->is_object())
    for (const auto& s : v->get_object())
      if (s.value().is_string()) scripts[std::string(s.key())] = std::string(s.value().get_string());
  p.dev = parse_dev_script(scripts);
  p.source_root = p.root;
  if (!p.dev.directory.empty())
    if (const std::string named = real_path(join(p.root, p.dev.directory)); is_directory(named))
      p.source_root = named;
  return p;
}

}  // namespace

Result<Project> find_project(const std::string& start_dir) {
  const std::string start = real_path(start_dir);
  if (start.empty() || !is_directory(start))
    return Error{fmt::format("There is no directory {}.", start_dir), "Check the path given with --cwd."};
  std::string nearest;
  std::vector<std::string> workspaces;
  std::string workspace_root;
  for (std::string dir = start;; dir = parent_directory(dir)) {
    if (auto m = read_manifest(dir)) {
      if (!m->ok()) return m->error();
      if (names_next(m->value())) return complete(m->value());
      if (nearest.empty()) nearest = dir;
      if (workspaces.empty()) {
        workspaces = workspaces_with_next(m->value());
        if (!workspaces.empty()) workspace_root = dir;
      }
    }
    if (dir == "/") break;
  }
  if (!workspaces.empty()) {
    std::string list;
    for (const std::string& w : workspaces) list += fmt::format("\n  {}", join(workspace_root, w));
    return Error{fmt::format("{} is a workspace root and has no next of its own. Workspaces with next:{}",
                             workspace_root, list),
                 fmt::format("Run vercel-sim in one of them, or name it: --cwd {}",
                             join(workspace_root, workspaces.front()))};
  }
  if (!nearest.empty())
    return Error{
        fmt::format("{} has no next in dependencies or devDependencies.", join(nearest, "package.json")),
        "Run vercel-sim in a Next.js project, or name it with --cwd DIR. For another server use `-- COMMAND` "
        "or "
        "`--upstream URL`."};
  return Error{fmt::format("There is no package.json in {} or above it.", start),
               "Run vercel-sim in a Next.js project, or name it with --cwd DIR. For another server use `-- "
               "COMMAND` or "
               "`--upstream URL`."};
}

}  // namespace vsim::project
