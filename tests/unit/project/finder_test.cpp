#include "project/finder.hpp"

#include <catch2/catch.hpp>

#include "project/node_version.hpp"
#include "temp_tree.hpp"

using namespace vsim::project;

namespace {

const std::string kApp =
    R"({"name":"web","scripts":{"dev":"next dev --turbopack"},"dependencies":{"next":"^16"}})";

Project found(const std::string& dir) {
  const auto p = find_project(dir);
  if (!p) FAIL(p.error().message);
  return *p;
}
vsim::Error refused(const std::string& dir) {
  const auto p = find_project(dir);
  if (p) FAIL("found " + p->root);
  return p.error();
}
// The paths of the temporary directory taken out of a message.
std::string plain(const TempTree& t, std::string text) {
  const std::string root = t.path();
  for (std::size_t at; (at = text.find(root)) != std::string::npos;) text.replace(at, root.size(), 1, '~');
  return text;
}

}  // namespace

TEST_CASE("finder: npm, from the root and from a subfolder") {
  TempTree t;
  t.write("package.json", kApp);
  t.write("package-lock.json", "{}");
  t.next_package("node_modules/next");
  t.mkdir("src/app/api");
  for (const char* from : {"", "src/app/api"}) {
    const Project p = found(t.path(from));
    CHECK(p.root == t.path());
    CHECK(p.name == "web");
    CHECK(p.next_version == "16.4.6");
    CHECK(p.next_bin == t.path("node_modules/next/dist/bin/next"));
    CHECK(p.next_engines == ">=20.9.0");
    CHECK(p.package_manager == "npm");
    CHECK(p.workspace_root == t.path());
    CHECK(p.dev.kind == DevScript::Kind::next_dev);
    CHECK(p.dev.bundler == DevScript::Bundler::turbopack);
  }
}

TEST_CASE("finder: a package.json without next on the way is passed by") {
  TempTree t;
  t.write("package.json", kApp);
  t.next_package("node_modules/next");
  t.write("src/package.json", R"({"type":"module"})");
  CHECK(found(t.path("src")).root == t.path());
}

TEST_CASE("finder: the directory that the dev script names holds the sources") {
  TempTree t;
  t.next_package("node_modules/next");
  t.mkdir("web/app");
  t.write("package.json", R"({"scripts":{"dev":"next dev ./web -p 4000"},"dependencies":{"next":"16"}})");
  CHECK(found(t.path()).source_root == t.path("web"));
  t.write("package.json", R"({"scripts":{"dev":"next dev gone"},"dependencies":{"next":"16"}})");
  CHECK(found(t.path()).source_root == t.path());
}

TEST_CASE("finder: pnpm's link is followed to the real package") {
  TempTree t;
  t.write("package.json", R"({"devDependencies":{"next":"16.4.6"}})");
  t.write("pnpm-lock.yaml", "");
  t.next_package("node_modules/.pnpm/next@16.4.6_react@19/node_modules/next");
  t.link(".pnpm/next@16.4.6_react@19/node_modules/next", "node_modules/next");
  const Project p = found(t.path());
  CHECK(p.package_manager == "pnpm");
  CHECK(p.next_directory == t.path("node_modules/.pnpm/next@16.4.6_react@19/node_modules/next"));
  CHECK(p.name == t.path().substr(t.path().rfind('/') + 1));
  CHECK(p.dev.kind == DevScript::Kind::none);
}

TEST_CASE("finder: a hoisted workspace uses the next of the root, its own if it has one") {
  TempTree t;
  t.write("package.json", R"({"private":true,"workspaces":["apps/*"],"packageManager":"yarn@4.5.0"})");
  t.write("yarn.lock", "");
  t.write("apps/web/package.json", kApp);
  t.write("apps/old/package.json", R"({"dependencies":{"next":"14"}})");
  t.write("apps/api/package.json", "{}");
  t.next_package("node_modules/next");
  t.next_package("apps/old/node_modules/next", "14.2.35");
  t.mkdir("apps/web/app");
  const Project web = found(t.path("apps/web/app"));
  CHECK(web.root == t.path("apps/web"));
  CHECK(web.next_directory == t.path("node_modules/next"));
  CHECK(web.package_manager == "yarn");
  CHECK(web.workspace_root == t.path());
  CHECK(found(t.path("apps/old")).next_version == "14.2.35");

  const vsim::Error e = refused(t.path());
  CHECK(
      plain(t, e.message) ==
      "~ is a workspace root and has no next of its own. Workspaces with next:\n  ~/apps/old\n  ~/apps/web");
  CHECK(plain(t, e.fix) == "Run vercel-sim in one of them, or name it: --cwd ~/apps/old");
  // From a sibling without next, too.
  CHECK(plain(t, refused(t.path("apps/api")).message) == plain(t, e.message));
}

TEST_CASE("finder: workspaces of pnpm-workspace.yaml, and nested patterns") {
  TempTree t;
  t.write("package.json", "{}");
  t.write("pnpm-workspace.yaml",
          "# all\npackages:\n  - 'apps/**'\n  - \"!apps/x\"\n  - tools/*   # more\ncatalog:\n  - no/*\n");
  t.write("apps/group/web/package.json", kApp);
  t.write("tools/site/package.json", kApp);
  t.write("no/hidden/package.json", kApp);
  CHECK(plain(t, refused(t.path()).message) ==
        "~ is a workspace root and has no next of its own. Workspaces with next:\n  ~/apps/group/web\n  "
        "~/tools/site");
}

TEST_CASE("finder: every failure has one message with its fix") {
  TempTree t;
  CHECK(plain(t, refused(t.path()).message) == "There is no package.json in ~ or above it.");
  CHECK(plain(t, refused(t.path("none")).message) == "There is no directory ~/none.");

  t.write("package.json", "{}");
  CHECK(plain(t, refused(t.path()).message) ==
        "~/package.json has no next in dependencies or devDependencies.");

  t.write("package.json", "{\n  \"dependencies\": {\n    \"next\": \"16\",\n  }\n}");
  CHECK(plain(t, refused(t.path()).message).starts_with("~/package.json:4:3: not valid JSON: "));
  t.write("package.json", "[]");
  CHECK(plain(t, refused(t.path()).message) == "~/package.json:1:1: expected an object.");

  t.write("package.json", kApp);
  CHECK(plain(t, refused(t.path()).message) == "next is in ~/package.json but is not installed.");
  CHECK(plain(t, refused(t.path()).fix) == "Run `npm install` in ~.");
  t.write("yarn.lock", "");
  CHECK(plain(t, refused(t.path()).fix) == "Run `yarn install` in ~.");
  t.write("pnpm-lock.yaml", "");
  CHECK(plain(t, refused(t.path()).fix) == "Run `pnpm install` in ~.");
  t.write("package.json", R"({"packageManager":"bun@1.2.0","dependencies":{"next":"16"}})");
  CHECK(plain(t, refused(t.path()).fix) == "Run `bun install` in ~.");

  t.write(".pnp.cjs", "");
  CHECK(plain(t, refused(t.path()).message) ==
        "~ uses Yarn Plug'n'Play, which vercel-sim does not support yet: it runs next from node_modules.");

  t.next_package("node_modules/next");
  t.remove("node_modules/next/dist");
  CHECK(plain(t, refused(t.path()).message) ==
        "The installed next in ~/node_modules/next is incomplete: dist/bin/next is missing.");
}

TEST_CASE("node versions and the ranges of engines") {
  CHECK(parse_version("v20.20.2") == Version{20, 20, 2});
  CHECK(parse_version("16.4.6-canary.3") == Version{16, 4, 6});
  CHECK_FALSE(parse_version("not a version").has_value());
  CHECK_FALSE(parse_version("").has_value());
  const auto in = [](std::string_view version, std::string_view range) {
    return satisfies(*parse_version(version), range);
  };
  CHECK(in("20.9.0", ">=20.9.0"));
  CHECK_FALSE(in("20.8.9", ">=20.9.0"));
  CHECK(in("20.0.0", "^18.18.0 || ^19.8.0 || >= 20.0.0"));
  CHECK(in("18.18.0", "^18.18.0 || ^19.8.0 || >= 20.0.0"));
  CHECK_FALSE(in("18.17.9", "^18.18.0 || ^19.8.0 || >= 20.0.0"));
  CHECK_FALSE(in("19.7.0", "^18.18.0 || ^19.8.0 || >= 20.0.0"));
  CHECK(in("20.5.0", "20"));
  CHECK(in("20.5.0", "20.x"));
  CHECK_FALSE(in("21.0.0", "20.x"));
  CHECK(in("22.0.0", "*"));
  CHECK(in("22.0.0", ""));
  CHECK(in("20.9.7", "~20.9"));
  CHECK_FALSE(in("20.10.0", "~20.9.1"));
  CHECK(in("20.99.0", "18 - 20"));
  CHECK_FALSE(in("21.0.0", "18 - 20"));
  CHECK(in("20.1.0", ">=18 <21"));
  CHECK_FALSE(in("21.0.0", ">=18 <21"));
  CHECK(in("21.0.0", ">20"));
  CHECK_FALSE(in("20.9.0", ">20"));
  CHECK(in("20.9.0", "<=20"));
  CHECK(in("20.9.0", "lts/*"));

  CHECK_FALSE(check_node({20, 20, 2}, ">=18", ">=20.9.0").has_value());
  CHECK(check_node({18, 20, 0}, "", "")->message ==
        "Node.js 18.20.0 is too old: vercel-sim needs 20 or newer.");
  CHECK(check_node({20, 5, 0}, "", ">=20.9.0")->message ==
        "Node.js 20.5.0 does not satisfy the installed next's engines.node \">=20.9.0\".");
  CHECK(check_node({20, 9, 0}, "22.x", "")->message ==
        "Node.js 20.9.0 does not satisfy engines.node \"22.x\" of package.json.");
}

TEST_CASE("node is found in PATH and tells its version") {
  TempTree t;
  t.write("bin/node", "#!/bin/sh\necho v22.1.3\n");
  t.write("first/node", "not executable");
  std::filesystem::permissions(t.path("bin/node"), std::filesystem::perms::owner_all);
  const std::string node = find_in_path("node", t.path("none") + ":" + t.path("first") + ":" + t.path("bin"));
  CHECK(node == t.path("bin/node"));
  CHECK(find_in_path("node", t.path("none")).empty());
  REQUIRE(node_version_of(node).ok());
  CHECK(*node_version_of(node) == Version{22, 1, 3});
  t.write("it's/node", "#!/bin/sh\necho hello\n");
  std::filesystem::permissions(t.path("it's/node"), std::filesystem::perms::owner_all);
  CHECK_FALSE(node_version_of(t.path("it's/node")).ok());
}
