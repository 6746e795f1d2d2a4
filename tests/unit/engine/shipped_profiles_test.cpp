// The six profiles as they ship, through the loader, against docs/profiles.md.
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "profile/loader.hpp"
#include "unit/engine/sim_world.hpp"

using namespace vsim;
using namespace vsim::test;
using routes::Kind;

namespace {

profile::Profile shipped(std::string_view name) {
  const auto read = [](std::string_view file) -> std::optional<std::string> {
    std::ifstream in(std::string(VSIM_SOURCE_DIR) + "/profiles/" + std::string(file) + ".yaml");
    if (!in) return std::nullopt;
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  };
  auto loaded = profile::load_profile(name, {}, read);
  REQUIRE(loaded.profile.has_value());
  return std::move(*loaded.profile);
}

}  // namespace

TEST_CASE(
    "each shipped profile cuts at its default, caps at its maximum, and treats WebSockets as its compute "
    "model does") {
  const struct {
    const char* name;
    Duration usual, most;  // most: what maxDuration may ask for, the beta included
    bool sockets;
  } rows[] = {{"hobby", 10s, 60s, false},       {"pro", 60s, 300s, false},
              {"enterprise", 15s, 900s, false}, {"hobby-fluid", 300s, 300s, true},
              {"pro-fluid", 300s, 1800s, true}, {"enterprise-fluid", 300s, 1800s, true}};
  for (const auto& row : rows) {
    INFO(row.name);
    SimWorld w(shipped(row.name));
    w.routes({SimWorld::limited(SimWorld::function("/most", Kind::app_route, "app/most/route.ts"), 3600s)});
    w.admit("/x");
    CHECK(w.advance(row.usual - 1ns).empty());
    REQUIRE(w.advance(1ns).size() == 1);
    const Ended first = w.last();
    REQUIRE(first.verdicts.size() == 1);
    REQUIRE(first.verdicts[0].provenance != nullptr);
    CHECK(first.verdicts[0].provenance->source.starts_with("https://"));
    CHECK_FALSE(first.verdicts[0].provenance->as_of.empty());

    w.admit("/most");
    CHECK(w.next() == row.most);
    w.advance(row.most);
    CHECK(w.last().verdicts.at(0).limit_key == "duration.max");
    CHECK(w.last().verdicts.at(0).provenance != nullptr);

    const Admission socket = w.upgrade("/ws");
    CHECK(socket.action == (row.sockets ? Action::tunnel : Action::refuse));
    if (!row.sockets) CHECK(socket.error_status == 400);
    if (row.sockets) {
      w.head(socket.id, 101);
      CHECK(w.next() == row.usual);
    }
  }
}

TEST_CASE("a shipped profile admits an ordinary request") {
  SimWorld w(shipped("hobby"));
  RequestInfo r;
  r.target = "/api/upload?name=x";
  r.method = "POST";
  r.largest_header = 900;
  r.headers_total = 3000;
  r.content_length = 1'000'000;
  const Admission a = w.admit(r);
  CHECK(a.action == Action::forward);
  w.head(a.id);
  w.ended(a.id);
  CHECK(w.last().verdicts.empty());
}
