#include "routes/route_table.hpp"

#include <catch2/catch.hpp>

using namespace vsim::routes;

namespace {

Function fn(std::string route, Kind kind, std::string file, std::string page = {}) {
  Function f;
  f.route = std::move(route);
  f.kind = kind;
  f.file = std::move(file);
  f.page = std::move(page);
  return f;
}

std::string hit(const RouteTable& t, std::string_view path) {
  const Function* f = t.match(path);
  return f == nullptr ? "-" : f->route;
}

}  // namespace

TEST_CASE("RouteTable: predefined before dynamic before catch-all before optional catch-all") {
  const RouteTable t({fn("/post/[pid]", Kind::pages, "pages/post/[pid].js"),
                      fn("/post/create", Kind::pages, "pages/post/create.js"),
                      fn("/post/[...slug]", Kind::pages, "pages/post/[...slug].js"),
                      fn("/shop/[[...slug]]", Kind::app_page, "app/shop/[[...slug]]/page.tsx"),
                      fn("/docs/[...slug]", Kind::app_page, "app/docs/[...slug]/page.tsx"),
                      fn("/", Kind::app_page, "app/page.tsx")},
                     "");
  CHECK(hit(t, "/post/create") == "/post/create");
  CHECK(hit(t, "/post/1") == "/post/[pid]");
  CHECK(hit(t, "/post/abc") == "/post/[pid]");
  CHECK(hit(t, "/post/1/2") == "/post/[...slug]");
  CHECK(hit(t, "/post/a/b/c") == "/post/[...slug]");
  CHECK(hit(t, "/post") == "-");
  CHECK(hit(t, "/shop") == "/shop/[[...slug]]");
  CHECK(hit(t, "/shop/a/b") == "/shop/[[...slug]]");
  CHECK(hit(t, "/docs") == "-");
  CHECK(hit(t, "/docs/a") == "/docs/[...slug]");
  CHECK(hit(t, "/") == "/");
  CHECK(hit(t, "") == "-");
  CHECK(hit(t, "post/1") == "-");
}

TEST_CASE("RouteTable: a dead end under a literal segment falls back to the parameter beside it") {
  const RouteTable t({fn("/a/b/c", Kind::app_page, "1"), fn("/[x]/b/d", Kind::app_page, "2"),
                      fn("/[x]/[y]/[z]", Kind::app_page, "3"), fn("/[...all]", Kind::app_page, "4")},
                     "");
  CHECK(hit(t, "/a/b/c") == "/a/b/c");
  CHECK(hit(t, "/a/b/d") == "/[x]/b/d");
  CHECK(hit(t, "/a/b/e") == "/[x]/[y]/[z]");
  CHECK(hit(t, "/a/b") == "/[...all]");
  CHECK(hit(t, "/a/b/c/d") == "/[...all]");
}

TEST_CASE("RouteTable: the base path must be there, whole") {
  const RouteTable t({fn("/", Kind::app_page, "1"), fn("/api/x", Kind::app_route, "2")}, "/docs");
  CHECK(t.base_path() == "/docs");
  CHECK(hit(t, "/docs") == "/");
  CHECK(hit(t, "/docs/") == "/");
  CHECK(hit(t, "/docs/api/x?y=/z") == "/api/x");
  CHECK(hit(t, "/api/x") == "-");
  CHECK(hit(t, "/docsapi/x") == "-");
  CHECK(hit(t, "/") == "-");
}

TEST_CASE("RouteTable: slashes, queries and escapes in the request path") {
  const RouteTable t({fn("/a/b", Kind::app_page, "1"), fn("/über/[id]", Kind::app_page, "2"),
                      fn("/caf%C3%A9", Kind::app_page, "3"), fn("/x y", Kind::pages, "4")},
                     "");
  CHECK(hit(t, "/a/b/") == "/a/b");
  CHECK(hit(t, "/a/b?c=/d") == "/a/b");
  CHECK(hit(t, "/a/b#c") == "/a/b");
  CHECK(hit(t, "/a//b") == "-");
  CHECK(hit(t, "//a/b") == "-");
  CHECK(hit(t, "/a\\b") == "-");
  CHECK(hit(t, "/a%2Fb") == "-");
  CHECK(hit(t, "/%61/b") == "/a/b");
  CHECK(hit(t, "/%C3%BCber/1%2F2") == "/über/[id]");
  CHECK(hit(t, "/caf%C3%A9") == "/caf%C3%A9");
  CHECK(hit(t, "/x%20y") == "/x y");
  CHECK(hit(t, "/a/%zz") == "-");
  CHECK(hit(t, "/a/b%4") == "-");
  CHECK(hit(t, "/A/b") == "-");
}

TEST_CASE("RouteTable: a data request finds the page of pages/, and nothing else below /_next") {
  const RouteTable t(
      {fn("/", Kind::pages, "pages/index.js"), fn("/index", Kind::pages, "pages/index/index.js"),
       fn("/blog/[slug]", Kind::pages, "pages/blog/[slug].js"),
       fn("/blog/new", Kind::app_page, "app/blog/new/page.js"),
       fn("/api/x", Kind::pages_api, "pages/api/x.js"),
       fn("/[...all]", Kind::app_page, "app/[...all]/page.js")},
      "/base");
  CHECK(hit(t, "/base/_next/data/development/index.json") == "/");
  CHECK(hit(t, "/base/_next/data/development/index/index.json") == "/index");
  CHECK(hit(t, "/base/_next/data/development/blog/a%20b.json?slug=a") == "/blog/[slug]");
  CHECK(hit(t, "/base/_next/data/development/blog/new.json") == "/blog/[slug]");
  CHECK(hit(t, "/base/_next/data/development/api/x.json") == "-");
  CHECK(hit(t, "/base/_next/data/development/nowhere.json") == "-");
  CHECK(hit(t, "/base/_next/data/x.json") == "-");
  CHECK(hit(t, "/base/_next/static/chunks/app.js") == "-");
  CHECK(hit(t, "/_next/data/development/index.json") == "-");
}

TEST_CASE("RouteTable: app wins over pages when both have the route") {
  const RouteTable t(
      {fn("/x", Kind::pages, "pages/x.js"), fn("/x", Kind::app_page, "app/x/page.js", "/x/page")}, "");
  REQUIRE(t.match("/x") != nullptr);
  CHECK(t.match("/x")->file == "app/x/page.js");
  CHECK(t.find_page("/x", Kind::unknown)->file == "app/x/page.js");
  CHECK(t.find_page("/x", Kind::pages)->file == "pages/x.js");
}

TEST_CASE("RouteTable: interception routes and middleware have no URL of their own but are found by name") {
  const RouteTable t({fn("/feed/(.)photo/[id]", Kind::app_page, "app/feed/@modal/(.)photo/[id]/page.tsx",
                         "/feed/@modal/(.)photo/[id]/page"),
                      fn("/photo/[id]", Kind::app_page, "app/photo/[id]/page.tsx", "/photo/[id]/page"),
                      fn("/middleware", Kind::middleware, "middleware.ts", "/middleware")},
                     "");
  CHECK(hit(t, "/feed/(.)photo/1") == "-");
  CHECK(hit(t, "/photo/1") == "/photo/[id]");
  CHECK(hit(t, "/middleware") == "-");
  REQUIRE(t.find_page("/feed/@modal/(.)photo/[id]/page", Kind::app_page) != nullptr);
  CHECK(t.find_page("/feed/(.)photo/[id]", Kind::app_page)->file == "app/feed/@modal/(.)photo/[id]/page.tsx");
  CHECK(t.find_page("/src/middleware", Kind::middleware)->file == "middleware.ts");
}

TEST_CASE("RouteTable: Next's names of a page, in the style of 16 and of 15 and 14") {
  const RouteTable t(
      {fn("/api/users/[id]", Kind::app_route, "r", "/api/users/[id]/route"),
       fn("/cart", Kind::app_page, "c", "/(shop)/cart/page"), fn("/", Kind::app_page, "h", "/page"),
       fn("/_inner", Kind::app_page, "i", "/_inner/page"),
       fn("/api/hello", Kind::pages_api, "p", "/api/hello"),
       fn("/landing/page", Kind::pages, "l", "/landing/page"),
       fn("/sitemap.xml", Kind::app_route, "s", "/sitemap.xml/route")},
      "");
  const auto file = [&](std::string_view page, Kind kind) {
    const Function* f = t.find_page(page, kind);
    return f == nullptr ? std::string("-") : f->file;
  };
  CHECK(file("/api/users/[id]/route", Kind::app_route) == "r");
  CHECK(file("/api/users/[id]", Kind::app_route) == "r");
  CHECK(file("/(shop)/cart/page", Kind::app_page) == "c");
  CHECK(file("/cart/page", Kind::app_page) == "c");
  CHECK(file("/cart", Kind::app_page) == "c");
  CHECK(file("/(other)/@slot/cart/page", Kind::app_page) == "c");
  CHECK(file("/page", Kind::app_page) == "h");
  CHECK(file("/", Kind::app_page) == "h");
  CHECK(file("/%5Finner/page", Kind::app_page) == "i");
  CHECK(file("/api/hello", Kind::pages_api) == "p");
  CHECK(file("/api/hello", Kind::pages) == "p");
  CHECK(file("/landing/page", Kind::pages) == "l");
  CHECK(file("/sitemap.xml/route", Kind::app_route) == "s");
  CHECK(file("/sitemap.xml", Kind::app_page) == "s");
  CHECK(file("/nowhere/page", Kind::app_page) == "-");
  CHECK(file("/_not-found/page", Kind::app_page) == "-");
}
