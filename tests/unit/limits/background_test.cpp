#include "limits/background.hpp"

#include <catch2/catch.hpp>
#include <vector>

#include "unit/limits/profiles.hpp"

using namespace vsim;
using namespace vsim::limits;
using namespace vsim::test;

TEST_CASE("background: what hangs is listed with its delay and place, the first three and how many more") {
  const std::vector<Hanging> all = {{"timeout", "app/a/route.ts:1:2", 250ms},
                                    {"socket", "", 0s},
                                    {"", "lib/x.ts:9:1", 0s},
                                    {"server", "", 0s}};
  CHECK(background::list({}) == "");
  CHECK(background::list(std::span(all).first(1)) == "timeout of 250ms at app/a/route.ts:1:2");
  CHECK(background::list(std::span(all).first(3)) ==
        "timeout of 250ms at app/a/route.ts:1:2, socket, something at lib/x.ts:9:1");
  CHECK(background::list(all) ==
        "timeout of 250ms at app/a/route.ts:1:2, socket, something at lib/x.ts:9:1, and 1 more");
  const std::vector<Hanging> of_packages = {
      {"timeout", "/home/a/node_modules/.pnpm/ws@8.1.0/node_modules/ws/lib/x.js:1:2", 250ms},
      {"fetch", "node_modules/@sentry/node-core/src/http.ts:130:32", 0s}};
  CHECK(background::list(of_packages) ==
        "timeout of 250ms by the package ws, fetch by the package @sentry/node-core");
}

TEST_CASE("background: the verdict points at the first line of the app's own, or at the function's file") {
  const auto p = make_profile();
  const auto file = [&](const std::vector<Hanging>& hanging) {
    return background::frozen(p, profile::Isolation::instance, true, hanging, "/a", "app/a/route.ts").file;
  };
  CHECK(file({{"socket", "node_modules/pg/x.js:1:1", 0s}, {"timeout", "app/a/route.ts:3:1", 0s}}) ==
        "app/a/route.ts:3:1");
  CHECK(file({{"socket", "node_modules/pg/x.js:1:1", 0s}}) == "app/a/route.ts");
  CHECK(file({{"socket", "", 0s}}) == "app/a/route.ts");
}

TEST_CASE("background: what packages alone have left may be lost, which is a warning and no violation") {
  const auto p = make_profile();
  const auto enforced = [&](const std::vector<Hanging>& hanging) {
    return background::frozen(p, profile::Isolation::invocation, true, hanging, "/a", "app/a/route.ts")
        .enforced;
  };
  const Hanging package{"HTTP request", "node_modules/@sentry/node-core/src/http.ts:130:32", 0s};
  CHECK_FALSE(enforced({package, package}));
  CHECK(enforced({package, {"HTTP request", "lib/track.ts:3:1", 0s}}));
  CHECK(enforced({{"Postgres query", "", 0s}}));
  CHECK(enforced({}));
}

TEST_CASE("background: of a query that a client sent in its own turn nobody says that the package began it") {
  const auto p = make_profile();
  const auto fix = [&](const std::vector<Hanging>& hanging) {
    return background::frozen(p, profile::Isolation::invocation, true, hanging, "/a", "app/a/route.ts").fix;
  };
  const Hanging query{"Postgres query", "node_modules/postgres/src/connection.js:255:22", 0s};
  const Hanging report{"fetch", "node_modules/posthog-node/lib/node/index.cjs:1:1", 0s};
  CHECK(fix({query}).find("package has begun this by itself") == std::string::npos);
  CHECK(fix({report, query}).find("package has begun this by itself") == std::string::npos);
  CHECK(fix({query}).find("`await`") != std::string::npos);
  CHECK(fix({report}).find("package has begun this by itself") != std::string::npos);
}

TEST_CASE("background: the verdict says what is true of the policy, and of an inspector") {
  const auto p = make_profile();
  const std::vector<Hanging> hanging = {{"interval", "app/a/route.ts:3:1", 1s}};
  const auto verdict = [&](profile::Isolation isolation, bool freezes) {
    return background::frozen(p, isolation, freezes, hanging, "/a", "app/a/route.ts");
  };
  CHECK(verdict(profile::Isolation::invocation, true).limit ==
        "the instance ends when the response and waitUntil work are done");
  CHECK(verdict(profile::Isolation::invocation, false).enforced);  // it ends with an inspector too
  CHECK(verdict(profile::Isolation::instance, true).limit ==
        "the instance is frozen when the response and waitUntil work are done");
  CHECK(verdict(profile::Isolation::instance, true).enforced);
  const Verdict watched = verdict(profile::Isolation::instance, false);
  CHECK(watched.limit.find("with --inspect-instance it runs on") != std::string::npos);
  CHECK_FALSE(watched.enforced);
  CHECK(verdict(profile::Isolation::fluid, true).limit ==
        "only the response and waitUntil work are sure to be done");
  CHECK_FALSE(verdict(profile::Isolation::fluid, true).enforced);
}

TEST_CASE(
    "background: what middleware leaves is a violation where it was stopped, and told at its own line") {
  const auto p = make_profile();
  const std::vector<Hanging> hanging = {{"timeout", "proxy.js:3:21", 400ms}};
  const Verdict stopped = background::frozen_middleware(p, true, hanging);
  CHECK(stopped.code == Code::sim_background_work_frozen);
  CHECK(stopped.enforced);
  CHECK(stopped.route == "middleware");
  CHECK(stopped.file == "proxy.js:3:21");
  CHECK(stopped.measured == "left timeout of 400ms at proxy.js:3:21");
  CHECK(stopped.fix.find("event.waitUntil") != std::string::npos);
  CHECK_FALSE(background::frozen_middleware(p, false, hanging).enforced);
}
