#include "project/supported_next.hpp"

#include <catch2/catch.hpp>

using namespace vsim::project;

TEST_CASE("a Next below 14 is named with what is supported, others are not") {
  const auto old = check_next("13.5.11");
  REQUIRE(old.has_value());
  CHECK(old->message.find("Next 13.5.11 is not supported, 14.0 to 16.4 are") == 0);
  for (const char* version : {"14.0.0", "16.4.6", "17.0.0-canary.1", "", "junk"})
    CHECK_FALSE(check_next(version));
}

TEST_CASE("a next dev that is given as a command is told what becomes of its compiles") {
  using Words = std::vector<std::string>;
  for (const Words& command :
       {Words{"next", "dev"}, Words{"npx", "next", "dev", "-p", "4000"},
        Words{"./node_modules/.bin/next", "dev"}, Words{"/bin/sh", "-c", "prisma generate && next dev"}}) {
    REQUIRE(compile_hint(command, "13.5.11"));
    CHECK(compile_hint(command, "13.5.11")->find("--compile-grace") != std::string::npos);
    CHECK(compile_hint(command, "13.5.11")->find("13.5.11 is not supported") != std::string::npos);
    CHECK(compile_hint(command, "16.4.6")->find("Leave the command out") != std::string::npos);
  }
  for (const Words& command :
       {Words{"next", "start"}, Words{"node", "server.js"}, Words{"vite", "dev"}, Words{"nextra", "dev"}})
    CHECK_FALSE(compile_hint(command, "13.5.11"));
  CHECK_FALSE(compile_hint({"next", "dev"}, ""));
}
