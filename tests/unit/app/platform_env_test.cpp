#include "app/platform_env.hpp"

#include <catch2/catch.hpp>

using namespace vsim;
using namespace vsim::app;

namespace {

profile::Profile profile_in(const char* region, const char* omit = "nothing") {
  profile::Profile p;
  p.region.value = region;
  p.environment_omit.value = omit;
  return p;
}

std::string value(const process::Environment& env, std::string_view name) {
  const auto found = process::get_env(env, name);
  return found ? std::string(*found) : "(not set)";
}

}  // namespace

TEST_CASE("Platform's environment: what Vercel sets, and never what would mislead or harm") {
  const auto env = instance_environment({"PATH=/bin", "HOME=/root"},
                                        platform_variables(profile_in("fra1"), "localhost:3000"));
  CHECK(value(env, "VERCEL") == "1");
  CHECK(value(env, "VERCEL_REGION") == "fra1");
  CHECK(value(env, "VERCEL_URL") == "localhost:3000");
  CHECK(value(env, "TZ") == "UTC");
  CHECK(value(env, "LANG") == "en_US.UTF-8");
  CHECK(value(env, "VERCEL_GIT_COMMIT_SHA") == "(not set)");
  CHECK(value(env, "PATH") == "/bin");
  for (const char* name : {"NODE_ENV", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
                           "LAMBDA_TASK_ROOT", "CI"})
    CHECK(value(env, name) == "(not set)");
}

TEST_CASE("Platform's environment: the user's own value wins, an empty one too, but for time and language") {
  const auto env =
      instance_environment({"VERCEL_ENV=production", "VERCEL_REGION=", "TZ=Asia/Tokyo", "LC_ALL=C"},
                           platform_variables(profile_in("iad1"), "localhost:3000"));
  CHECK(value(env, "VERCEL_ENV") == "production");
  CHECK(value(env, "VERCEL_REGION").empty());
  CHECK(value(env, "TZ") == "UTC");
  CHECK(value(env, "LC_ALL") == "(not set)");
  CHECK(value(env, "VSIM_HELD") == "TZ,LANG");
}

TEST_CASE("Platform's environment: strict, nothing of the shell but what this machine needs") {
  const auto variables = platform_variables(profile_in("iad1"), "localhost:3000");
  const process::Environment shell = {"PATH=/bin", "NODE_OPTIONS=--inspect --no-warnings", "SECRET=1",
                                      "VERCEL_URL=mine.example", "FONTCONFIG_PATH=/mine"};
  const auto env =
      instance_environment(shell, variables, {true, {"/app/.env.pulled", "/app/.env"}, "/run/x"});
  CHECK(value(env, "PATH") == "/bin");
  CHECK(value(env, "NODE_OPTIONS") == "--no-warnings");
  CHECK(value(env, "SECRET") == "(not set)");
  CHECK(value(env, "VERCEL_URL") == "localhost:3000");
  CHECK(value(env, "VSIM_ENV") == "strict\n/app/.env.pulled\n/app/.env");
  CHECK(value(env, "FONTCONFIG_PATH") == "/run/x");
  CHECK(value(instance_environment(shell, variables, {false, {}, "/run/x"}), "FONTCONFIG_PATH") == "/mine");
  CHECK(value(instance_environment(shell, variables), "VSIM_ENV") == "(not set)");
}

TEST_CASE("Platform's environment: single variables can be left out") {
  const auto env =
      instance_environment({}, platform_variables(profile_in("iad1", "VERCEL_URL,TZ"), "localhost:3000"));
  CHECK(value(env, "VERCEL_URL") == "(not set)");
  CHECK(value(env, "TZ") == "(not set)");
  CHECK(value(env, "VERCEL_BRANCH_URL") == "localhost:3000");
}

TEST_CASE("Platform's environment: what is known of the commit, unless it is left out or the user's own") {
  const auto env =
      instance_environment({"VERCEL_GIT_COMMIT_REF=mine", "LANG=de_DE.UTF-8"},
                           platform_variables(profile_in("iad1", "VERCEL_GIT_PROVIDER"), "localhost:3000",
                                              {{"VERCEL_GIT_COMMIT_SHA", "abc"},
                                               {"VERCEL_GIT_COMMIT_REF", "main"},
                                               {"VERCEL_GIT_PROVIDER", "github"}}));
  CHECK(value(env, "VERCEL_GIT_COMMIT_SHA") == "abc");
  CHECK(value(env, "VERCEL_GIT_COMMIT_REF") == "mine");
  CHECK(value(env, "VERCEL_GIT_PROVIDER") == "(not set)");
  CHECK(value(env, "LANG") == "en_US.UTF-8");
}

TEST_CASE("Platform's environment: a debugger's port is next dev's, the other words of NODE_OPTIONS stay") {
  CHECK(without_inspector("--inspect").empty());
  CHECK(without_inspector("--inspect=9230 --max-old-space-size=512") == "--max-old-space-size=512");
  CHECK(without_inspector(
            "  --inspect-brk   --require=\"/a b/--inspect.cjs\" --inspect-port 9230 --no-warnings") ==
        "--require=\"/a b/--inspect.cjs\" --no-warnings");
  CHECK(without_inspector("--inspect-port --trace-warnings") == "--trace-warnings");
  CHECK(without_inspector(R"(--require "a\" --inspect b.cjs" --inspect-publish-uid=http)") ==
        R"(--require "a\" --inspect b.cjs")");
  const auto env = instance_environment({"NODE_OPTIONS=--inspect"}, {});
  CHECK(value(env, "NODE_OPTIONS") == "(not set)");
}
