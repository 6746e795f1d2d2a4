#include "project/next_config.hpp"

#include <catch2/catch.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "temp_tree.hpp"

using namespace vsim::project;

namespace {

std::string said(std::string_view text, std::string_view file = "next.config.js") {
  const NextConfig c = read_next_config(text, file);
  std::string out;
  const auto add = [&](std::string_view name, const auto& s, const std::string& value) {
    if (s.known == Known::computed) out += fmt::format("{} computed; ", name);
    if (s.known == Known::literal) out += fmt::format("{} {}; ", name, value);
  };
  add("basePath", c.base_path, c.base_path.value);
  add("assetPrefix", c.asset_prefix, c.asset_prefix.value);
  add("pageExtensions", c.page_extensions, fmt::format("{}", fmt::join(c.page_extensions.value, ",")));
  add("distDir", c.dist_dir, c.dist_dir.value);
  add("trailingSlash", c.trailing_slash, c.trailing_slash.value ? "true" : "false");
  if (c.wrapped) out += "wrapped";
  return out;
}

constexpr std::string_view kAllComputed =
    "basePath computed; assetPrefix computed; pageExtensions computed; distDir computed; trailingSlash "
    "computed; ";

}  // namespace

TEST_CASE("next.config: the forms of Next's documentation") {
  CHECK(said("module.exports = { basePath: '/docs', trailingSlash: true }") ==
        "basePath /docs; trailingSlash true; ");
  CHECK(said("/** @type {import('next').NextConfig} */\nconst nextConfig = {\n  pageExtensions: ['page.tsx', "
             "'api.ts'],\n}\nmodule.exports = nextConfig") == "pageExtensions page.tsx,api.ts; ");
  CHECK(said("export default { distDir: 'out', assetPrefix: \"https://cdn.example.com\" }",
             "next.config.mjs") == "assetPrefix https://cdn.example.com; distDir out; ");
  CHECK(said("import type { NextConfig } from 'next'\nconst nextConfig: NextConfig = { basePath: '/x' "
             "}\nexport default nextConfig",
             "next.config.ts") == "basePath /x; ");
  CHECK(said("export default { basePath: '/x' } satisfies NextConfig", "next.config.ts") == "basePath /x; ");
  CHECK(said("module.exports = {}") == "");
}

TEST_CASE("next.config: wrappers and functions are looked through, and said to be") {
  CHECK(said("const c = { basePath: '/x' }; module.exports = withSentryConfig(c, { silent: true })") ==
        "basePath /x; wrapped");
  CHECK(said("module.exports = withBundleAnalyzer({ enabled: true })({ basePath: '/y' })") ==
        "basePath /y; wrapped");
  CHECK(said("module.exports = (phase) => ({ basePath: '/z' })") == "basePath /z; wrapped");
  CHECK(
      said("module.exports = async (phase, { defaultConfig }) => { const c = { distDir: 'd' }; return c }") ==
      "distDir d; wrapped");
  CHECK(said("export default async function config(phase) { return { basePath: '/f' } }",
             "next.config.mjs") == "basePath /f; wrapped");
}

TEST_CASE("next.config: computed values are marked") {
  CHECK(said("module.exports = { basePath: process.env.BASE_PATH }") == "basePath computed; ");
  CHECK(said("module.exports = { basePath: process.env.X || '/a', distDir: 'd' }") ==
        "basePath computed; distDir d; ");
  CHECK(said("const basePath = '/s'; const d = 'dist'; module.exports = { basePath, distDir: d }") ==
        "basePath /s; distDir dist; ");
  CHECK(said("const basePath = f(); module.exports = { basePath }") == "basePath computed; ");
  CHECK(said("module.exports = { ...base, basePath: '/x' }") ==
        "basePath /x; assetPrefix computed; pageExtensions computed; distDir computed; trailingSlash "
        "computed; ");
  CHECK(said("module.exports = { pageExtensions: ['tsx', ext] }") == "pageExtensions computed; ");
  CHECK(said("module.exports = require('./other')") == std::string(kAllComputed) + "wrapped");
  CHECK(said("module.exports = config") == kAllComputed);
  CHECK(said("module.exports = { basePath: undefined }") == "");
  CHECK(said("{{{ not javascript") == kAllComputed);
}

TEST_CASE("next.config: the file is found in Next's order") {
  TempTree t;
  CHECK(find_next_config(t.path()).file.empty());
  t.write("next.config.ts", "export default { basePath: '/ts' }");
  CHECK(find_next_config(t.path()).base_path.value == "/ts");
  t.write("next.config.js", "module.exports = { basePath: '/js' }");
  CHECK(find_next_config(t.path()).base_path.value == "/js");
}
