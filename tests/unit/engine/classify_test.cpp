#include "engine/classify.hpp"

#include <catch2/catch.hpp>

#include "unit/engine/sim_world.hpp"

using namespace vsim::test;
using vsim::engine::is_dev_internal;

TEST_CASE("the dev server's own paths, wherever basePath and assetPrefix put them") {
  for (const char* path :
       {"/_next/static/chunks/main.js", "/_next/image", "/_next/mcp", "/_next/hmr", "/_next/webpack-hmr",
        "/docs/_next/hmr", "/docs/_next/webpack-hmr", "/cdn/v2/_next/static/x.css",
        "/__nextjs_original-stack-frames", "/__nextjs_source-map", "/docs/__nextjs_restart_dev", "/__nextjs",
        "/.well-known/appspecific/com.chrome.devtools.json", "/a_b/_next/x", "/_nextfoo/_next/static/x.js"}) {
    INFO(path);
    CHECK(is_dev_internal(path));
  }
}

TEST_CASE("paths that look like it and are the app's") {
  for (const char* path :
       {"/", "/api/hello", "/_next", "/_nextfoo/x", "/x_next/static", "/_next/data/dev/index.json",
        "/docs/_next/data/b/a.json", "/a__nextjs", "/_", "/__", "", "_next/static",
        "/.well-known/appspecific/com.chrome.devtools.json2", "/_next/../api/counter",
        "/_next/static/%2E%2e/api/x", "/_next/./x", "/.well-known/acme", "/_vercel/insights"}) {
    INFO(path);
    CHECK_FALSE(is_dev_internal(path));
  }
}

TEST_CASE("dev-internal requests pass untouched: no limit, no deadline, no start, one quiet end") {
  for (const bool agent : {false, true}) {
    vsim::engine::EngineOptions o;
    o.agent = agent;
    SimWorld w(make_profile(), o);
    const std::string target = "/_next/static/" + std::string(20'000, 'x');
    RequestInfo r;
    r.target = target;
    r.largest_header = 1'000'000;
    r.headers_total = 1'000'000;
    r.header_not_utf8 = true;
    r.content_length = 100'000'000;
    const Admission a = w.admit(r);
    CHECK(a.action == Action::passthrough);
    CHECK(a.body_limit == vsim::kUnlimited);
    CHECK(a.tag.size > 0);
    CHECK(w.head(a.id, 200) == Code::none);
    CHECK_FALSE(w.next().has_value());
    CHECK(w.advance(1h).empty());
    w.ended(a.id, {1, 2});
    CHECK(w.recorder.started.empty());
    CHECK(w.last().traffic == Traffic::internal);
    CHECK(w.last().bytes_out == 2);
    CHECK(w.last().charged == 0s);
  }
}

TEST_CASE("the HMR socket always passes, on every profile and whatever is done with other sockets") {
  for (const auto compute : {Compute::serverless, Compute::fluid}) {
    for (const auto refusal : {vsim::profile::WebSocketRefusal::reject, vsim::profile::WebSocketRefusal::drop,
                               vsim::profile::WebSocketRefusal::deliver_as_get}) {
      auto p = make_profile(Plan::hobby, compute);
      p.websocket_refusal.value = refusal;
      SimWorld w(p);
      for (const char* path :
           {"/_next/webpack-hmr", "/_next/hmr?id=x", "/docs/_next/webpack-hmr", "/cdn/assets/_next/hmr"}) {
        const Admission a = w.upgrade(path);
        CHECK(a.action == Action::passthrough);
        CHECK(w.head(a.id, 101) == Code::none);
        CHECK(w.advance(2h).empty());
        CHECK_FALSE(w.client_left(a.id));
        w.ended(a.id);
        CHECK(w.last().traffic == Traffic::internal);
      }
      CHECK(w.recorder.sockets.empty());
    }
  }
}

TEST_CASE("/_next/data/ is a function call") {
  SimWorld w;
  w.routes({SimWorld::function("/blog/[slug]", vsim::routes::Kind::pages, "pages/blog/[slug].tsx",
                               "/blog/[slug]")});
  const Admission a = w.admit("/_next/data/dev/blog/x.json");
  CHECK(a.action == Action::forward);
  CHECK(w.next() == 10s);
  CHECK(w.advance(10s).size() == 1);
  CHECK(w.last().route == "/blog/[slug]");
}
