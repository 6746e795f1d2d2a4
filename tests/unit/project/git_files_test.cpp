#include "project/git_files.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>

#include "unit/project/temp_tree.hpp"

using namespace vsim::project;

TEST_CASE(
    "what git has of a project: below the repository's root too, whatever a name is spelled with; none where "
    "there is no git") {
  TempTree t;
  t.write("web/components/Trends.tsx", "");
  t.write("web/it's here/a\nb.ts", "");
  t.write("web/untracked.ts", "");
  t.write("other.ts", "");
  CHECK_FALSE(git_files(t.path("web")).has_value());
  const std::string git = "cd '" + t.path("") + "' && git ";
  REQUIRE(std::system(
              (git + "init -q . && " + git + "add web/components \"web/it's here\" other.ts").c_str()) == 0);
  const auto files = git_files(t.path("web"));
  REQUIRE(files.has_value());
  CHECK(*files == std::vector<std::string>{"components/Trends.tsx", "it's here/a\nb.ts"});
  CHECK(git_files(t.path("web/it's here")) == std::vector<std::string>{"a\nb.ts"});
}

TEST_CASE("no program that the repository names is run") {
  TempTree t;
  t.write("a.ts", "");
  t.write("hook", "#!/bin/sh\ntouch '" + t.path("ran") + "'\n");
  std::filesystem::permissions(t.path("hook"), std::filesystem::perms::owner_all);
  const std::string git = "cd '" + t.path("") + "' && git ";
  REQUIRE(std::system((git + "init -q . && " + git + "add a.ts && " + git + "config core.fsmonitor '" +
                       t.path("hook") + "' && rm -f ran")
                          .c_str()) == 0);
  CHECK(git_files(t.path("")) == std::vector<std::string>{"a.ts"});
  CHECK_FALSE(std::filesystem::exists(t.path("ran")));
}
