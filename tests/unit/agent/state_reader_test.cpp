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

TEST_CASE("State reader: a number alone is a variable that is as it was told last, all the time") {
  StateReader reader;
  (void)read(
      reader,
      R"({"variable":3,"name":"rooms","at":"a.ts:1:7","kind":"map","before":2,"after":2,"unread":true,"had":["a","b"]})");
  const StateReport same = read(reader, "3");
  REQUIRE(same.seen.size() == 1);
  CHECK(same.seen[0].name == "rooms");
  CHECK(same.seen[0].at == "a.ts:1:7");
  CHECK(same.seen[0].kind == "map");
  CHECK(same.seen[0].before == 2);
  CHECK(same.seen[0].after == 2);
  CHECK(same.seen[0].unread);
  CHECK_FALSE(same.seen[0].changed);
  CHECK(same.seen[0].had == Keys{"a", "b"});
  (void)read(reader, R"({"variable":3,"kind":"set","before":3,"after":3,"come":["c"]})");
  const StateReport later = read(reader, "3");
  CHECK(later.seen[0].kind == "set");
  CHECK(later.seen[0].before == 3);
  CHECK_FALSE(later.seen[0].unread);
  CHECK(later.seen[0].had == Keys{"a", "b", "c"});
  for (const char* nobody : {"4", "0", "-3", "3.5", "\"3\"", "null", "[3]"}) {
    INFO(nobody);
    CHECK(read(reader, nobody).seen.empty());
  }
}

TEST_CASE(
    "State reader: a copy begins with what its template has told, and shares nothing with other copies") {
  StateReader of_template;
  CHECK(of_template.for_copies() == nullptr);
  (void)read(of_template, R"({"variable":9,"name":"x","had":["a"]})");
  CHECK(of_template.for_copies() == nullptr);  // no such
  of_template.take(boost::json::parse(R"({"t":"variables","told":[
      {"variable":1,"name":"rooms","at":"a.ts:1:7","kind":"map","before":1,"after":1,"had":["a"]},
      {"variable":2,"name":"hits","kind":"number","before":1,"after":1,"unread":true,"had":["0"]},
      {"variable":3,"name":"nothing"}, {"variable":0,"name":"nobody","had":["z"]}, 7, null]})")
                       .get_object());
  StateReader one(of_template.for_copies()), other(of_template.for_copies());

  const StateReport told = read(one, R"(1,2,3,{"variable":4,"kind":"map"})");
  REQUIRE(told.seen.size() == 2);
  CHECK(told.seen[0].name == "rooms");
  CHECK(told.seen[0].had == Keys{"a"});
  CHECK(told.seen[0].before == 1);
  CHECK(told.seen[1].name == "hits");
  CHECK(told.seen[1].unread);

  CHECK(read(one, R"({"variable":1,"kind":"map","before":2,"come":["b"]})").seen[0].had == Keys{"a", "b"});
  CHECK(read(one, "1").seen[0].had == Keys{"a", "b"});
  CHECK(read(other, "1").seen[0].had == Keys{"a"});
  CHECK(read(other, R"({"variable":2,"name":"other","had":["q"]})").seen[0].name == "other");
  CHECK(read(one, "2").seen[0].name == "hits");
  CHECK(one.for_copies() == nullptr);
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
