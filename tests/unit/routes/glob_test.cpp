#include "routes/glob.hpp"

#include <catch2/catch.hpp>

#include <string>

using vsim::routes::Glob;

// Equality with npm's minimatch is proven by tests/differential/minimatch; these are the cases a person
// writes into vercel.json, and the bounds.
TEST_CASE("glob: patterns of vercel.json") {
  const auto m = [](std::string_view pattern, std::string_view path) { return Glob(pattern).matches(path); };
  CHECK(m("api/*.ts", "api/a.ts"));
  CHECK_FALSE(m("api/*.ts", "api/b/a.ts"));
  CHECK_FALSE(m("api/*.ts", "src/api/a.ts"));
  CHECK(m("app/api/**/*", "app/api/a/b/route.ts"));
  CHECK(m("app/api/**/route.ts", "app/api/route.ts"));
  CHECK(m("app/api/**", "app/api/[...slug]/route.ts"));
  CHECK_FALSE(m("app/**", "app/.well-known/x/route.ts"));
  CHECK(m("app/.*/**", "app/.well-known/x/route.ts"));
  CHECK_FALSE(m("app/api/[id]/route.ts", "app/api/[id]/route.ts"));
  CHECK(m("app/api/[id]/route.ts", "app/api/i/route.ts"));
  CHECK(m("app/api/\\[id\\]/route.ts", "app/api/[id]/route.ts"));
  CHECK(m("{pages,src/pages}/api/*.{js,ts}", "src/pages/api/x.ts"));
  CHECK(m("app/(shop)/**", "app/(shop)/cart/page.tsx"));
  CHECK_FALSE(m("app/@(shop)/**", "app/(shop)/cart/page.tsx"));
  CHECK(m("app/api/!(public)/route.ts", "app/api/private/route.ts"));
  CHECK_FALSE(m("app/api/!(public)/route.ts", "app/api/public/route.ts"));
  CHECK(m("!app/**", "pages/a.ts"));
  CHECK_FALSE(m("#app", "#app"));
  CHECK(m("", ""));
  CHECK_FALSE(m("", "a"));
}

TEST_CASE("glob: hostile patterns end quickly and say what they are") {
  const std::string a(200, 'a');
  CHECK_FALSE(Glob("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b").matches(a));
  CHECK_FALSE(Glob("+(a|aa|aaa|+(a))+(a|aa)b").matches(a));
  CHECK_FALSE(Glob("*(*(*(*(*(*(a|*)|*)|*)|*)|*)|*)b").matches(a));
  CHECK(Glob("!(!(!(!(!(!(a*)*)*)*)*)*)b").matches(a));  // as the original says, of a shorter path
  std::string stars, deep;
  for (int i = 0; i < 60; ++i) stars += "**/", deep += "a/";
  CHECK_FALSE(Glob(stars + "b").matches(deep + "c"));
  CHECK(Glob(stars + "c").matches(deep + "c"));
  std::string braces;
  for (int i = 0; i < 40; ++i) braces += "{a,b}";
  CHECK(Glob(braces).too_complex());
  CHECK_FALSE(Glob(braces).matches("a"));
  CHECK(Glob("{1..1000000000}").too_complex());
  CHECK(Glob("{1..99999999999999999999}").too_complex());
  CHECK_FALSE(Glob("{1..5..0}").too_complex());
  std::string negations;
  for (int i = 0; i < 60; ++i) negations += "!(a)";
  CHECK(Glob(negations).too_complex());
  CHECK(Glob(std::string(5000, 'a')).too_complex());
  CHECK_NOTHROW(Glob(std::string(4000, '[')));
  CHECK_NOTHROW(Glob(std::string(4000, '{')));
  std::string nested;
  for (int i = 0; i < 2000; ++i) nested += "@(";
  CHECK_NOTHROW(Glob(nested));
  nested += std::string(2000, ')');
  CHECK_NOTHROW(Glob(nested.substr(0, 4096)));
  CHECK_FALSE(Glob("\xff\xfe[\x80-\xff]").matches("a"));
}
