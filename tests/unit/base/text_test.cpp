#include "base/text.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/json_out.hpp"

namespace vsim {
namespace {

using namespace std::chrono_literals;

TEST_CASE("Durations: the forms of the contract parse, everything else is refused") {
  const std::vector<std::pair<std::string, Duration>> good = {
      {"10s", 10s}, {"1.5s", 1500ms},   {"250ms", 250ms},     {"5m", 300s},      {"1h", 3600s},
      {"0s", 0s},   {"none", kForever}, {"0.001s", 1ms},      {"1.50s", 1500ms}, {"800s", 800s},
      {"7us", 7us}, {"3ns", 3ns},       {"1.000000000s", 1s}, {"00012s", 12s},   {"0.5h", 1800s},
  };
  for (const auto& [text, want] : good) {
    INFO(text);
    REQUIRE(parse_duration(text).has_value());
    CHECK(*parse_duration(text) == want);
  }
  for (const char* text : {"",
                           "10",
                           "s",
                           "-1s",
                           "+1s",
                           "1 s",
                           " 1s",
                           "1s ",
                           "1.s",
                           ".5s",
                           "1e3s",
                           "1S",
                           "10sec",
                           "10MS",
                           "0.1ns",
                           "1.0000000001s",
                           "99999999999999999999s",
                           "9999999999h",
                           "9223372036854775807ns",
                           "None",
                           "NaN",
                           "inf",
                           "1,5s",
                           "1.5.5s"}) {
    INFO(text);
    CHECK_FALSE(parse_duration(text).has_value());
  }
}

TEST_CASE("Durations: format_duration is exact, in seconds from one second on") {
  CHECK(format_duration(10s) == "10s");
  CHECK(format_duration(90s) == "90s");
  CHECK(format_duration(300s) == "300s");
  CHECK(format_duration(1500ms) == "1.5s");
  CHECK(format_duration(250ms) == "250ms");
  CHECK(format_duration(1500us) == "1.5ms");
  CHECK(format_duration(1ns) == "1ns");
  CHECK(format_duration(0s) == "0s");
  CHECK(format_duration(kForever) == "none");
  CHECK(format_duration(-5s) == "-5s");
  CHECK(format_duration(Duration::min()).front() == '-');
}

TEST_CASE("Durations and sizes: format then parse gives the value back, for any value") {
  Rng rng(7);
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t raw = rng.next() >> (rng.next() % 64);
    const Duration d(static_cast<Duration::rep>(raw >> 1));
    INFO(format_duration(d));
    REQUIRE(parse_duration(format_duration(d)) == d);
    INFO(format_size(raw));
    REQUIRE(parse_size(format_size(raw)) == raw);
  }
}

TEST_CASE("Durations: for people") {
  CHECK(human_duration(8ms) == "8ms");
  CHECK(human_duration(400us) == "<1ms");
  CHECK(human_duration(0s) == "0ms");
  CHECK(human_duration(1240ms) == "1.24s");
  CHECK(human_duration(1s) == "1.00s");
  CHECK(human_duration(9999ms) == "9.99s");
  CHECK(human_duration(10s) == "10.0s");
  CHECK(human_duration(10'070ms) == "10.0s");
  CHECK(human_duration(59'999ms) == "59.9s");
  CHECK(human_duration(302s) == "5m 2s");
  CHECK(human_duration(300s) == "5m");
  CHECK(human_duration(3900s) == "1h 5m");
  CHECK(human_duration(3600s) == "1h");
  CHECK(human_duration(kForever) == "no limit");
}

TEST_CASE("Sizes: decimal and binary units, whole bytes only") {
  const std::vector<std::pair<std::string, std::uint64_t>> good = {
      {"4.5MB", 4'500'000},
      {"14KB", 14'000},
      {"4MiB", 4'194'304},
      {"16KiB", 16'384},
      {"4493823B", 4493823},
      {"4493823", 4493823},
      {"0", 0},
      {"none", kUnlimited},
      {"2gb", 2'000'000'000},
      {"1.5kib", 1536},
      {"2GiB", 2147483648},
      {"0.001KB", 1},
  };
  for (const auto& [text, want] : good) {
    INFO(text);
    REQUIRE(parse_size(text).has_value());
    CHECK(*parse_size(text) == want);
  }
  for (const char* text : {"", "MB", "4,5MB", "4.5 MB", "-1", "1.5", "1.5B", "1.0001KB", "4.5M", "4.5MBs",
                           "0x10", "18446744073709551615", "18446744073709551616", "99999999TB", "1e6"}) {
    INFO(text);
    CHECK_FALSE(parse_size(text).has_value());
  }
  CHECK(format_size(4'500'000) == "4.5MB");
  CHECK(format_size(4'493'823) == "4493823B");
  CHECK(format_size(16'384) == "16KiB");
  CHECK(format_size(2147483648) == "2GiB");
  CHECK(format_size(14'000) == "14KB");
  CHECK(format_size(0) == "0B");
  CHECK(format_size(kUnlimited) == "none");
  CHECK(human_size(4'600'000) == "4.6 MB");
  CHECK(human_size(4'493'823) == "4.49 MB");
  CHECK(human_size(14'000) == "14 KB");
  CHECK(human_size(999) == "999 B");
  CHECK(human_size(16'384) == "16.3 KB");
  CHECK(human_size(123'456'789) == "123 MB");
  CHECK(human_size(kUnlimited) == "no limit");
}

TEST_CASE("Nearest name: typos find their word, strangers find nothing") {
  const std::vector<std::string_view> names = {"hobby", "pro", "enterprise", "hobby-fluid",
                                               "duration.default"};
  CHECK(nearest_name("hoby", names) == "hobby");
  CHECK(nearest_name("HOBBY", names) == "hobby");
  CHECK(nearest_name("hobyb", names) == "hobby");
  CHECK(nearest_name("por", names) == "pro");
  CHECK(nearest_name("enterprize", names) == "enterprise");
  CHECK(nearest_name("hobby_fluid", names) == "hobby-fluid");
  CHECK(nearest_name("duration.defualt", names) == "duration.default");
  CHECK_FALSE(nearest_name("zzzz", names).has_value());
  CHECK_FALSE(nearest_name("", names).has_value());
  CHECK_FALSE(nearest_name(std::string(100'000, 'a'), names).has_value());
}

TEST_CASE("JSON strings: always valid, whatever the bytes") {
  const auto json = [](std::string_view s) {
    std::string out;
    append_json_string(out, s);
    return out;
  };
  using namespace std::string_view_literals;
  CHECK(json("a\"b\\c\n\r\t\x01\x7f"sv) == R"("a\"b\\c\n\r\t\u0001\u007f")");
  CHECK(json("nul\0!"sv) == R"("nul\u0000!")");
  CHECK(json("ä€😀") == "\"ä€😀\"");
  const std::string bad = "\xEF\xBF\xBD";
  CHECK(json("\xC0\xAF") == "\"" + bad + bad + "\"");            // overlong
  CHECK(json("\xED\xA0\x80") == "\"" + bad + bad + bad + "\"");  // surrogate
  CHECK(json("a\xE2\x82") == "\"a" + bad + bad + "\"");          // cut short
  CHECK(json("\xF5x") == "\"" + bad + "x\"");
}

TEST_CASE("ASCII case: only letters fold") {
  CHECK(iequals("Content-Length", "content-LENGTH"));
  CHECK_FALSE(iequals("a", "ab"));
  CHECK_FALSE(iequals("[", "{"));
  CHECK_FALSE(iequals("\xC4", "\xE4"));
  CHECK(ascii_lower('Z') == 'z');
  CHECK(ascii_lower('@') == '@');
}

TEST_CASE("Request tags: five, milliseconds, twelve; same seed, same tag") {
  Rng a(42), b(42);
  const RequestTag tag = make_request_tag(a, WallTime{1753107905195});
  CHECK(tag.view() == make_request_tag(b, WallTime{1753107905195}).view());
  CHECK(tag.view() != make_request_tag(a, WallTime{1753107905195}).view());
  const std::string_view v = tag.view();
  REQUIRE(v.size() == 5 + 1 + 13 + 1 + 12);
  CHECK(v.substr(5, 15) == "-1753107905195-");
  for (const char c : v.substr(0, 5)) CHECK(((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')));
  CHECK(v.substr(20).find_first_not_of("0123456789abcdef") == std::string_view::npos);
  CHECK(make_request_tag(a, WallTime{0}).view().substr(5, 3) == "-0-");
  CHECK(make_request_tag(a, WallTime{-1}).view().substr(5, 3) == "-0-");
  CHECK(make_request_tag(a, WallTime{INT64_MAX}).size == 5 + 1 + 19 + 1 + 12);
}

TEST_CASE("percent escapes are undone, and what is none stays") {
  CHECK(percent_decoded("a%41%2fb%2Fc") == "aA/b/c");
  CHECK(percent_decoded("%") == "%");
  CHECK(percent_decoded("%4") == "%4");
  CHECK(percent_decoded("%4g%zz%25") == "%4g%zz%");
  CHECK(percent_decoded("") == "");
  CHECK(hex_digit('9') == 9);
  CHECK(hex_digit('F') == 15);
  CHECK(hex_digit('g') == -1);
}

}  // namespace
}  // namespace vsim

TEST_CASE("loopback: names of this machine, and no names of others that look alike") {
  for (const char* host : {"localhost", "LOCALHOST", "a.localhost", "127.0.0.1", "127.255.1.2", "::1"}) {
    INFO(host);
    CHECK(vsim::is_loopback_host(host));
  }
  for (const char* host : {"", "127.evil.example", "127.0.0.1.evil.example", "127.0.0", "127.0.0.256", "127.",
                           "localhost.evil.example", "notlocalhost", ".localhost", "10.0.0.1"}) {
    INFO(host);
    CHECK_FALSE(vsim::is_loopback_host(host));
  }
}

TEST_CASE("split: an end that is a separator has no empty part behind it, a beginning one before it") {
  using Parts = std::vector<std::string_view>;
  CHECK(vsim::split("", "\n").empty());
  CHECK(vsim::split("a", "\n") == Parts{"a"});
  CHECK(vsim::split("a\n\nb\n", "\n") == Parts{"a", "", "b"});
  CHECK(vsim::split("/a/", "/") == Parts{"", "a"});
  CHECK(vsim::split("text | json", " | ") == Parts{"text", "json"});
}

TEST_CASE("JSON out: commas between, empty texts left out, nothing escaped twice") {
  std::string out;
  {
    vsim::JsonOut o(out, '{');
    o.text("a", "").text("b", "\"").number("n", 7).flag("f", false).ms("ms", std::chrono::microseconds(1500));
    o.list("l", std::vector<std::string>{"x", "y"}, vsim::json_string);
    o.in("none", '[');
    vsim::JsonOut list = o.in("two", '[');
    list.item("").text("k", "v");
    list.item().text("k", "w");
  }
  CHECK(out == R"({"b":"\"","n":7,"f":false,"ms":1.5,"l":["x","y"],"none":[],"two":[{"k":"v"},)"
               "\n"
               R"({"k":"w"}]})");
}
