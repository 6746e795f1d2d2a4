#include "cli/expectations.hpp"

#include <catch2/catch.hpp>

using namespace vsim;
using namespace vsim::cli;
using limits::Code;

namespace {

bool meant(std::string route, std::string_view seen_route, std::string_view file, std::string_view path) {
  Expectations all({{Code::function_invocation_timeout, std::move(route), "", 3}});
  const Expectation* found = all.match(Code::function_invocation_timeout, seen_route, file, path);
  CHECK((found != nullptr) == all.stale().empty());
  return found != nullptr;
}

}  // namespace

TEST_CASE("expectations: a file, with or without its line") {
  CHECK(meant("app/api/slow/route.ts", "/api/slow", "app/api/slow/route.ts", "/api/slow"));
  CHECK(meant("app/api/slow/route.ts", "/api/slow", "app/api/slow/route.ts:12", "/api/slow"));
  CHECK_FALSE(meant("app/api/slow/route.ts", "/api/slow", "app/api/slower/route.ts", "/api/slow"));
  CHECK_FALSE(meant("app/api/slow/route.ts", "/api/slow", "", "/api/slow"));
}

TEST_CASE("expectations: a glob over files; brackets and parentheses are Next's own") {
  CHECK(meant("app/api/**", "/api/a/b", "app/api/a/b/route.ts", "/api/a/b"));
  CHECK(meant("app/**/[id]/*", "/users/[id]", "app/users/[id]/page.tsx", "/users/7"));
  CHECK_FALSE(meant("app/**/[id]/*", "/users/i", "app/users/i/page.tsx", "/users/i"));
  CHECK(meant("app/(shop)/cart/page.tsx", "/cart", "app/(shop)/cart/page.tsx", "/cart"));
  CHECK(meant("app/@modal/(.)[...slug]/page.tsx", "/x", "app/@modal/(.)[...slug]/page.tsx", "/x"));
  CHECK(meant("pages/api/{a,b}.ts", "/api/b", "pages/api/b.ts", "/api/b"));
}

TEST_CASE(
    "expectations: a route begins with a slash; where none is known, the path of the request stands for it") {
  CHECK(meant("/api/slow", "/api/slow", "app/api/slow/route.ts", ""));
  CHECK(meant("/users/[id]", "/users/[id]", "app/users/[id]/page.tsx", ""));
  CHECK(meant("/users/*", "/users/[id]", "app/users/[id]/page.tsx", ""));
  CHECK_FALSE(meant("/users/7", "/users/[id]", "app/users/[id]/page.tsx", "/users/7"));
  CHECK(meant("/api/*", "", "", "/api/x"));
  CHECK(meant("/**", "", "", "/socket.io/"));
  CHECK_FALSE(meant("/api/*", "", "", "/other"));
  CHECK_FALSE(meant("/app/api/slow/route.ts", "/api/slow", "app/api/slow/route.ts", ""));
}

TEST_CASE("expectations: another code is not meant, and the first entry that fits counts") {
  Expectations all({{Code::url_too_long, "/**", "", 1},
                    {Code::function_invocation_timeout, "/a", "one", 2},
                    {Code::function_invocation_timeout, "/**", "two", 3},
                    {Code::function_invocation_timeout, "/a", "three", 4}});
  CHECK(all.size() == 4);
  CHECK(all.match(Code::function_invocation_failed, "/a", "", "/a") == nullptr);
  REQUIRE(all.match(Code::function_invocation_timeout, "/a", "", "/a") != nullptr);
  CHECK(all.match(Code::function_invocation_timeout, "/a", "", "/a")->reason == "one");
  const auto stale = all.stale();
  REQUIRE(stale.size() == 3);
  CHECK(stale[0]->line == 1);
  CHECK(stale[1]->line == 3);
  CHECK(stale[2]->line == 4);
}
