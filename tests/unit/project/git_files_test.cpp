#include "project/git_files.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>

#include "project/git_head.hpp"
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

// A repository can say that what it lacks comes from elsewhere, and by which program.
TEST_CASE("no object that is missing is fetched") {
  TempTree t;
  t.write("a/a.ts", "");
  t.write("b/b.ts", "");
  t.write("hook", "#!/bin/sh\ntouch '" + t.path("ran") + "'\nexit 1\n");
  std::filesystem::permissions(t.path("hook"), std::filesystem::perms::owner_all);
  const std::string script =
      "cd '" + t.path("") +
      "' && git init -q . && git add a b && git -c user.name=n -c user.email=a@b.c commit -qm m && "
      "git sparse-checkout init --cone --sparse-index && git sparse-checkout set b && "
      "tree=$(git rev-parse HEAD:a) && rm -f .git/objects/$(echo $tree | cut -c1-2)/$(echo $tree | cut -c3-) "
      "&& "
      "git config remote.origin.url ssh://nowhere.invalid/x && git config remote.origin.promisor true && "
      "git config extensions.partialClone origin && git config core.repositoryFormatVersion 1 && "
      "git config core.sshCommand '" +
      t.path("hook") + "'";
  REQUIRE(std::system(script.c_str()) == 0);
  (void)git_files(t.path(""));
  CHECK_FALSE(std::filesystem::exists(t.path("ran")));
  const std::string commit = "cd '" + t.path("") +
                             "' && head=$(git rev-parse HEAD) && rm -f .git/objects/$(echo $head | cut "
                             "-c1-2)/$(echo $head | cut -c3-)";
  REQUIRE(std::system(commit.c_str()) == 0);
  CHECK(git_variables(t.path("")).empty());
  CHECK_FALSE(std::filesystem::exists(t.path("ran")));
}
