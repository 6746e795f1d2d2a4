// The six profiles against docs/profiles.md and Vercel's documentation, value by value: a changed number
// fails here on purpose.
#include <algorithm>
#include <catch2/catch.hpp>

#include "profile/loader.hpp"
#include "profile/schema.hpp"
#include "unit/profile/files.hpp"

namespace vsim::profile {
namespace {

struct Row {
  const char* key;
  const char* values[6];  // in the order of kBuiltinProfiles
};

const Row kTable[] = {
    {"plan", {"hobby", "pro", "enterprise", "hobby", "pro", "enterprise"}},
    {"compute", {"serverless", "serverless", "serverless", "fluid", "fluid", "fluid"}},
    {"duration.default", {"10s", "60s", "15s", "300s", "300s", "300s"}},
    {"duration.max", {"60s", "300s", "900s", "300s", "800s", "800s"}},
    {"duration.extended_max", {"60s", "300s", "900s", "300s", "1800s", "1800s"}},
    {"duration.stream_cut", {"abrupt", "abrupt", "abrupt", "abrupt", "abrupt", "abrupt"}},
    {"edge.first_byte", {"25s", "25s", "25s", "25s", "25s", "25s"}},
    {"edge.duration_max", {"300s", "300s", "300s", "300s", "300s", "300s"}},
    {"isolation", {"invocation", "invocation", "invocation", "fluid", "fluid", "fluid"}},
    {"placement", {"pack", "pack", "pack", "spread:2", "spread:2", "spread:2"}},
    {"websocket.policy", {"reject", "reject", "reject", "tunnel", "tunnel", "tunnel"}},
    {"websocket.refusal", {"reject", "reject", "reject", "reject", "reject", "reject"}},
    {"websocket.refusal_status", {"400", "400", "400", "400", "400", "400"}},
    {"websocket.close_code", {"1006", "1006", "1006", "1006", "1006", "1006"}},
    {"request.url_max", {"14KiB", "14KiB", "14KiB", "14KiB", "14KiB", "14KiB"}},
    {"request.header_max", {"16KiB", "16KiB", "16KiB", "16KiB", "16KiB", "16KiB"}},
    {"request.headers_max", {"32KiB", "32KiB", "32KiB", "32KiB", "32KiB", "32KiB"}},
    {"request.body_max", {"4493823B", "4493823B", "4493823B", "4493823B", "4493823B", "4493823B"}},
    {"request.body_mode", {"enforce", "enforce", "enforce", "enforce", "enforce", "enforce"}},
    {"response.body_max", {"4.5MB", "4.5MB", "4.5MB", "4.5MB", "4.5MB", "4.5MB"}},
    {"response.body_mode", {"enforce", "enforce", "enforce", "enforce", "enforce", "enforce"}},
    {"memory.max", {"1GiB", "1GiB", "1GiB", "2GiB", "2GiB", "2GiB"}},
    {"memory.mode", {"observe", "observe", "observe", "observe", "observe", "observe"}},
    {"memory.budget", {"auto", "auto", "auto", "auto", "auto", "auto"}},
    {"network.self", {"enforce", "enforce", "enforce", "enforce", "enforce", "enforce"}},
    {"network.loopback", {"warn", "warn", "warn", "warn", "warn", "warn"}},
    {"network.ipv6", {"warn", "warn", "warn", "warn", "warn", "warn"}},
    {"network.smtp", {"warn", "warn", "warn", "warn", "warn", "warn"}},
    {"network.protection", {"off", "off", "off", "off", "off", "off"}},
    {"disk.writes", {"enforce", "enforce", "enforce", "enforce", "enforce", "enforce"}},
    {"disk.tmp", {"enforce", "enforce", "enforce", "enforce", "enforce", "enforce"}},
    {"disk.tmp_max", {"500MB", "500MB", "500MB", "500MB", "500MB", "500MB"}},
    {"disk.reads", {"warn", "warn", "warn", "warn", "warn", "warn"}},
    {"programs.absent", {"warn", "warn", "warn", "warn", "warn", "warn"}},
    {"static.changes", {"warn", "warn", "warn", "warn", "warn", "warn"}},
    {"static.frozen", {"off", "off", "off", "off", "off", "off"}},
    {"descriptors.max", {"1024", "1024", "1024", "1024", "1024", "1024"}},
    {"descriptors.mode", {"enforce", "enforce", "enforce", "enforce", "enforce", "enforce"}},
    {"cpu.count", {"1", "1", "1", "1", "1", "1"}},
    {"bundle.max", {"250MB", "250MB", "250MB", "250MB", "250MB", "250MB"}},
    {"spares.bound", {"on", "on", "on", "on", "on", "on"}},
    {"instances.fork", {"on", "on", "on", "on", "on", "on"}},
    {"middleware.instances", {"nodejs", "nodejs", "nodejs", "nodejs", "nodejs", "nodejs"}},
    {"environment.omit", {"nothing", "nothing", "nothing", "nothing", "nothing", "nothing"}},
    {"environment.strict", {"off", "off", "off", "off", "off", "off"}},
    {"environment.max", {"64KiB", "64KiB", "64KiB", "64KiB", "64KiB", "64KiB"}},
    {"environment.fonts", {"off", "off", "off", "off", "off", "off"}},
    {"region", {"iad1", "iad1", "iad1", "iad1", "iad1", "iad1"}},
};

TEST_CASE("Shipped profiles: every value is the documented one") {
  for (std::size_t i = 0; i < 6; ++i) {
    const LoadResult r = test::load(kBuiltinProfiles[i]);
    INFO(to_string(r.diagnostics));
    REQUIRE(r.profile.has_value());
    for (const Row& row : kTable) {
      const Key* key = find_key(row.key);
      REQUIRE(key != nullptr);
      INFO(kBuiltinProfiles[i] << " " << row.key);
      CHECK(value_text(*r.profile, *key) == row.values[i]);
    }
  }
}

TEST_CASE("Shipped profiles: what stands in no row above is no limit in any of them") {
  for (const std::string_view name : kBuiltinProfiles) {
    const Profile p = test::must_load(name);
    for (const Key& key : keys()) {
      const bool listed = std::any_of(std::begin(kTable), std::end(kTable),
                                      [&](const Row& row) { return key.name == row.key; });
      INFO(name << " " << key.name);
      if (!listed) CHECK(value_text(p, key) == "none");
    }
  }
}

TEST_CASE("Shipped profiles: every value has a source, a date and a confidence, and says where it stands") {
  for (const std::string_view name : kBuiltinProfiles) {
    const Profile p = test::must_load(name);
    CHECK(p.name == name);
    CHECK_FALSE(p.title.empty());
    CHECK(p.as_of == "2026-09-20");
    for (const Key& key : keys()) {
      const Provenance& from = provenance_of(p, key);
      INFO(name << " " << key.name);
      CHECK(from.source.starts_with("https://"));
      CHECK(from.as_of.size() == 10);
      CHECK_FALSE(from.confidence.empty());
      CHECK(is_builtin(from.profile));
      CHECK(from.file == "profiles/" + from.profile + ".yaml");
      CHECK(from.line > 0);
    }
  }
}

TEST_CASE("Shipped profiles: what is our own choice says so") {
  const Profile pro = test::must_load("pro");
  CHECK(pro.duration_default.from.confidence == "CHOICE");
  CHECK(pro.duration_default.from.note.find("--set duration.default=15s") != std::string::npos);
  const Profile hobby = test::must_load("hobby");
  CHECK(hobby.websocket_refusal_status.from.confidence == "CHOICE");
  CHECK(hobby.request_body_max.from.confidence == "OBS");
  CHECK(hobby.request_body_max.value == 4493823);
}

}  // namespace
}  // namespace vsim::profile
