// From a list of file names to the functions they stand for: Next's file conventions for app/, pages/,
// pages/api and middleware, as in next@16.4.6 (build/route-discovery, lib/metadata, lib/find-pages-dir).
// Pure: names in, candidates out; what a file exports is told by source_config and joined in resolve. Not
// covered: i18n of pages/ (a locale prefix does not match).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "routes/finding.hpp"
#include "routes/function.hpp"

namespace vsim::routes {

struct ConventionOptions {
  std::vector<std::string> page_extensions = {"tsx", "ts", "jsx",
                                              "js"};  // next.config pageExtensions, e.g. "page.tsx"
};

// A file that becomes a function.
struct RouteFile {
  Kind kind = Kind::unknown;
  std::string file;  // "src/app/(shop)/cart/page.tsx"
  std::string
      page;  // Next 16's name: "/(shop)/cart/page"; in pages/ equal to the route; "/middleware", "/src/proxy"
  std::string route;                 // "/cart"
  std::vector<std::string> layouts;  // app pages: the layout files above it, nearest first
  bool metadata =
      false;  // sitemap, robots, manifest, icon, apple-icon, opengraph-image, twitter-image written in code
  bool operator==(const RouteFile&) const = default;
};

struct Conventions {
  std::string app_dir;           // "app", "src/app" or ""
  std::string pages_dir;         // "pages", "src/pages" or ""
  std::vector<RouteFile> files;  // sorted by route, then kind; one for each (route, kind) that can be reached
  std::vector<RouteFinding> findings;  // conflicts that Next itself refuses or warns about
};

// `paths` are relative to the project, with forward slashes. Names that are no route are ignored.
Conventions read_conventions(const std::vector<std::string>& paths, const ConventionOptions& options = {});

// The route and page of a metadata file once its exports are known: generateSitemaps and
// generateImageMetadata put an id behind it.
void finish_metadata_route(RouteFile& file, bool has_ids);

}  // namespace vsim::routes
