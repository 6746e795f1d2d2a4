#include "engine/door.hpp"

#include <catch2/catch.hpp>

using vsim::engine::Door;
using vsim::engine::is_allowable_host;
using vsim::engine::Visit;
using Answer = vsim::engine::Door::Answer;

namespace {

Answer plain(const Door& door, std::string_view host) {
  Visit visit;
  visit.authority = host;
  return door.ask(visit);
}

Answer socket(const Door& door, std::string_view origin, std::string_view host = "localhost:3000") {
  Visit visit;
  visit.authority = host;
  visit.origin = origin;
  visit.upgrade = true;
  return door.ask(visit);
}

}  // namespace

TEST_CASE("names and addresses of this machine are served, whatever the port") {
  for (const char* host : {"localhost", "localhost:3000", "LOCALHOST:3000", "localhost.:3000",
                           "app.localhost", "a.b.localhost:1", "127.0.0.1:3000", "127.8.9.1",
                           "192.168.1.20:3000", "10.0.0.1", "[::1]:3000", "[fe80::1]:80", ""}) {
    INFO(host);
    CHECK(plain(Door(), host) == Answer::enter);
  }
}

TEST_CASE("any other name may be an attacker's that points here (DNS rebinding)") {
  for (const char* host :
       {"evil.example", "evil.example:3000", "localhost.evil.example", "evillocalhost", "localhost.evil",
        "notlocalhost:3000", "127.0.0.1.evil.example", "1.2.3", "1.2.3.4.5", "256.1.1.1", "0x7f.1",
        "1.2.3.4a", "localhostx:3000", "evil.example://localhost", "evil.example/://127.0.0.1"}) {
    INFO(host);
    CHECK(plain(Door(), host) == Answer::host_not_allowed);
  }
}

TEST_CASE("allowed-hosts: a name, all below a name, everything") {
  const Door door("app.local,.Example.dev");
  CHECK(plain(door, "app.local:3000") == Answer::enter);
  CHECK(plain(door, "APP.LOCAL") == Answer::enter);
  CHECK(plain(door, "x.app.local") == Answer::host_not_allowed);
  CHECK(plain(door, "example.dev") == Answer::enter);
  CHECK(plain(door, "a.b.example.dev") == Answer::enter);
  CHECK(plain(door, "badexample.dev") == Answer::host_not_allowed);
  CHECK(plain(Door("*"), "evil.example") == Answer::enter);
  CHECK(socket(Door("*"), "https://evil.example") == Answer::enter);
}

TEST_CASE("WebSockets: no Origin, the host itself, this machine and what is allowed") {
  const Door door("app.local,admin.dev");
  for (const char* origin : {"", "http://localhost:3000", "http://localhost:5173", "https://app.localhost",
                             "http://127.0.0.1:3000", "http://[::1]:3000", "https://admin.dev"}) {
    INFO(origin);
    CHECK(socket(door, origin) == Answer::enter);
  }
  CHECK(socket(door, "http://192.168.1.20:3000", "192.168.1.20:3000") == Answer::enter);
  for (const char* origin :
       {"null", "https://evil.example", "http://localhost.evil.example", "http://203.0.113.5", "file://",
        "localhost:3000", "http://evil.example:3000/@localhost"}) {
    INFO(origin);
    CHECK(socket(door, origin) == Answer::origin_not_allowed);
  }
}

TEST_CASE("the dev server's own paths check Origin; the app's are the app's own business") {
  Visit visit;
  visit.authority = "localhost:3000";
  visit.origin = "https://evil.example";
  CHECK(Door().ask(visit) == Answer::enter);  // CORS is the app's
  visit.dev_internal = true;
  CHECK(Door().ask(visit) == Answer::origin_not_allowed);
}

TEST_CASE("a <script> of another site gets no chunk, a link from there opens a page") {
  Visit visit;
  visit.authority = "localhost:3000";
  visit.sec_fetch_site = "cross-site";
  visit.sec_fetch_mode = "no-cors";
  CHECK(Door().ask(visit) == Answer::enter);
  visit.dev_internal = true;
  CHECK(Door().ask(visit) == Answer::origin_not_allowed);
  visit.sec_fetch_mode = "navigate";
  CHECK(Door().ask(visit) == Answer::enter);
  visit.sec_fetch_site = "same-origin";
  visit.sec_fetch_mode = "no-cors";
  CHECK(Door().ask(visit) == Answer::enter);
}

TEST_CASE("what may stand in the list") {
  for (const char* name : {"a", "app.local", ".example.dev", "*", "my_host"}) CHECK(is_allowable_host(name));
  for (const char* name : {"", ".", "..a", "a.", "http://a", "a:3000", "a/b", "*.a", "a b", "[::1]"})
    CHECK_FALSE(is_allowable_host(name));
}
