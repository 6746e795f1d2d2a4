// What golden files cannot say: files that are not text, hostile YAML, precedence and provenance value by
// value.
#include "profile/loader.hpp"

#include <catch2/catch.hpp>

#include "base/ids.hpp"
#include "base/text.hpp"
#include "unit/profile/files.hpp"

namespace vsim::profile {
namespace {

using namespace std::chrono_literals;
using test::Files;

std::string mistakes(std::string_view name, Files files = {}, std::vector<std::string> overrides = {}) {
  const LoadResult r = test::load(name, std::move(overrides), std::move(files));
  CHECK(r.profile.has_value() == r.diagnostics.empty());
  return to_string(r.diagnostics);
}

TEST_CASE("Precedence: what is extended, then the file, then --set") {
  const Files files = {
      {"my.yaml", "extends: base.yaml\nduration: { default: 12s }\nregion: fra1\n"},
      {"base.yaml",
       "extends: pro\nduration: { default: 11s, max: 100s }\nregion: cdg1\nrequest.url_max: 1KB\n"}};
  const Profile p = test::must_load("my.yaml", {"duration.default=13s"}, files);
  CHECK(p.duration_default.value == 13s);
  CHECK(p.region.value == "fra1");
  CHECK(p.duration_max.value == 100s);
  CHECK(p.url_max.value == 1000);
  CHECK(p.plan.value == Plan::pro);
  CHECK(p.edge_first_byte.value == 25s);
}

TEST_CASE("Provenance: each value names the profile, file and line where it was set") {
  const Files files = {
      {"team/my.yaml",
       "extends: ../base.yaml\n\nduration:\n  default:\n    value: 12s\n    source: a contract\n"
       "    as_of: 2026-12-01\n    confidence: DOC\n    note: ours\n"},
      {"base.yaml", "extends: pro\nregion: cdg1\n"}};
  const Profile p = test::must_load("team/my.yaml", {"websocket.refusal=drop"}, files);
  const Provenance& own = p.duration_default.from;
  CHECK(own.profile == "team/my.yaml");
  CHECK(own.file == "team/my.yaml");
  CHECK(own.line == 4);
  CHECK(own.source == "a contract");
  CHECK(own.as_of == "2026-12-01");
  CHECK(own.confidence == "DOC");
  CHECK(own.note == "ours");
  CHECK(p.as_of == "2026-12-01");
  CHECK(p.region.from.profile == "base.yaml");
  CHECK(p.region.from.line == 2);
  CHECK(p.region.from.source.empty());  // nothing is inherited from the value it replaces
  CHECK(p.duration_max.from.profile == "pro");
  CHECK(p.duration_max.from.file == "profiles/pro.yaml");
  CHECK(p.url_max.from.file == "profiles/hobby.yaml");
  const Provenance& set = p.websocket_refusal.from;
  CHECK(set.profile == "--set");
  CHECK(set.file == "--set");
  CHECK(set.line == 0);
  CHECK(set.note == "instead of reject of hobby");
}

TEST_CASE("Names: the file's own, else the built-in's, else the file's stem") {
  CHECK(test::must_load("a/team.prod.yaml", {}, {{"a/team.prod.yaml", "extends: pro\n"}}).name ==
        "team.prod");
  CHECK(test::must_load("x.yaml", {}, {{"x.yaml", "extends: pro\nname: ours\ntitle: Our plan\n"}}).title ==
        "Our plan");
  CHECK(test::must_load("enterprise-fluid").name == "enterprise-fluid");
}

TEST_CASE("A profile that is not there: the path or the name, and what there is") {
  CHECK(mistakes("./hobbi.yaml") ==
        "--profile: cannot read the file \"hobbi.yaml\" (did you mean the built-in profile \"hobby\"?); the "
        "built-in profiles are "
        "hobby, pro, enterprise, hobby-fluid, pro-fluid, enterprise-fluid\n  | ./hobbi.yaml\n  | "
        "^~~~~~~~~~~~\n");
  CHECK(mistakes("/etc/x/limits.yml").find("cannot read the file \"/etc/x/limits.yml\"; the built-in") !=
        std::string::npos);
  CHECK(mistakes("prro").find("no profile is called \"prro\" (did you mean \"pro\"?)") != std::string::npos);
  CHECK(mistakes("").find("no profile is called \"\"") != std::string::npos);
  // Mistakes of --set are told in the same go.
  CHECK(mistakes("prro", {}, {"duration.defualt=1s"}).find("duration.defualt") != std::string::npos);
}

TEST_CASE("Each file of a chain is read once") {
  std::map<std::string, int> reads;
  const ReadFile inner =
      test::reader({{"a/my.yaml", "extends: ../b.yaml\n"}, {"b.yaml", "extends: pro-fluid\n"}});
  const ReadFile counting = [&](std::string_view name) {
    ++reads[std::string(name)];
    return inner(name);
  };
  CHECK(load_profile("a/my.yaml", {}, counting).profile.has_value());
  CHECK(reads == std::map<std::string, int>{
                     {"a/my.yaml", 1}, {"b.yaml", 1}, {"pro-fluid", 1}, {"hobby-fluid", 1}, {"hobby", 1}});
}

TEST_CASE("Endless chains end") {
  int n = 0;
  const LoadResult r = load_profile(
      "0.yaml", {}, [&](std::string_view) { return "extends: " + std::to_string(++n) + ".yaml\n"; });
  REQUIRE(r.diagnostics.size() == 1);
  CHECK(r.diagnostics[0].message == "extends: more than 16 profiles extend each other");
  CHECK(n < 20);
}

TEST_CASE("What is no text says so once, at its place") {
  const auto one = [](std::string text) {
    const LoadResult r = test::load("x.yaml", {}, {{"x.yaml", std::move(text)}});
    REQUIRE(r.diagnostics.size() == 1);
    const Diagnostic& d = r.diagnostics[0];
    return std::to_string(d.line) + ":" + std::to_string(d.col) + " " + d.message;
  };
  CHECK(one(std::string("extends: hobby\nx: \0", 19)) ==
        "2:4 byte 0x00 does not belong in a text file: a profile is YAML in UTF-8");
  CHECK(one("extends: h\xC3") == "1:11 byte 0xc3 does not belong in a text file: a profile is YAML in UTF-8");
  CHECK(one("\x7F\x45\x4C\x46\x02").starts_with("1:1 byte 0x7f"));
  CHECK(one("\xFF\xFE"
            "e\0x\0")
            .starts_with("1:1 byte 0xff"));  // UTF-16
  CHECK(one("extends: hobby\rname: x\n").starts_with("1:15 byte 0x0d"));
  CHECK(one("").find("the file is empty") != std::string::npos);
  CHECK(one("\n\n  \n").find("the file is empty") != std::string::npos);
  CHECK(one(std::string(300'000, '#')).find("300000 bytes") != std::string::npos);
  CHECK(mistakes("x.yaml", {{"x.yaml",
                             "\xEF\xBB\xBF"
                             "extends: hobby\n"}})
            .empty());  // a byte order mark is fine
}

TEST_CASE("Hostile YAML neither hangs nor crashes") {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 40; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int k = 0; k < 8; ++k) bomb += ", " + before;
    bomb += "]\n";
  }
  CHECK(mistakes("x.yaml", {{"x.yaml", bomb}}).find("aliases are not supported") != std::string::npos);
  for (const std::string open : {"[", "{a: ", "- ", "? ", "a:\n ", "!!x ", "&a "}) {
    std::string deep;
    for (int i = 0; i < 20'000; ++i) deep += open;
    CHECK_FALSE(mistakes("x.yaml", {{"x.yaml", deep}}).empty());
  }
  std::string many = "extends: hobby\n";
  for (int i = 0; i < 20'000; ++i) many += "key" + std::to_string(i) + ": 1\n";
  const LoadResult r = test::load("x.yaml", {}, {{"x.yaml", many}});
  CHECK(r.diagnostics.size() == 50);
  CHECK(r.diagnostics.back().message.ends_with("(there may be more: only 50 mistakes are shown)"));
}

TEST_CASE("Any text: an answer, and places inside of the text") {
  static const std::string_view kPieces[] = {"extends: hobby\n",
                                             "duration",
                                             "default",
                                             "max",
                                             ":",
                                             ": ",
                                             "\n",
                                             "\n  ",
                                             "  ",
                                             " ",
                                             "10s",
                                             "90s",
                                             "{",
                                             "}",
                                             "[",
                                             "]",
                                             ", ",
                                             "- ",
                                             "? ",
                                             "\"",
                                             "'",
                                             "#",
                                             "&a ",
                                             "*a",
                                             "!t ",
                                             "|\n",
                                             ">\n",
                                             "---\n",
                                             "...\n",
                                             "\t",
                                             "%YAML 1.2\n",
                                             "value: ",
                                             "source: x\n",
                                             "ä",
                                             "\r\n",
                                             "websocket.refusal: ",
                                             "drop",
                                             "null",
                                             "~",
                                             "\\",
                                             "0x41"};
  Rng rng(99);
  for (int round = 0; round < 5'000; ++round) {
    std::string text;
    for (std::uint64_t n = rng.next() % 30; n > 0; --n) text += kPieces[rng.next() % std::size(kPieces)];
    INFO(text);
    const LoadResult r = test::load("x.yaml", {}, {{"x.yaml", text}});
    REQUIRE(r.profile.has_value() == r.diagnostics.empty());
    for (const Diagnostic& d : r.diagnostics) {
      REQUIRE(d.line >= 1);
      REQUIRE(d.col >= 1);
      REQUIRE(d.caret_length >= 1);
      REQUIRE(static_cast<std::size_t>(d.col) <= d.line_text.size() + 1);
      REQUIRE(to_string(d).back() == '\n');
    }
  }
}

TEST_CASE("Diagnostics: control characters never reach the terminal, tabs keep the caret in its column") {
  Diagnostic d;
  d.file = "x.yaml";
  d.line = 3;
  d.col = 3;
  d.message = "m";
  d.line_text = "\ta\x1b[31mä\xFFz";
  d.caret_length = 2;
  CHECK(to_string(d) == "x.yaml:3:3: m\n  3 | \ta?[31mä?z\n    | \t ^~\n");
  d.col = 500;  // beyond the line: still one caret
  CHECK(to_string(d).ends_with("^\n"));
}

TEST_CASE("Schema: names are unique, examples and ranges are legal, every group is found") {
  for (const Key& key : keys()) {
    INFO(key.name);
    CHECK(find_key(key.name) == &key);
    Profile p;
    CHECK_FALSE(assign(p, key, key.example, {}).has_value());
    CHECK(parse_duration(value_text(p, key)).has_value() == (type_of(key) == Type::duration));
    CHECK_FALSE(key.doc.empty());
    CHECK(key.source.starts_with("https://"));  // of a report where no page of Vercel says it
    if (!key.min.empty()) {
      CHECK_FALSE(assign(p, key, key.min, {}).has_value());
      CHECK_FALSE(assign(p, key, key.max, {}).has_value());
    }
    CHECK(assign(p, key, "none", {}).has_value() == !(key.none || key.name == "isolation"));
    CHECK(assign(p, key, "", {}).has_value());
    const std::size_t dot = key.name.find('.');
    if (dot != std::string_view::npos) CHECK(is_group(key.name.substr(0, dot)));
  }
  CHECK_FALSE(is_group("dur"));
  CHECK_FALSE(is_group(""));
  CHECK_FALSE(is_group("plan"));
  CHECK(find_key("duration") == nullptr);
}

TEST_CASE("Schema: a refused value leaves the profile as it was") {
  Profile p = test::must_load("hobby");
  const Key& key = *find_key("duration.default");
  CHECK(assign(p, key, "10", {.profile = "x"}).has_value());
  CHECK(p.duration_default.value == 10s);
  CHECK(p.duration_default.from.profile == "hobby");
}

}  // namespace
}  // namespace vsim::profile
