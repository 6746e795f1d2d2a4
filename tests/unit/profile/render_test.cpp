#include "profile/render.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>

#include "base/ids.hpp"
#include "base/text.hpp"
#include "unit/profile/docs.hpp"
#include "unit/profile/files.hpp"

namespace vsim::profile {
namespace {

std::vector<Profile> shipped() {
  std::vector<Profile> out;
  for (const std::string_view name : kBuiltinProfiles) out.push_back(test::must_load(name));
  return out;
}

// Compares with tests/golden/profile/<name>, or writes it under VSIM_REGENERATE.
void check_golden(const std::string& name, const std::string& got) {
  const std::string path = VSIM_SOURCE_DIR "/" + name;
  if (std::getenv("VSIM_REGENERATE") != nullptr) std::ofstream(path, std::ios::binary) << got;
  INFO(name << ": run with VSIM_REGENERATE=1 to write it anew");
  CHECK(got == test::file_text(path).value_or("(no such file)"));
}

TEST_CASE("Docs: docs/profiles.md is what the schema says") {
  check_golden("docs/profiles.md", render_docs(shipped()));
}

TEST_CASE("Docs: the example of a profile of your own is one") {
  const std::string docs = render_docs(shipped());
  const std::size_t begin = docs.find("```yaml\n") + 8;
  const Profile p =
      test::must_load("team.yaml", {}, {{"team.yaml", docs.substr(begin, docs.find("```", begin) - begin)}});
  CHECK(format_duration(p.duration_default.value) == "20s");
  CHECK(p.duration_max.from.note == "Agreed for the reporting functions.");
  CHECK(p.request_body_max.value == 1'000'000);
}

TEST_CASE("Text of the profiles command") {
  const std::vector<Profile> all = shipped();
  check_golden("tests/golden/profile/list.out", render_list(all));
  check_golden("tests/golden/profile/show_pro.out", render_show(all[1]));
  check_golden("tests/golden/profile/diff_hobby_pro.out", render_diff(all[0], all[1]));
  check_golden("tests/golden/profile/diff_pro_pro_fluid.out", render_diff(all[1], all[4]));
  CHECK(render_diff(all[0], all[0]) ==
        "hobby and hobby have the same " + std::to_string(keys().size()) + " values.\n");
}

TEST_CASE("Limits at start: the plan's numbers, and what was set by hand") {
  CHECK(render_limits_summary(test::must_load("hobby")) ==
        "limits: functions 10s, at most 60s; request body 4.49 MB; WebSockets refused (400) (as of "
        "2026-09-20)\n");
  CHECK(render_limits_summary(test::must_load("pro-fluid")) ==
        "limits: functions 300s, at most 800s (1800s beta); request body 4.49 MB; WebSockets closed at the "
        "maximum duration "
        "(as of 2026-09-20)\n");
  const std::string pro = render_limits_summary(test::must_load("pro"));
  CHECK(
      pro.ends_with("\nduration.default 60s is this project's choice: The documentation says 15 s for "
                    "projects not on Fluid; \"--set duration.default=15s\" gives that.\n"));
  CHECK(render_limits_summary(test::must_load("enterprise")).find("choice") == std::string::npos);
  const std::string with_set =
      render_limits_summary(test::must_load("pro", {"duration.default=15s", "websocket.refusal=drop"}));
  CHECK(with_set.find("choice") == std::string::npos);
  CHECK(with_set.find("functions 15s, at most 300s") != std::string::npos);
  CHECK(with_set.find("refused (never answered)") != std::string::npos);
  CHECK(with_set.find("\nset by you: duration.default=15s (instead of 60s of pro)") != std::string::npos);
  CHECK(with_set.find("websocket.refusal=drop (instead of reject of hobby)") != std::string::npos);
}

void check_reads_back(const Profile& p) {
  const std::string shown = render_show(p);
  INFO(shown);
  const LoadResult r = test::load("shown.yaml", {}, {{"shown.yaml", shown}});
  INFO(to_string(r.diagnostics));
  REQUIRE(r.profile.has_value());
  CHECK(r.profile->name == p.name);
  CHECK(r.profile->title == p.title);
  CHECK(r.profile->as_of == p.as_of);
  for (const Key& key : keys()) {
    CHECK(value_text(*r.profile, key) == value_text(p, key));
    const Provenance &a = provenance_of(p, key), &b = provenance_of(*r.profile, key);
    CHECK(a.source == b.source);
    CHECK(a.as_of == b.as_of);
    CHECK(a.confidence == b.confidence);
    CHECK(a.note == b.note);
  }
}

TEST_CASE("Show: its text is a profile with the same values and evidence") {
  for (const Profile& p : shipped()) check_reads_back(p);
  check_reads_back(
      test::must_load("pro-fluid", {"duration.max=400s", "request.body_max=none", "placement=pack"}));
}

// A random legal value of a key.
std::string random_value(const Key& key, Rng& rng) {
  switch (type_of(key)) {
    case Type::duration: {
      const auto max = static_cast<std::uint64_t>(parse_duration(key.max)->count());
      return format_duration(
          Duration(static_cast<Duration::rep>(1'000'000 + rng.next() % (max - 1'000'000))));
    }
    case Type::size: {
      if (range_of(key).ends_with("auto") && rng.next() % 2 == 0) return "auto";
      const std::uint64_t min = *parse_size(key.min), max = *parse_size(key.max);
      return format_size(min + (rng.next() % (max - min + 1)));
    }
    case Type::integer: {
      const std::uint64_t min = std::stoul(std::string(key.min)), max = std::stoul(std::string(key.max));
      return std::to_string(min + rng.next() % (max - min + 1));
    }
    case Type::word: {
      const auto words = words_of(key);
      return std::string(words[rng.next() % words.size()].word);
    }
    case Type::text:
      return std::string(key.example);
  }
  return {};
}

std::string random_text(Rng& rng) {
  static const std::string_view kPieces[] = {
      "a", " ", ":", ": ", "#", " #", "\"", "'", "\\", "\n", "\t", "-", "- ",   "?", "{", "}",   "[",
      "]", ",", "&", "*",  "!", "|",  ">",  "%", "@",  "`",  "ä",  "😀", "null", "~", "1", "\x01"};
  std::string out = "x";
  for (std::uint64_t n = rng.next() % 12; n > 0; --n) out += kPieces[rng.next() % std::size(kPieces)];
  return out;
}

TEST_CASE("Show: reads back for random values and random notes") {
  Rng rng(20261122);
  for (int round = 0; round < 200; ++round) {
    Profile p = test::must_load("hobby");
    p.title = "title " + std::to_string(rng.next());
    for (const Key& key : keys()) {
      Provenance from;
      from.profile = from.file = "f.yaml";
      from.confidence = "OBS";
      from.as_of = "2026-01-02";
      from.note = random_text(rng);
      INFO(key.name);
      const auto wrong = assign(p, key, random_value(key, rng), from);
      INFO(wrong.value_or(""));
      REQUIRE_FALSE(wrong.has_value());
    }
    p.as_of = "2026-01-02";
    // The four pairs that must be in order.
    p.duration_max.value = std::max(p.duration_max.value, p.duration_default.value);
    p.duration_extended_max.value = std::max(p.duration_extended_max.value, p.duration_max.value);
    p.edge_duration_max.value = std::max(p.edge_duration_max.value, p.edge_first_byte.value);
    p.headers_max.value = std::max(p.headers_max.value, p.header_max.value);
    check_reads_back(p);
  }
}

}  // namespace
}  // namespace vsim::profile
