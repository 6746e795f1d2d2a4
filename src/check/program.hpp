// All sources of a project as the rules see them: which files run on the server for a request, which
// functions answer one, what a module specifier names. Pure: built from paths and texts.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "check/ast.hpp"
#include "routes/file_conventions.hpp"
#include "routes/resolve.hpp"

namespace vsim::check {

// What the caller read. Paths are relative to the project with forward slashes.
struct Input {
  // Sources, package.json, vercel.json, tsconfig.json. `.env…` and `.shell`: the names that they define, a
  // line NAME= each; `.env.deployed`: those that a deployment is known to have. `.git/files`: what git has, a
  // line each; absent: there is no git.
  std::map<std::string, std::string, std::less<>> files;
  std::vector<std::string> page_extensions = {"tsx", "ts", "jsx", "js"};
};

// What a look may cost. Beyond it a file is left, and said to be (Program::unfinished, Report::unfinished):
// nothing found in it means nothing then.
struct Bounds {
  std::chrono::milliseconds file{10'000}, run{120'000};
  std::function<std::chrono::milliseconds()> elapsed;  // since the look began; absent: time has no bound
};

enum class HandlerKind : std::uint8_t { route, pages_api, action, page, server_props, middleware };
struct Handler {
  int function = kNone;
  HandlerKind kind{};
};

struct File {
  std::unique_ptr<Ast> ast;
  bool client = false;         // 'use client', or uses React's client hooks
  bool request = false;        // reached from route handlers, pages/api, actions, middleware
  bool server = false;         // request, or reached from server components and getServerSideProps
  bool custom_server = false;  // reached from a server that a package.json script starts
  bool edge = false;           // a function (or middleware) for the edge runtime
  std::string edge_entry;      // for a file that an edge function imports statically: that function's file
  routes::Kind kind = routes::Kind::unknown;
  std::vector<Handler> handlers;
};

// Where a name of one module comes from: the file that declares it and its name there.
struct NameOrigin {
  const File* file = nullptr;
  std::string name;
};

// The top-level declaration of a name; no file: it lies outside of the project.
struct Declaration {
  const File* file = nullptr;
  int node = kNone;
};

class Program {
 public:
  explicit Program(const Input& input, const Bounds& bounds = {});

  const std::map<std::string, File, std::less<>>& files() const { return files_; }
  const std::vector<std::string>& unfinished() const { return unfinished_; }  // sources that are in no file
  const File* find(std::string_view path) const;
  // The project's file that a specifier names, or nullptr (a package, or not seen).
  const File* resolve(const File& from, std::string_view specifier) const;
  // The file that a specifier names but for its case, as git or else the disk spells it; nullopt when it is
  // spelled so, or names nothing that is known.
  std::optional<std::string> spelled_otherwise(const File& from, std::string_view specifier) const;
  bool has_git() const { return has_git_; }
  // Which file of this machine alone defines the variable (".env.local"; "this shell"); "" when a deployment
  // has it too, or nobody defines it.
  std::string_view only_local(std::string_view variable) const;
  NameOrigin origin(const File& file, std::string_view exported, int depth = 0) const;
  // Where a name that `file` imports is declared.
  NameOrigin origin(const File& file, const Import& i) const;
  // What a name of the file's top level stands for: its own declaration or an imported one.
  Declaration declaration(const File& file, std::string_view name) const;
  // Files that requests reach and that import this name, each with the name it has there.
  const std::vector<NameOrigin>& importers(const File& file, const std::string& name) const;
  // Calls use(file, name) for the file that declares a name and for each that imports it.
  template <class Use>
  void each_user(const File& file, const std::string& name, Use use) const {
    use(file, std::string_view(name));
    for (const NameOrigin& other : importers(file, name))
      if (other.file != &file) use(*other.file, std::string_view(other.name));
  }
  // `import * as lib`, `await import("./lib")`: any of its exports may be used by a name not seen.
  bool imported_whole(const File& file) const { return whole_.contains(&file); }
  // The handler whose own body (not a function inside it) holds node i.
  const Handler* handler_at(const File& file, int i) const;
  // The handler around node i at any depth.
  const Handler* handler_around(const File& file, int i) const;
  // A dev or start script of package.json starts this file with node or the like.
  bool script_runs(std::string_view path) const;
  // package.json names this package among its dependencies.
  bool depends_on(std::string_view package) const { return packages_.contains(package); }
  const std::vector<routes::Function>& functions() const { return functions_; }
  const std::optional<routes::VercelJson>& vercel() const { return vercel_; }

 private:
  void read_routes(const Input& input);
  void read_paths(const Input& input);
  void read_scripts(const Input& input);
  void find_handlers(File& file);
  void add_handler(File& file, int value, HandlerKind kind, int depth = 0);
  template <class Visit>
  void reach(const std::vector<std::string>& entries, bool dynamic, Visit visit);
  void read_git(const Input& input);
  void read_environment(const Input& input);
  // The paths that a specifier may mean, without extension as it is written.
  std::vector<std::string> paths_of(const File& from, std::string_view specifier) const;

  void read_sources(const Input& input, const Bounds& bounds);

  std::map<std::string, File, std::less<>> files_;
  std::vector<std::string> unfinished_;
  std::map<std::pair<const File*, std::string>, std::vector<NameOrigin>> importers_;
  std::set<const File*> whole_;
  std::vector<std::pair<std::string, std::string>> aliases_;  // "@/" → "src/"; both with what stands before *
  std::vector<std::string> scripts_;
  std::set<std::string, std::less<>> packages_;
  bool has_git_ = false;
  std::set<std::string, std::less<>> git_;  // files that git has
  std::map<std::string, std::string, std::less<>>
      by_any_case_;  // small letters → as git, else the disk, spells it
  std::map<std::string, std::string, std::less<>> only_local_;  // variable → where
  bool has_package_ = false;
  std::vector<routes::Function> functions_;
  std::optional<routes::VercelJson> vercel_;
};

}  // namespace vsim::check
