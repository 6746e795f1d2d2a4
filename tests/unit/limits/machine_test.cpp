#include "limits/machine.hpp"

#include <catch2/catch.hpp>

#include "unit/limits/profiles.hpp"

using namespace vsim;
using namespace vsim::limits;
using namespace vsim::test;

namespace {

using Kind = MachineFact::Kind;
using Doubt = MachineFact::Doubt;

Verdict told(const MachineFact& fact) {
  static const auto p = [] {
    auto of = make_profile();
    of.disk_tmp_max.value = 500'000'000;
    return of;
  }();
  return machine::told(p, fact, "/a", "app/a/page.js");
}

}  // namespace

TEST_CASE(
    "machine: what was refused is a violation at the app's line, what was let through a warning that says "
    "why") {
  MachineFact fact{Kind::self_fetch, "fetch", "http://localhost:3000/api/x", "app/a/page.js:4:32", "",
                   Doubt::none,      true};
  const Verdict refused = told(fact);
  CHECK(refused.code == Code::sim_localhost_self_fetch);
  CHECK(refused.enforced);
  CHECK(refused.limit_key == "network.self");
  CHECK(refused.provenance != nullptr);
  CHECK(refused.measured ==
        "fetch to http://localhost:3000/api/x at app/a/page.js:4:32, which got ECONNREFUSED as there");
  CHECK(refused.file == "app/a/page.js:4:32");
  fact.refused = false;
  fact.doubt = Doubt::derived;
  const Verdict passed = told(fact);
  CHECK_FALSE(passed.enforced);
  CHECK(passed.measured.find("let through here and gets ECONNREFUSED there: whether it was made from the "
                             "request's own host") != std::string::npos);
  fact.at = "";
  CHECK(told(fact).file == "app/a/page.js");
}

TEST_CASE(
    "machine: a name that /etc/hosts alone has is not found there, one that it gives another place a "
    "remark") {
  MachineFact fact{Kind::self_fetch, "fetch", "http://shop.test:3000/a", "", "", Doubt::hosts, true};
  CHECK(told(fact).measured ==
        "fetch to http://shop.test:3000/a, which got ENOTFOUND as there: only /etc/hosts of this machine has "
        "that name");
  CHECK_FALSE(machine::is_remark(fact));
  fact.refused = false;
  CHECK(told(fact).measured.find("let through here and gets ENOTFOUND there") != std::string::npos);
  fact.variable = "/etc/hosts";
  CHECK(machine::is_remark(fact));
  CHECK(machine::remark(fact).find("DNS alone says where it leads") != std::string::npos);
}

TEST_CASE("machine: each kind has its code, its key and the words of the instance") {
  const std::pair<const char*, Code> rows[] = {{"self", Code::sim_localhost_self_fetch},
                                               {"loopback", Code::sim_loopback_server},
                                               {"ipv6", Code::sim_ipv6_only},
                                               {"smtp", Code::sim_smtp_port},
                                               {"disk", Code::sim_read_only_filesystem},
                                               {"tmp-full", Code::sim_tmp_full},
                                               {"tmp", Code::sim_tmp_not_shared},
                                               {"program", Code::sim_program_not_there},
                                               {"protection", Code::sim_deployment_protected},
                                               {"descriptors", Code::sim_too_many_descriptors}};
  for (const auto& [word, code] : rows) {
    INFO(word);
    const auto kind = machine::kind_of(word);
    REQUIRE(kind.has_value());
    CHECK(machine::code_of(*kind) == code);
    CHECK_FALSE(told({*kind, "x", "y", "", "", Doubt::none, false}).limit_key.empty());
  }
  CHECK_FALSE(machine::kind_of("").has_value());
  for (const char* word : {"", "mode", "derived", "unseen", "package", "only-dev", "at-build", "hosts"})
    CHECK(machine::doubt_of(word).has_value());
  CHECK_FALSE(machine::doubt_of("perhaps").has_value());
}

TEST_CASE("machine: an instance is told the modes of the profile") {
  auto p = make_profile();
  p.network_self.value = profile::Strictness::off;
  p.disk_writes.value = profile::Strictness::enforce;
  p.disk_reads.value = profile::Strictness::warn;
  p.disk_tmp.value = profile::Strictness::enforce;
  p.disk_tmp_max.value = 500'000'000;
  p.programs_absent.value = profile::Strictness::warn;
  p.static_changes.value = profile::Strictness::off;
  p.network_loopback.value = p.network_ipv6.value = p.network_smtp.value = profile::Strictness::warn;
  p.network_protection.value = profile::Strictness::warn;
  p.descriptors_mode.value = profile::Strictness::enforce;
  p.descriptors_max.value = 1024;
  p.cpu_count.value = 1;
  p.static_frozen.value = p.environment_strict.value = profile::Switch::off;
  CHECK(machine::modes(p) ==
        "self=off,loopback=warn,ipv6=warn,smtp=warn,disk=enforce,tmp=enforce,program=warn,protection=warn,"
        "descriptors=enforce,reads=warn,static=off,tmp_max=500000000,descriptors_max=1024,cpus=1,frozen=off,"
        "strict=off");
}

TEST_CASE("machine: descriptors say how many there are, and whose line was refused or how many are open") {
  MachineFact fact{Kind::descriptors, "open", "a.txt", "lib/a.ts:3:9", "", Doubt::none, true};
  CHECK(told(fact).enforced);
  CHECK(told(fact).measured == "open of a.txt at lib/a.ts:3:9, which got EMFILE as there");
  CHECK(told(fact).limit.ends_with(" for all that an instance serves at once"));
  fact = {Kind::descriptors, "descriptors", "1100 files and sockets", "", "", Doubt::none, false};
  CHECK_FALSE(told(fact).enforced);
  CHECK(told(fact).measured == "1100 files and sockets are open: let through here, one more is EMFILE there");
}

TEST_CASE("machine: a full /tmp says its size and the line; one of this machine's own is a warning") {
  MachineFact fact{Kind::tmp_full, "writeFile", "/tmp/a", "app/a/route.ts:3:9", "", Doubt::none, true};
  const Verdict full = told(fact);
  CHECK(full.enforced);
  CHECK(full.limit == "500 MB");
  CHECK(full.measured == "writeFile of /tmp/a at app/a/route.ts:3:9, which got ENOSPC as there");
  fact.at = "";
  CHECK(told(fact).measured == "/tmp holds as much as it can, and more gets ENOSPC");
  fact.refused = false;
  CHECK_FALSE(told(fact).enforced);
  CHECK(told(fact).measured ==
        "what the instance has written to /tmp is more: let through here, as it is this machine's own");
}

TEST_CASE("machine: a program that is started is named with its file") {
  const Verdict v =
      told({Kind::program, "spawn", "/usr/bin/ffmpeg", "lib/cut.ts:3:9", "", Doubt::mode, false});
  CHECK(v.limit_key == "programs.absent");
  CHECK(v.measured ==
        "spawn of /usr/bin/ffmpeg at lib/cut.ts:3:9, which was let through here and gets ENOENT there");
  CHECK(
      machine::remark({Kind::program, "spawn", "/usr/bin/chromium", "", "CHROME_PATH", Doubt::none, false}) ==
      "CHROME_PATH names /usr/bin/chromium, a program of this machine: let through here, not there on "
      "Vercel");
}

TEST_CASE("machine: what another instance has in its /tmp is a warning that names it") {
  const Verdict v =
      told({Kind::tmp_elsewhere, "readFile", "/tmp/a", "lib/a.ts:3:9", "", Doubt::mode, false, "i4"});
  CHECK_FALSE(v.enforced);
  CHECK(v.limit_key == "disk.tmp");
  CHECK(v.measured ==
        "readFile of /tmp/a at lib/a.ts:3:9, which i4 has in its own /tmp: not found here, as there");
  CHECK(told({Kind::tmp_elsewhere, "existsSync", "/tmp/a", "", "", Doubt::at_build, false, "i4"}).measured ==
        "existsSync of /tmp/a, which i4 has in its own /tmp: not found where this page is made, at build, as "
        "there");
}

TEST_CASE("machine: a stand-in is named with its variable") {
  CHECK(machine::remark(
            {Kind::loopback, "connection", "localhost:5432", "", "DATABASE_URL", Doubt::none, false}) ==
        "DATABASE_URL names localhost:5432, which runs on this machine: let through here; on Vercel the "
        "variable "
        "must name a server that can be reached from there");
  CHECK(machine::remark({Kind::disk, "writeFile", "/var/task/data", "", "UPLOAD_DIR", Doubt::none, false}) ==
        "UPLOAD_DIR names /var/task/data, where a function writes: let through here, read-only on Vercel");
}

TEST_CASE("machine: what a file chooses by where it runs is a remark, unless it was refused") {
  MachineFact fact{Kind::self_fetch, "fetch", "http://localhost:3000/api", "lib/url.ts:3:9", "",
                   Doubt::only_dev,  false};
  CHECK(machine::is_remark(fact));
  CHECK(machine::remark(fact) ==
        "lib/url.ts:3:9 names http://localhost:3000/api and chooses by NODE_ENV or its like: let through "
        "here, not "
        "there on Vercel");
  fact.kind = Kind::disk;
  fact.to = "/var/task/debug.json";
  CHECK(machine::remark(fact).ends_with(
      "writes /var/task/debug.json and chooses by NODE_ENV or its like: let through "
      "here, read-only on Vercel"));
  fact.doubt = Doubt::none;
  CHECK_FALSE(machine::is_remark(fact));
  fact.variable = "UPLOAD_DIR";
  CHECK(machine::is_remark(fact));
}
