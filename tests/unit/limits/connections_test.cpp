#include "limits/connections.hpp"

#include <catch2/catch.hpp>

#include "unit/limits/profiles.hpp"

using namespace vsim;
using namespace vsim::limits;
using namespace vsim::test;

TEST_CASE("connections: each instance counts with what it told last, until it is gone") {
  connections::ConnectionLedger ledger;
  ledger.note("i1", {"db:5432", 3, "", ""});
  ledger.note("i2", {"db:5432", 1, "", ""});
  ledger.note("i2", {"redis:6379", 1, "", ""});
  CHECK(connections::words(ledger.sum("db:5432"), "db:5432") == "2 instances hold 4 connections to db:5432");
  CHECK(connections::words(ledger.sum("redis:6379"), "redis:6379") ==
        "1 instance holds 1 connection to redis:6379");
  ledger.note("i1", {"db:5432", 2, "", ""});
  CHECK(ledger.sum("db:5432").connections == 3);
  ledger.note("i1", {"db:5432", 0, "", ""});
  CHECK(ledger.sum("db:5432").instances == 1);
  ledger.gone("i2");
  CHECK(ledger.sum("db:5432").instances == 0);
  CHECK(ledger.sum("redis:6379").connections == 0);
}

TEST_CASE(
    "connections: what is refused is told with how many there are, at the app's line or the function's "
    "file") {
  const auto p = make_profile();
  const auto told = [&](std::string at) {
    return connections::refused(p, {5, 20}, {"db:5432", 4, std::move(at), "53300 too many clients already"},
                                "/a", "app/a/route.ts");
  };
  const Verdict v = told("lib/db.ts:3:9");
  CHECK(v.code == Code::sim_connections_refused);
  CHECK(v.enforced);
  CHECK(v.measured == "5 instances hold 20 connections to db:5432");
  CHECK(v.limit == "db:5432 takes no more: 53300 too many clients already");
  CHECK(v.file == "lib/db.ts:3:9");
  CHECK(told("").file == "app/a/route.ts");
}
