#include "limits/made_at_build.hpp"

#include <catch2/catch.hpp>

#include "limits/not_traced.hpp"
#include "unit/limits/profiles.hpp"

using namespace vsim;
using namespace vsim::limits;
using namespace vsim::test;
using namespace std::chrono_literals;
using made_at_build::ContentLedger;
using made_at_build::Made;

namespace {

TimePoint at(Duration d) { return TimePoint(d); }
WallTime wall(Duration d) { return {std::chrono::duration_cast<std::chrono::milliseconds>(d).count()}; }

Made made(std::string_view digest, Duration every = kForever) {
  Made m;
  m.key = "/page /";
  m.digest = digest;
  m.by = "getStaticProps without `revalidate`";
  m.kind = "props";
  m.every = every;
  m.files = {"server/app/page.js", "server/chunks/a.js"};
  return m;
}

// Each answer takes a tenth of a second.
std::optional<made_at_build::ContentChange> look(ContentLedger& ledger, const Made& m, Duration began) {
  return ledger.look(m, at(began), at(began + 100ms), wall(began + 100ms));
}

}  // namespace

TEST_CASE("made at build: an answer that says something else is a change, the same one is none") {
  ContentLedger ledger;
  CHECK_FALSE(look(ledger, made("a"), 1s));
  CHECK_FALSE(look(ledger, made("a"), 2s));
  const auto change = look(ledger, made("b"), 5s);
  REQUIRE(change);
  CHECK(change->after == 4s);
  CHECK_FALSE(look(ledger, made("b"), 6s));
  Made other = made("z");
  other.key = "/page /?other";
  CHECK_FALSE(look(ledger, other, 7s));
}

TEST_CASE(
    "made at build: after a revalidation an answer may be another one, and one that began before says "
    "nothing") {
  ContentLedger ledger;
  CHECK_FALSE(look(ledger, made("a"), 1s));
  ledger.revalidated(at(3s));
  CHECK_FALSE(look(ledger, made("b"), 3s));
  CHECK_FALSE(look(ledger, made("b"), 3s + 1ms));
  CHECK(look(ledger, made("c"), 4s));
}

TEST_CASE("made at build: an edit is what was compiled of it, or a file that it reads") {
  ContentLedger ledger;
  CHECK_FALSE(look(ledger, made("a"), 1s));
  ledger.edited({"server/app/other.js"});
  CHECK(look(ledger, made("b"), 2s));
  ledger.edited({"server/chunks/a.js"});
  CHECK_FALSE(look(ledger, made("c"), 3s));
  Made read = made("d");
  read.read_unix_ms = 3'100;  // as old as the answer
  CHECK(look(ledger, read, 4s));
  read.digest = "e";
  read.read_unix_ms = 4'101;
  CHECK_FALSE(look(ledger, read, 5s));
}

TEST_CASE("made at build: after its `revalidate` it may be another one, before it is a remark") {
  ContentLedger ledger;
  CHECK_FALSE(look(ledger, made("a", 10s), 1s));
  const Made b = made("b", 10s);
  CHECK(look(ledger, b, 11s - 1ns));
  CHECK(made_at_build::is_remark(b));
  CHECK(made_at_build::remark(b, {4s}, "/p") ==
        "/p changed within 4.00s here; on Vercel it stays as it is for 10s (getStaticProps without "
        "`revalidate`), or until a revalidation");
  CHECK_FALSE(look(ledger, made("c", 10s), 21s - 1ns));
  CHECK_FALSE(made_at_build::is_remark(made("a")));
}

TEST_CASE("made at build: told with the page's file and the fix for its kind, enforced as the profile says") {
  auto p = make_profile();
  p.static_changes.value = profile::Strictness::warn;
  Verdict v = made_at_build::changed(p, made("a"), {2s}, "/p", "pages/p.js");
  CHECK(v.code == Code::sim_made_at_build);
  CHECK_FALSE(v.enforced);
  CHECK(v.file == "pages/p.js");
  CHECK(v.measured.find("getStaticProps without `revalidate`") != std::string::npos);
  CHECK(v.fix.find("getServerSideProps") != std::string::npos);
  p.static_changes.value = profile::Strictness::enforce;
  Made page = made("a");
  page.kind = "page";
  v = made_at_build::changed(p, page, {2s}, "/p", "app/p/page.js");
  CHECK(v.enforced);
  CHECK(v.fix.find("await connection()") != std::string::npos);
  page.kind = "handler";
  CHECK(made_at_build::changed(p, page, {2s}, "/p", "").fix.find("connection()") == std::string::npos);
}

TEST_CASE("not traced: the line that reads, and the entry that mends it") {
  auto p = make_profile();
  p.disk_reads.value = profile::Strictness::warn;
  not_traced::Read read{"readFile", "templates/mail.html", "lib/mail.ts:3:9", "/api/mail"};
  Verdict v = not_traced::told(p, read, "/api/mail", "app/api/mail/route.ts");
  CHECK(v.code == Code::sim_file_not_traced);
  CHECK_FALSE(v.enforced);
  CHECK(v.file == "lib/mail.ts:3:9");
  CHECK(v.measured ==
        "readFile of templates/mail.html at lib/mail.ts:3:9, which tracing does not find: ENOENT of "
        "/var/task/templates/mail.html there");
  CHECK(v.fix.starts_with(
      "In next.config: `outputFileTracingIncludes: { '/api/mail': ['./templates/mail.html'] }`"));
  CHECK(v.fix.find("public/") == std::string::npos);
  read.path = "public/data";
  read.directory = true;
  CHECK(not_traced::entry(read) == "outputFileTracingIncludes: { '/api/mail': ['./public/data/**/*'] }");
  CHECK(not_traced::told(p, read, "", "").fix.find("public/ is served by the CDN") != std::string::npos);
  read.excluded = true;
  p.disk_reads.value = profile::Strictness::enforce;
  v = not_traced::told(p, read, "", "");
  CHECK(v.enforced);
  CHECK(v.fix == "Take it out of `outputFileTracingExcludes` in next.config.");
}

TEST_CASE("not traced: what the developer's machine alone has is mended otherwise") {
  const auto p = make_profile();
  const auto of = [&](std::string_view path) {
    return not_traced::told(p, {"readFile", path, "lib/a.ts:3:9", "/a"}, "/a", "");
  };
  CHECK(of(".env.local").fix.starts_with("Give its variables to the project"));
  CHECK(of(".env.local").measured.find("which is in no deployment: ENOENT") != std::string::npos);
  CHECK(of(".git/HEAD").fix.starts_with("Read `process.env.VERCEL_GIT_COMMIT_SHA`"));
  CHECK(of("x.env").fix.starts_with("In next.config"));
}

TEST_CASE("not traced: the fix of what lies on this machine alone is no entry of next.config") {
  const auto fix_of = [](std::string_view path, bool directory = false) {
    not_traced::Read r;
    r.what = directory ? "readdir" : "readFile";
    r.path = path;
    r.at = "app/api/a/route.js:3:5";
    r.route = "/api/a";
    r.directory = directory;
    return not_traced::told(make_profile(), r, "/api/a", "app/api/a/route.js").fix;
  };
  const auto has = [](const std::string& text, std::string_view part) {
    return text.find(part) != text.npos;
  };
  CHECK(has(fix_of(".env.local"), "vercel env add"));
  for (const std::string& fix : {fix_of(".git/HEAD"), fix_of(".git", true)}) {
    CHECK(has(fix, "VERCEL_GIT_COMMIT_SHA"));
    CHECK_FALSE(has(fix, "outputFileTracingIncludes"));
  }
  for (const std::string& fix : {fix_of(".github/a.json"), fix_of("data/.env.local"), fix_of("a.txt")})
    CHECK(has(fix, "outputFileTracingIncludes"));
}
