#include "routes/file_conventions.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <unordered_map>

#include <fmt/format.h>

#include "routes/app_path.hpp"

namespace vsim::routes {
namespace {

// Longer ones first, so that "page.tsx" is taken off before "tsx".
std::vector<std::string> by_length(std::vector<std::string> extensions) {
  std::stable_sort(extensions.begin(), extensions.end(),
                   [](const auto& a, const auto& b) { return a.size() > b.size(); });
  return extensions;
}

// "cart/page.tsx" -> "cart/page"; nullopt when the file has no page extension.
std::optional<std::string_view> without_extension(std::string_view path,
                                                  const std::vector<std::string>& extensions) {
  for (const std::string& e : extensions) {
    if (path.size() > e.size() + 1 && path.ends_with(e) && path[path.size() - e.size() - 1] == '.') {
      return path.substr(0, path.size() - e.size() - 1);
    }
  }
  return std::nullopt;
}

std::string_view parent_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}
std::string_view name_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

bool has_private_folder(std::string_view dir) {
  const auto segments = split_path(dir);
  return std::any_of(segments.begin(), segments.end(), [](std::string_view s) { return s.front() == '_'; });
}

// A name Next turns into a metadata route when it is written in code: sitemap anywhere, robots and manifest
// at the root of app/, images anywhere with one optional digit.
bool is_metadata_name(std::string_view name, bool at_root) {
  if (name == "sitemap") return true;
  if (name == "robots" || name == "manifest") return at_root;
  if (!name.empty() && name.back() >= '0' && name.back() <= '9') name.remove_suffix(1);
  return name == "icon" || name == "apple-icon" || name == "opengraph-image" || name == "twitter-image";
}

struct AppFile {
  std::string_view path;  // as given
  std::string_view rel;   // below app/
  std::string_view stem;  // rel without extension
};

// Between several files of one URL (groups, slots) Next runs the one that sorts last, a slot before all
// others.
bool app_page_less(std::string_view a, std::string_view b) {
  const bool slot_a = a.find("/@") != std::string_view::npos;
  const bool slot_b = b.find("/@") != std::string_view::npos;
  if (slot_a != slot_b) return slot_a;
  return a < b;
}

std::string pick_dir(const std::vector<std::string>& paths, std::string_view name) {
  const std::string root = std::string(name) + "/", src = "src/" + root;
  bool in_src = false;
  for (const std::string& p : paths) {
    if (p.starts_with(root)) return std::string(name);
    in_src = in_src || p.starts_with(src);
  }
  return in_src ? "src/" + std::string(name) : "";
}

class Reader {
 public:
  Reader(const std::vector<std::string>& paths, const ConventionOptions& options)
      : paths_(paths), extensions_(by_length(options.page_extensions)), declared_(options.page_extensions) {
    out_.app_dir = pick_dir(paths, "app");
    out_.pages_dir = pick_dir(paths, "pages");
  }

  Conventions read() {
    if (!out_.app_dir.empty() && !out_.pages_dir.empty() &&
        out_.app_dir.starts_with("src/") != out_.pages_dir.starts_with("src/")) {
      note(RouteSeverity::error, "", "`pages` and `app` directories should be under the same folder",
           fmt::format("Move {} or {} so that both are at the root or both in src/.", out_.app_dir,
                       out_.pages_dir));
    }
    if (!out_.app_dir.empty()) read_app();
    if (!out_.pages_dir.empty()) read_pages();
    read_middleware();
    std::sort(out_.files.begin(), out_.files.end(), [](const RouteFile& a, const RouteFile& b) {
      if (a.route != b.route) return a.route < b.route;
      if (a.kind != b.kind) return a.kind < b.kind;
      return a.page < b.page;
    });
    report_conflicts();
    return std::move(out_);
  }

 private:
  void note(RouteSeverity severity, std::string file, std::string message, std::string fix = {}) {
    out_.findings.push_back({severity, std::move(file), 0, 0, std::move(message), std::move(fix)});
  }

  std::size_t extension_rank(std::string_view path, std::string_view stem) const {
    const std::string_view ext = path.substr(stem.size() + 1);
    return static_cast<std::size_t>(std::find(declared_.begin(), declared_.end(), ext) - declared_.begin());
  }

  void read_app() {
    const std::string prefix = out_.app_dir + "/";
    std::unordered_map<std::string, std::pair<std::string, std::size_t>>
        layouts;  // folder -> file, rank of its extension
    std::vector<AppFile> candidates;
    for (const std::string& p : paths_) {
      if (!p.starts_with(prefix) || p.ends_with(".d.ts")) continue;
      const std::string_view rel = std::string_view(p).substr(prefix.size());
      if (has_private_folder(parent_of(rel)) || name_of(rel).starts_with('_')) continue;
      const auto stem = without_extension(rel, extensions_);
      if (!stem) continue;
      const std::string_view name = name_of(*stem);
      if (name == "layout") {
        const std::size_t rank = extension_rank(rel, *stem);
        const auto [at, fresh] = layouts.try_emplace(std::string(parent_of(rel)), p, rank);
        if (!fresh && rank < at->second.second) at->second = {p, rank};
      } else if (name == "page" || name == "route" || is_metadata_name(name, parent_of(rel).empty())) {
        candidates.push_back({p, rel, *stem});
      }
    }
    std::map<std::pair<std::string, Kind>, RouteFile> best;
    for (const AppFile& c : candidates) {
      RouteFile f = app_file(c);
      if (f.kind == Kind::app_page) {
        for (std::string_view dir = parent_of(c.rel);; dir = parent_of(dir)) {
          const auto found = layouts.find(std::string(dir));
          if (found != layouts.end()) f.layouts.push_back(found->second.first);
          if (dir.empty()) break;
        }
      }
      const auto [at, fresh] = best.try_emplace({f.route, f.kind}, f);
      if (!fresh && app_page_less(at->second.page, f.page)) at->second = std::move(f);
    }
    for (auto& [key, file] : best) out_.files.push_back(std::move(file));
  }

  static RouteFile app_file(const AppFile& c) {
    RouteFile f;
    f.file = c.path;
    std::string page = "/" + std::string(c.stem);
    for (std::size_t at = 0; (at = page.find("%5F", at)) != std::string::npos; ++at) page.replace(at, 3, "_");
    const std::string_view name = name_of(c.stem);
    if (name == "page") {
      f.kind = Kind::app_page;
    } else {
      f.kind = Kind::app_route;
      f.metadata = name != "route";
    }
    f.page = page;
    if (f.metadata) {
      if (page == "/robots")
        page += ".txt";
      else if (page == "/manifest")
        page += ".webmanifest";
      else if (name != "sitemap") {
        // Two groups may hold an image for the same URL: Next tells them apart by a hash of the folder.
        const std::string_view parent = parent_of(page);
        const auto segments = split_path(parent);
        const bool special = std::any_of(segments.begin(), segments.end(), [](std::string_view s) {
          return is_group_segment(s) || (is_slot_segment(s) && s != "@children");
        });
        if (special) page += "-" + metadata_suffix(parent);
      }
      f.page = page + "/route";
      finish_metadata_route(f, false);
      return f;
    }
    f.route = normalize_app_page(f.page);
    return f;
  }

  void read_pages() {
    const std::string prefix = out_.pages_dir + "/";
    std::map<std::string, RouteFile> best;
    for (const std::string& p : paths_) {
      if (!p.starts_with(prefix) || p.ends_with(".d.ts")) continue;
      const auto stem = without_extension(std::string_view(p).substr(prefix.size()), extensions_);
      if (!stem) continue;
      std::string route = "/" + std::string(*stem);
      if (route.ends_with("/index")) route.resize(route.size() - std::string_view("/index").size());
      if (route.empty()) route = "/";
      if (route == "/_app" || route == "/_document" || route == "/_error") continue;
      RouteFile f;
      f.kind = route == "/api" || route.starts_with("/api/") ? Kind::pages_api : Kind::pages;
      f.file = p;
      f.page = f.route = route;
      const auto [at, fresh] = best.try_emplace(route, f);
      if (!fresh) {
        note(RouteSeverity::warning, p,
             fmt::format("Duplicate page detected. {} and {} both resolve to {}.", at->second.file, p, route),
             "Keep one of the two files.");
      }
    }
    for (auto& [route, file] : best) out_.files.push_back(std::move(file));
  }

  // The one beside app/ or pages/: at the root, or in src/ when they are there.
  void read_middleware() {
    const std::string& anchor = out_.pages_dir.empty() ? out_.app_dir : out_.pages_dir;
    const std::string dir = anchor.starts_with("src/") ? "src/" : "";
    std::optional<RouteFile> found;
    for (const std::string& p : paths_) {
      if (!p.starts_with(dir)) continue;
      const auto stem = without_extension(std::string_view(p).substr(dir.size()), extensions_);
      if (!stem || (*stem != "middleware" && *stem != "proxy")) continue;
      RouteFile f;
      f.kind = Kind::middleware;
      f.file = p;
      f.page = f.route = "/" + dir + std::string(*stem);
      if (found && found->page != f.page) {
        note(RouteSeverity::error, p,
             fmt::format("Both middleware file \"./{}\" and proxy file \"./{}\" are detected. Please use "
                         "\"./{}\" only.",
                         *stem == "proxy" ? found->file : p, *stem == "proxy" ? p : found->file,
                         *stem == "proxy" ? p : found->file));
      }
      if (!found || *stem == "proxy") found = std::move(f);
    }
    if (found) out_.files.push_back(std::move(*found));
  }

  void report_conflicts() {
    for (std::size_t i = 1; i < out_.files.size(); ++i) {
      const RouteFile& a = out_.files[i - 1];
      const RouteFile& b = out_.files[i];
      if (a.route != b.route || a.kind == Kind::middleware || b.kind == Kind::middleware) continue;
      const bool both_app =
          a.file.starts_with(out_.app_dir) && b.file.starts_with(out_.app_dir) && !out_.app_dir.empty();
      note(RouteSeverity::error, b.file,
           both_app ? fmt::format("Conflicting route and page at {}: route at {} and page at {}", a.route,
                                  a.kind == Kind::app_route ? a.file : b.file,
                                  a.kind == Kind::app_route ? b.file : a.file)
                    : fmt::format("Conflicting app and page file was found, please remove the conflicting "
                                  "files to continue: "
                                  "\"{}\" - \"{}\"",
                                  a.file, b.file),
           "Keep one of the two files.");
    }
  }

  const std::vector<std::string>& paths_;
  const std::vector<std::string> extensions_;
  const std::vector<std::string> declared_;
  Conventions out_;
};

}  // namespace

Conventions read_conventions(const std::vector<std::string>& paths, const ConventionOptions& options) {
  return Reader(paths, options).read();
}

void finish_metadata_route(RouteFile& f, bool has_ids) {
  if (!f.metadata) return;
  std::string page = f.page.substr(0, f.page.size() - std::string_view("/route").size());
  const bool sitemap = page.ends_with("/sitemap") || page.ends_with("/sitemap.xml");
  if (page.ends_with("/sitemap.xml")) page.resize(page.size() - 4);
  if (has_ids)
    page += "/[__metadata_id__]";
  else if (sitemap)
    page += ".xml";
  f.page = page + "/route";
  f.route = normalize_app_page(f.page);
}

}  // namespace vsim::routes
