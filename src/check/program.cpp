#include "check/program.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "base/text.hpp"

namespace vsim::check {
namespace {

constexpr std::string_view kExtensions[] = {".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts"};
constexpr std::string_view kMethods[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"};
constexpr int kMaxDepth = 5;  // of barrels and wrapped handlers followed

bool is_source(std::string_view path) {
  return std::any_of(std::begin(kExtensions), std::end(kExtensions),
                     [&](std::string_view e) { return path.ends_with(e); }) &&
         !path.ends_with(".d.ts");
}

std::string small_letters(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = ascii_lower(c);
  return out;
}

std::string directory(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? "" : std::string(path.substr(0, slash));
}
std::string_view stem(std::string_view path) {
  path = path.substr(path.rfind('/') + 1);
  return path.substr(0, std::min(path.rfind('.'), path.size()));
}
// "app/../lib/./x" → "lib/x"; nullopt when it leaves the project.
std::optional<std::string> tidy(std::string_view path) {
  std::vector<std::string_view> parts;
  for (const std::string_view part : split(path, "/")) {
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      if (parts.empty()) return std::nullopt;
      parts.pop_back();
    } else {
      parts.push_back(part);
    }
  }
  return fmt::format("{}", fmt::join(parts, "/"));
}

// JSON, comments and trailing commas allowed, as a literal of JavaScript.
std::shared_ptr<routes::LiteralObject> read_object(std::string_view text) {
  const std::string wrapped = "(" + std::string(text) + ")";
  const routes::Syntax syntax(wrapped, false);
  for (const TSNode s : routes::Syntax::children(syntax.root())) {
    const auto inner = routes::Syntax::children(s);
    if (inner.empty() || !routes::Syntax::is(inner[0], "parenthesized_expression")) return nullptr;
    const auto parts = routes::Syntax::children(inner[0]);
    if (parts.empty()) return nullptr;
    auto got = routes::extract_literal(syntax, parts[0], "");
    if (auto* literal = std::get_if<routes::Literal>(&got))
      if (auto* object = std::get_if<std::shared_ptr<routes::LiteralObject>>(&literal->value)) return *object;
    return nullptr;
  }
  return nullptr;
}
std::shared_ptr<routes::LiteralObject> object_at(const std::shared_ptr<routes::LiteralObject>& from,
                                                 std::string_view key) {
  const routes::Literal* v = from ? from->find(key) : nullptr;
  if (v == nullptr) return nullptr;
  const auto* object = std::get_if<std::shared_ptr<routes::LiteralObject>>(&v->value);
  return object != nullptr ? *object : nullptr;
}

// React refuses these in server components: who uses them is client code, whoever imports it.
bool uses_client_hooks(const Ast& ast) {
  return std::any_of(ast.imports().begin(), ast.imports().end(), [&](const Import& i) {
    return i.source == "react" &&
           is_one_of(i.imported, {"useState", "useEffect", "useRef", "useReducer", "useLayoutEffect",
                                  "useContext", "useSyncExternalStore", "createContext"});
  });
}

}  // namespace

void Program::read_sources(const Input& input, const Bounds& bounds) {
  for (const auto& [path, text] : input.files) {
    if (!is_source(path)) continue;
    if (text.size() > (8u << 20) || (bounds.elapsed && bounds.elapsed() > bounds.run)) {
      unfinished_.push_back(path);
      continue;
    }
    auto ast = std::make_unique<Ast>(path, text);
    if (ast->syntax().given_up()) {
      unfinished_.push_back(path);
      continue;
    }
    File& file = files_[path];
    file.ast = std::move(ast);
    file.client = file.ast->has_directive("use client") || uses_client_hooks(*file.ast);
  }
}

Program::Program(const Input& input, const Bounds& bounds) {
  read_sources(input, bounds);
  read_git(input);
  read_environment(input);
  read_paths(input);
  read_scripts(input);
  read_routes(input);
  for (auto& [path, file] : files_) find_handlers(file);

  std::vector<std::string> request, server, custom, edge;
  for (const auto& [path, file] : files_) {
    if (file.client && file.kind != routes::Kind::pages_api) continue;
    const bool actions = file.ast->has_directive("use server");
    if (file.kind == routes::Kind::app_route || file.kind == routes::Kind::pages_api ||
        file.kind == routes::Kind::middleware || actions)
      request.push_back(path);
    const bool instrumentation = directory(path).empty() || directory(path) == "src";
    if (file.kind == routes::Kind::app_page || (instrumentation && stem(path) == "instrumentation"))
      server.push_back(path);
    if (has_package_ && script_runs(path)) custom.push_back(path);
    if (file.edge) edge.push_back(path);
  }
  reach(request, true, [](File& f, const std::string&) {
    f.server = true;
    return !std::exchange(f.request, true);
  });
  std::set<std::string> seen;
  reach(server, true, [&](File& f, const std::string&) {
    f.server = true;
    return seen.insert(f.ast->path()).second;
  });
  for (auto& [path, file] : files_)
    if (file.kind == routes::Kind::pages && !file.handlers.empty()) file.server = true;
  reach(custom, true, [](File& f, const std::string&) { return !std::exchange(f.custom_server, true); });
  for (const auto& [path, file] : files_) {
    for (const ModuleSpecifier& s : file.ast->sources())
      if (s.dynamic) whole_.insert(resolve(file, s.specifier));
    for (const Import& i : file.ast->imports())
      if (i.imported == "*") whole_.insert(resolve(file, i.source));
    if (!file.request) continue;
    for (const Import& i : file.ast->imports()) {
      if (i.imported == "*") continue;
      const NameOrigin found = origin(file, i);
      if (found.file != nullptr) importers_[{found.file, found.name}].push_back({&file, i.local});
    }
  }
  reach(edge, false, [](File& f, const std::string& entry) {
    const bool fresh = f.edge_entry.empty();
    if (fresh) f.edge_entry = entry;
    return fresh;
  });
}

template <class Visit>
void Program::reach(const std::vector<std::string>& entries, bool dynamic, Visit visit) {
  for (const std::string& entry : entries) {
    std::deque<std::string> queue = {entry};
    while (!queue.empty()) {
      File& file = files_.find(queue.front())->second;
      queue.pop_front();
      if (!visit(file, entry)) continue;
      for (const ModuleSpecifier& s : file.ast->sources()) {
        if (s.dynamic && !dynamic) continue;
        if (const File* next = resolve(file, s.specifier); next != nullptr && !next->client)
          queue.push_back(next->ast->path());
      }
    }
  }
}

const File* Program::find(std::string_view path) const {
  const auto it = files_.find(path);
  return it == files_.end() ? nullptr : &it->second;
}

namespace {

// The file of a module's path: as it is, with an extension, with `.js` for TypeScript's, or an index.
template <class Has>
std::optional<std::string> find_module(const std::string& path, Has has) {
  auto clean = tidy(path);
  if (!clean) return std::nullopt;
  if (has(*clean)) return clean;
  for (const auto e : kExtensions)
    if (std::string p = *clean + std::string(e); has(p)) return p;
  // TypeScript's ESM spelling: "./x.js" names x.ts.
  if (clean->ends_with(".js") || clean->ends_with(".mjs")) {
    const std::string base = clean->substr(0, clean->rfind('.'));
    for (const auto e : kExtensions)
      if (std::string p = base + std::string(e); has(p)) return p;
  }
  for (const auto e : kExtensions)
    if (std::string p = (clean->empty() ? "" : *clean + "/") + "index" + std::string(e); has(p)) return p;
  return std::nullopt;
}

}  // namespace

std::vector<std::string> Program::paths_of(const File& from, std::string_view specifier) const {
  if (specifier.starts_with("./") || specifier.starts_with("../") || specifier == "." || specifier == "..") {
    const std::string dir = directory(from.ast->path());
    return {(dir.empty() ? "" : dir + "/") + std::string(specifier)};
  }
  std::vector<std::string> out;
  for (const auto& [prefix, target] : aliases_)
    if (specifier.starts_with(prefix)) out.push_back(target + std::string(specifier.substr(prefix.size())));
  return out;
}

const File* Program::resolve(const File& from, std::string_view specifier) const {
  for (const std::string& path : paths_of(from, specifier))
    if (const auto found = find_module(path, [&](const std::string& p) { return files_.contains(p); }))
      return find(*found);
  return nullptr;
}

std::optional<std::string> Program::spelled_otherwise(const File& from, std::string_view specifier) const {
  const auto exact = [&](const std::string& p) { return git_.contains(p) || files_.contains(p); };
  const auto any_case = [&](const std::string& p) { return by_any_case_.contains(small_letters(p)); };
  // A bare name may be a package's, whatever baseUrl says.
  const bool is_bare =
      !specifier.starts_with('.') && std::none_of(aliases_.begin(), aliases_.end(), [&](const auto& alias) {
        return !alias.first.empty() && specifier.starts_with(alias.first);
      });
  if (is_bare) return std::nullopt;
  const std::vector<std::string> paths = paths_of(from, specifier);
  for (const std::string& path : paths) {
    const auto found = find_module(path, exact);
    if (!found) continue;
    // The disk's spelling is this machine's; what git has is what is built. A file that git does not know is
    // new.
    const auto known = by_any_case_.find(small_letters(*found));
    if (!has_git_ || git_.contains(*found) || known == by_any_case_.end() || !git_.contains(known->second) ||
        files_.contains(known->second))
      return std::nullopt;
    return known->second;
  }
  for (const std::string& path : paths)
    if (const auto found = find_module(path, any_case))
      return by_any_case_.find(small_letters(*found))->second;
  return std::nullopt;
}

NameOrigin Program::origin(const File& file, std::string_view exported, int depth) const {
  const auto& exports = file.ast->exports();
  if (const auto it = exports.find(exported); it != exports.end()) {
    if (const Import* i = file.ast->import_of(it->second); i != nullptr && depth < kMaxDepth)
      if (const File* next = resolve(file, i->source)) return origin(*next, i->imported, depth + 1);
    return {&file, it->second};
  }
  if (depth >= kMaxDepth) return {};
  for (const ReExport& r : file.ast->re_exports()) {
    if (r.exported != exported && r.exported != "*") continue;
    const File* next = resolve(file, r.source);
    if (next == nullptr) continue;
    NameOrigin found = origin(*next, r.exported == "*" ? exported : r.imported, depth + 1);
    if (found.file != nullptr) return found;
  }
  return {};
}

NameOrigin Program::origin(const File& file, const Import& i) const {
  const File* from = resolve(file, i.source);
  return from != nullptr ? origin(*from, i.imported) : NameOrigin{};
}
Declaration Program::declaration(const File& file, std::string_view name) const {
  const Import* i = file.ast->import_of(name);
  if (i == nullptr) return {&file, file.ast->top_level(name)};
  const NameOrigin found = origin(file, *i);
  return {found.file, found.file != nullptr ? found.file->ast->top_level(found.name) : kNone};
}

const Handler* Program::handler_at(const File& file, int i) const {
  const int f = file.ast->function_of(i);
  for (const Handler& h : file.handlers)
    if (h.function == f) return &h;
  return nullptr;
}
const Handler* Program::handler_around(const File& file, int i) const {
  for (int f = file.ast->function_of(i); f != kNone; f = file.ast->function_of(f))
    for (const Handler& h : file.handlers)
      if (h.function == f) return &h;
  return nullptr;
}

const std::vector<NameOrigin>& Program::importers(const File& file, const std::string& name) const {
  static const std::vector<NameOrigin> kNobody;
  const auto it = importers_.find({&file, name});
  return it == importers_.end() ? kNobody : it->second;
}

// "node server.js", "tsx watch server/index.ts", "node dist/server". `next dev` does not name a dev.ts.
bool Program::script_runs(std::string_view path) const {
  std::string name(stem(path));
  const bool index = name == "index";
  if (index) {
    const std::string dir = directory(path);
    if (dir.empty()) return false;
    name = dir.substr(dir.rfind('/') + 1);
  }
  static constexpr std::string_view kRunners[] = {"node ", "tsx ", "ts-node ", "nodemon ",
                                                  "bun ",  "run ", "watch ",   "/"};
  for (const std::string& script : scripts_) {
    for (std::size_t at = script.find(name); at != std::string::npos; at = script.find(name, at + 1)) {
      const std::string_view before = std::string_view(script).substr(0, at);
      const std::size_t after = at + name.size();
      const char next = after >= script.size() ? ' ' : script[after];
      const bool begins = before.empty() || before.ends_with(' ') || before.ends_with('/');
      if (!begins) continue;
      if (next == '.' || (index && next == '/')) return true;
      if (next == ' ' && std::any_of(std::begin(kRunners), std::end(kRunners),
                                     [&](std::string_view r) { return before.ends_with(r); }))
        return true;
    }
  }
  return false;
}

void Program::read_git(const Input& input) {
  for (const auto& [path, file] : files_) by_any_case_[small_letters(path)] = path;
  const auto it = input.files.find(".git/files");
  if (it == input.files.end()) return;
  has_git_ = true;
  for (const std::string_view path : split(it->second, "\n")) {
    if (path.empty()) continue;
    git_.emplace(path);
    if (is_source(path)) by_any_case_[small_letters(path)] = std::string(path);
  }
}

void Program::read_scripts(const Input& input) {
  const auto it = input.files.find("package.json");
  if (it == input.files.end()) return;
  has_package_ = true;
  const auto package = read_object(it->second);
  for (const char* list : {"dependencies", "devDependencies"})
    if (const auto names = object_at(package, list))
      for (const auto& [name, version] : names->members) packages_.insert(name);
  const auto scripts = object_at(package, "scripts");
  if (!scripts) return;
  for (const auto& [name, value] : scripts->members)
    if (const auto* s = std::get_if<std::string>(&value.value);
        s != nullptr && (name.starts_with("dev") || name.starts_with("start") || name == "serve"))
      scripts_.push_back(*s);
}

void Program::read_paths(const Input& input) {
  std::string base;
  bool base_given = false;
  for (const char* name : {"tsconfig.json", "jsconfig.json"}) {
    const auto it = input.files.find(name);
    if (it == input.files.end()) continue;
    const auto options = object_at(read_object(it->second), "compilerOptions");
    if (!options) continue;
    if (const auto* v = options->find("baseUrl"))
      if (const auto* s = std::get_if<std::string>(&v->value))
        if (const auto t = tidy(*s)) {
          base = t->empty() ? "" : *t + "/";
          base_given = true;
        }
    if (const auto paths = object_at(options, "paths")) {
      for (const auto& [pattern, value] : paths->members) {
        const auto* list = std::get_if<routes::LiteralList>(&value.value);
        if (list == nullptr) continue;
        for (const routes::Literal& v : *list) {
          const auto* target = std::get_if<std::string>(&v.value);
          if (target == nullptr) continue;
          std::string_view from = pattern, to = *target;
          if (from.ends_with('*')) from.remove_suffix(1);
          if (to.ends_with('*')) to.remove_suffix(1);
          aliases_.emplace_back(std::string(from), base + std::string(to));
        }
      }
    }
    break;
  }
  if (aliases_.empty()) {  // what create-next-app writes
    aliases_.emplace_back("@/", "src/");
    aliases_.emplace_back("@/", "");
    aliases_.emplace_back("~/", "src/");
  }
  if (base_given) aliases_.emplace_back("", base);
}

void Program::read_routes(const Input& input) {
  std::vector<std::string> paths;
  for (const auto& [path, text] : input.files) paths.push_back(path);
  routes::Conventions conventions = routes::read_conventions(paths, {input.page_extensions});
  routes::SourceConfigs configs;
  const auto read = [&](const std::string& path, routes::SourceRole role) {
    const auto it = input.files.find(path);
    if (it != input.files.end() && !configs.contains(path))
      configs.emplace(path, routes::read_source_config(it->second, path, role));
  };
  for (const routes::RouteFile& f : conventions.files) {
    const bool pages = f.kind == routes::Kind::pages || f.kind == routes::Kind::pages_api;
    read(f.file, pages                                ? routes::SourceRole::pages
                 : f.kind == routes::Kind::middleware ? routes::SourceRole::middleware
                                                      : routes::SourceRole::app);
    for (const auto& layout : f.layouts) read(layout, routes::SourceRole::app);
    const auto mark = [&](const std::string& path, routes::Kind kind) {
      if (const auto it = files_.find(path); it != files_.end()) it->second.kind = kind;
    };
    mark(f.file, f.kind);
    for (const auto& layout : f.layouts) mark(layout, routes::Kind::app_page);
  }
  if (const auto it = input.files.find("vercel.json"); it != input.files.end())
    vercel_ = routes::parse_vercel_json(it->second);
  functions_ = routes::resolve(std::move(conventions), configs, vercel_ ? &*vercel_ : nullptr).functions;
  for (const routes::Function& f : functions_)
    if (f.runtime == routes::Runtime::edge)
      if (const auto it = files_.find(f.file); it != files_.end()) it->second.edge = true;
}

void Program::add_handler(File& file, int value, HandlerKind kind, int depth) {
  const Ast& ast = *file.ast;
  value = ast.strip(value);
  if (value == kNone || depth > kMaxDepth) return;
  if (Ast::is_function(ast.type(value))) {
    file.handlers.push_back({value, kind});
  } else if (ast.is(value, "identifier")) {
    const int declared = ast.top_level(ast.text(value));
    if (declared == kNone) return;
    add_handler(file, ast.defined(declared), kind, depth + 1);
  } else if (ast.is(value, "call_expression")) {  // withAuth(async (req) => …)
    for (const int a : ast.children(ast.field(value, "arguments"))) {
      const int arg = ast.strip(a);
      if (Ast::is_function(ast.type(arg)) || ast.is(arg, "identifier"))
        add_handler(file, arg, kind, depth + 1);
    }
  }
}

void Program::find_handlers(File& file) {
  const Ast& ast = *file.ast;
  const auto add = [&](std::string_view exported, HandlerKind kind) {
    const auto it = ast.exports().find(exported);
    if (it == ast.exports().end()) return;
    if (exported == "default") {
      add_handler(file, ast.default_export(), kind);
      return;
    }
    const int declared = ast.top_level(it->second);
    if (declared == kNone) return;
    add_handler(file, ast.defined(declared), kind);
  };
  switch (file.kind) {
    case routes::Kind::app_route:
      for (const auto m : kMethods) add(m, HandlerKind::route);
      break;
    case routes::Kind::pages_api:
      add("default", HandlerKind::pages_api);
      break;
    case routes::Kind::middleware:
      for (const char* name : {"default", "middleware", "proxy"}) add(name, HandlerKind::middleware);
      break;
    case routes::Kind::app_page:
      if (!file.client) add("default", HandlerKind::page);
      break;
    case routes::Kind::pages:
      add("getServerSideProps", HandlerKind::server_props);
      break;
    case routes::Kind::unknown:
      break;
  }
  if (ast.has_directive("use server")) {
    for (const auto& [name, local] : ast.exports()) add(name, HandlerKind::action);
  } else {
    for (int i = 0; i < ast.size(); ++i)
      if (Ast::is_function(ast.type(i)) && ast.block_has_directive(i, "use server"))
        file.handlers.push_back({i, HandlerKind::action});
  }
}

}  // namespace vsim::check
