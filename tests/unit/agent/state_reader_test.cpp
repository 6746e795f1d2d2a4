#include "agent/state_reader.hpp"

#include <fmt/format.h>
#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>

using vsim::StateReport;
using vsim::agent::StateReader;

namespace {

StateReport read(StateReader& reader, const std::string& seen) {
  return reader.read(
      boost::json::parse(R"({"t":"state","method":"GET","seen":[)" + seen + "]}").get_object());
}

using Keys = std::vector<std::string>;

}  // namespace

TEST_CASE("State reader: a variable is told in full once, then what is no longer so") {
  StateReader reader;
  const StateReport first = read(
      reader,
      R"({"variable":3,"name":"rooms","at":"lib/rooms.ts:1:7","kind":"map","before":2,"had":["a","b"]})");
  REQUIRE(first.seen.size() == 1);
  CHECK(first.seen[0].had == Keys{"a", "b"});

  const StateReport same =
      read(reader, R"({"variable":3,"kind":"map","before":2,"changed":true,"wrote":["c"]})");
  REQUIRE(same.seen.size() == 1);
  CHECK(same.seen[0].name == "rooms");
  CHECK(same.seen[0].at == "lib/rooms.ts:1:7");
  CHECK(same.seen[0].had == Keys{"a", "b"});
  CHECK(same.seen[0].wrote == Keys{"c"});

  CHECK(read(reader, R"({"variable":3,"kind":"map","gone":["a"],"come":["c","d"]})").seen[0].had ==
        Keys{"b", "c", "d"});
  CHECK(read(reader, R"({"variable":3,"kind":"map"})").seen[0].had == Keys{"b", "c", "d"});
  CHECK(read(reader, R"({"variable":3,"name":"rooms","at":"","kind":"map","had":[]})").seen[0].had.empty());
}

TEST_CASE("State reader: what was never told in full is nobody's; other connections know nothing of it") {
  StateReader one, other;
  (void)read(one, R"({"variable":1,"name":"hits","had":["a"]})");
  CHECK(read(other, R"({"variable":1,"gone":["a"]})").seen.empty());
  CHECK(read(one, R"({"variable":2})").seen.empty());
  CHECK(read(one, R"({"gone":["a"]})").seen[0].had.empty());
}

TEST_CASE("State reader: it keeps no more than its bounds") {
  StateReader reader;
  const auto beyond = StateReader::kMostVariables + 1;
  CHECK(read(reader, fmt::format(R"({{"variable":{},"name":"x","had":["a"]}})", beyond)).seen[0].had ==
        Keys{"a"});
  CHECK(read(reader, fmt::format(R"({{"variable":{}}})", beyond)).seen[0].had.empty());

  std::string come;
  for (int i = 0; i < 600; ++i) come += fmt::format("{}\"{}\"", i == 0 ? "" : ",", i);
  (void)read(reader, R"({"variable":1,"name":"x","had":[]})");
  for (int i = 0; i < 3; ++i) (void)read(reader, R"({"variable":1,"come":[)" + come + "]}");
  CHECK(read(reader, R"({"variable":1})").seen[0].had.size() == 1024);
}
