#include "project/git_head.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <map>

#include "unit/project/temp_tree.hpp"

using namespace vsim::project;

TEST_CASE("what VERCEL_GIT_* say of the commit that is checked out; nothing where there is none") {
  TempTree t;
  t.write("web/a.ts", "");
  CHECK(git_variables(t.path("web")).empty());
  const std::string git = "cd '" + t.path("") + "' && git -c user.name='Ada L' -c user.email=a@b.c ";
  REQUIRE(std::system((git + "init -q -b 'feature/x' .").c_str()) == 0);
  CHECK(git_variables(t.path("web")).empty());
  REQUIRE(std::system((git + "add . && " + git + "commit -q -m 'It'\\''s \"done\"' && " + git +
                       "remote add origin git@github.com:acme/web.app.git")
                          .c_str()) == 0);
  const auto list = git_variables(t.path("web"));
  const std::map<std::string, std::string> said(list.begin(), list.end());
  REQUIRE(said.size() == 7);
  CHECK(said.at("VERCEL_GIT_COMMIT_SHA").size() == 40);
  CHECK(said.at("VERCEL_GIT_COMMIT_AUTHOR_NAME") == "Ada L");
  CHECK(said.at("VERCEL_GIT_COMMIT_MESSAGE") == "It's \"done\"");
  CHECK(said.at("VERCEL_GIT_COMMIT_REF") == "feature/x");
  CHECK(said.at("VERCEL_GIT_PROVIDER") == "github");
  CHECK(said.at("VERCEL_GIT_REPO_OWNER") == "acme");
  CHECK(said.at("VERCEL_GIT_REPO_SLUG") == "web.app");
}

TEST_CASE("a remote's owner and name, by ssh and by https, on whatever host") {
  const auto words = [](std::string_view url) {
    const Remote r = remote_of(url);
    return r.provider + "|" + r.owner + "|" + r.slug;
  };
  CHECK(words("https://gitlab.com/group/sub/web/") == "gitlab|sub|web");
  CHECK(words("ssh://git@git.example.com:22/acme/web.git") == "|acme|web");
  CHECK(words("../web") == "||web");
  CHECK(words("") == "||");
}
