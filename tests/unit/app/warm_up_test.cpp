#include "app/warm_up.hpp"

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <optional>

using namespace vsim;
using namespace vsim::app;
using namespace std::chrono_literals;
using Lines = std::vector<std::string>;
using Status = agent::Precompiled::Status;

namespace {

// A warm-up whose agent is the test.
struct World {
  boost::asio::io_context io;
  Lines sent, said;
  bool connected = true;
  int done = 0;
  std::optional<WarmUp> warm;

  explicit World(std::vector<WarmRoute> routes, Duration most = 60s) {
    warm.emplace(io, std::move(routes), most,
                 WarmUp::Callbacks{[this](std::string line) {
                                     sent.push_back(std::move(line));
                                     return connected;
                                   },
                                   [this](event::Level level, const std::string& message, const std::string&,
                                          const std::string& file) {
                                     said.push_back(std::string(level == event::Level::error     ? "error "
                                                                : level == event::Level::warning ? "warning "
                                                                                                 : "info ") +
                                                    (file.empty() ? "" : file + ": ") + message);
                                   },
                                   [this] { ++done; }});
  }

  void answer(std::string_view page, std::string_view kind, Status status = Status::ok,
              std::string_view error = {}) {
    warm->take({page, kind, 12, status, error});
  }
};

WarmRoute api(const std::string& name) {
  return {"/api/" + name + "/route", "APP_ROUTE", "/api/" + name, "app/api/" + name + "/route.ts"};
}

}  // namespace

TEST_CASE("warm-up: every function of the table, middleware first, by the names that Next has") {
  std::vector<routes::Function> functions;
  functions.push_back(
      {.route = "/about", .kind = routes::Kind::pages, .file = "pages/about.tsx", .page = "/about"});
  functions.push_back({.route = "/users/[id]",
                       .kind = routes::Kind::app_page,
                       .file = "app/(in)/users/[id]/page.tsx",
                       .page = "/(in)/users/[id]/page"});
  functions.push_back({.kind = routes::Kind::middleware, .file = "proxy.ts", .page = "/proxy"});
  functions.push_back(
      {.route = "/api/old", .kind = routes::Kind::pages_api, .file = "pages/api/old.ts", .page = "/api/old"});
  const auto routes = warm_routes(routes::RouteTable(std::move(functions), ""));
  REQUIRE(routes.size() == 4);
  CHECK(routes[0].kind == "MIDDLEWARE");
  Lines rest;
  for (std::size_t i = 1; i < routes.size(); ++i) rest.push_back(routes[i].kind + " " + routes[i].page);
  std::sort(rest.begin(), rest.end());
  CHECK(rest == Lines{"APP_PAGE /(in)/users/[id]/page", "PAGES /about", "PAGES_API /api/old"});
}

TEST_CASE("warm-up: two at a time, then done, once") {
  World w({api("a"), api("b"), api("c")});
  w.warm->start();
  CHECK(w.sent == Lines{agent::compile_line("/api/a/route", "APP_ROUTE"),
                        agent::compile_line("/api/b/route", "APP_ROUTE")});
  w.answer("/api/z/route", "APP_ROUTE");
  w.answer("/api/a/route", "PAGES_API");
  CHECK(w.sent.size() == 2);
  w.answer("/api/b/route", "APP_ROUTE");
  CHECK(w.sent.size() == 3);
  w.answer("/api/a/route", "APP_ROUTE");
  w.answer("/api/a/route", "APP_ROUTE");
  w.io.poll();
  CHECK(w.done == 0);
  w.answer("/api/c/route", "APP_ROUTE");
  w.io.run();
  CHECK(w.done == 1);
  REQUIRE(w.said.size() == 1);
  CHECK(w.said[0].starts_with("info warmed 3 routes in "));
}

TEST_CASE("warm-up: what does not compile is named with the bundler's first words, and the rest goes on") {
  World w({api("torn"), api("gone"), api("slots"), api("well")});
  w.warm->start();
  w.answer("/api/torn/route", "APP_ROUTE", Status::failed,
           "./app/api/torn/route.ts:1:31\n\n  Error: Expected ','\n> 1 | export\n");
  w.answer("/api/gone/route", "APP_ROUTE", Status::missing);
  w.answer("/api/slots/route", "APP_ROUTE", Status::left, "for a reason");
  w.answer("/api/well/route", "APP_ROUTE");
  w.io.run();
  CHECK(w.done == 1);
  REQUIRE(w.said.size() == 4);
  CHECK(w.said[0] ==
        "error app/api/torn/route.ts: /api/torn does not compile: ./app/api/torn/route.ts:1:31: Error: "
        "Expected ','");
  CHECK(w.said[1] == "info app/api/gone/route.ts: /api/gone is not warm: next dev has no such page");
  CHECK(w.said[2] == "info app/api/slots/route.ts: /api/slots is not warm: for a reason");
  CHECK(w.said[3].starts_with("info warmed 1 route in "));
}

TEST_CASE("warm-up: files that Next names in its own ways may be missing without a word") {
  World w({{"/sitemap.xml/route", "APP_ROUTE", "/sitemap.xml", "app/sitemap.ts", true}});
  w.warm->start();
  w.answer("/sitemap.xml/route", "APP_ROUTE", Status::missing);
  w.io.run();
  CHECK(w.said.size() == 1);
}

TEST_CASE("warm-up: an agent that does not answer does not hold the command for ever") {
  World w({api("a"), api("b"), api("c")}, 1ms);
  w.warm->start();
  w.io.run();
  CHECK(w.done == 1);
  REQUIRE(w.said.size() == 2);
  CHECK(w.said[0].starts_with("warning 3 routes did not get warm within 1ms"));
  w.answer("/api/a/route", "APP_ROUTE");
  CHECK(w.said.size() == 2);
}

TEST_CASE("warm-up: a project without routes is warm, and told so from the event loop") {
  World w({});
  w.warm->start();
  CHECK(w.done == 0);
  w.io.run();
  CHECK(w.done == 1);
}

TEST_CASE("warm-up: an app that dies with its last answer takes the end that was posted along") {
  World w({api("a")});
  w.warm->start();
  w.answer("/api/a/route", "APP_ROUTE");
  w.warm.reset();
  w.io.run();
  CHECK(w.done == 0);
}
