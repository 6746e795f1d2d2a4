// The day a Vercel project was made, from what `vercel pull` leaves behind.
#include "project/vercel_link.hpp"

#include <catch2/catch.hpp>

#include "temp_tree.hpp"

using vsim::project::made_at;

TEST_CASE("vercel link: createdAt, beside the project or at the root of its repository") {
  TempTree t;
  t.mkdir("apps/web");
  const auto made = [&] { return made_at(t.path("apps/web"), t.path()); };
  CHECK_FALSE(made());
  t.write(".vercel/project.json",
          R"({"projectId":"p","settings":{"createdAt":1,"rootDirectory":"apps/docs"}})");
  CHECK_FALSE(made());
  t.write(".vercel/project.json",
          R"({"projectId":"p","settings":{"createdAt":1,"rootDirectory":"apps/web"}})");
  CHECK(made() == 1);
  t.write("apps/web/.vercel/project.json", R"({"projectId":"p","settings":{"createdAt":1755000000000}})");
  CHECK(made() == 1'755'000'000'000);
  CHECK(made_at(t.path("apps/web"), t.path("apps/web")) == 1'755'000'000'000);
}

TEST_CASE("vercel link: what is not there or not as it is written is not known") {
  for (const char* text :
       {"", "{", "[]", R"({"projectId":"p"})", R"({"settings":[]})", R"({"settings":{}})",
        R"({"settings":{"createdAt":"1755000000000"}})", R"({"settings":{"createdAt":null}})",
        R"({"settings":{"createdAt":-5}})", R"({"settings":{"createdAt":1e300}})"}) {
    TempTree t;
    t.write(".vercel/project.json", text);
    CAPTURE(text);
    CHECK_FALSE(made_at(t.path(), t.path()));
  }
}
