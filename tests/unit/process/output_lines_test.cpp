#include "process/output_lines.hpp"

#include <catch2/catch.hpp>
#include <vector>

using vsim::process::OutputLines;
using vsim::process::strip_escapes;

namespace {

// One string per line given: a mark for its end, "+" when it continues the line before, the text.
struct Collected {
  std::vector<std::string> lines;
  OutputLines splitter;
  explicit Collected(std::size_t max = OutputLines::kDefaultMax)
      : splitter(
            [this](std::string_view text, OutputLines::End end, bool continues) {
              static constexpr const char* kMarks[] = {"n:", "r:", "c:", "-:"};
              lines.push_back(std::string(continues ? "+" : "") + kMarks[static_cast<int>(end)] +
                              std::string(text));
            },
            max) {}
};

using Lines = std::vector<std::string>;

Lines split(std::string_view text, std::size_t max = OutputLines::kDefaultMax) {
  Collected c(max);
  c.splitter.feed(text);
  c.splitter.flush(true);
  return c.lines;
}

}  // namespace

TEST_CASE("OutputLines: newlines, empty lines, CRLF, and a last line without an end") {
  CHECK(split("a\n\nb\r\nc\r\r\nd") == Lines{"n:a", "n:", "n:b", "n:c", "n:d"});
  CHECK(split("").empty());
  CHECK(split("\n") == Lines{"n:"});
}

TEST_CASE("OutputLines: progress lines are told from ended ones") {
  CHECK(split("10%\r20%\rdone\nnext\n") == Lines{"r:10%", "r:20%", "n:done", "n:next"});
  CHECK(split("\rspinner\r") == Lines{"r:spinner"});
}

TEST_CASE("OutputLines: the same lines however the bytes were cut by reads") {
  const std::string text =
      "\x1b[32m\xe2\x9c\x93\x1b[0m Ready \xf0\x9f\x9a\x80\r\n50%\r\x1b[31mred\ngoes on\x1b[0m "
      "\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\n\x1b[2J\x1b[Hclear\n";
  const Lines whole = split(text);
  CHECK(whole == Lines{"n:\x1b[32m\xe2\x9c\x93\x1b[0m Ready \xf0\x9f\x9a\x80", "r:50%",
                       "n:\x1b[31mred\x1b[0m",
                       "n:\x1b[31mgoes on\x1b[0m \x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "n:clear"});
  for (std::size_t a = 0; a <= text.size(); ++a) {
    for (std::size_t b = a; b <= text.size(); ++b) {
      Collected c;
      c.splitter.feed(std::string_view(text).substr(0, a));
      c.splitter.feed(std::string_view(text).substr(a, b - a));
      c.splitter.feed(std::string_view(text).substr(b));
      c.splitter.flush(true);
      REQUIRE(c.lines == whole);
    }
  }
}

TEST_CASE("OutputLines: a colour is closed at each line's end and opened again in the next") {
  CHECK(split("\x1b[1m\x1b[31ma\nb\nc\x1b[m d\ne\n") ==
        Lines{"n:\x1b[1m\x1b[31ma\x1b[0m", "n:\x1b[1;31mb\x1b[0m", "n:\x1b[1;31mc\x1b[m d", "n:e"});
  CHECK(split("\x1b[31ma\x1b[0;32mb\nc\n") == Lines{"n:\x1b[31ma\x1b[0;32mb\x1b[0m", "n:\x1b[32mc\x1b[0m"});
}

TEST_CASE("OutputLines: a colour that was switched off by its own code is not switched on again") {
  CHECK(split("\x1b[1m\x1b[38;2;173;127;168mNext\x1b[39m\x1b[22m\nb\n") ==
        Lines{"n:\x1b[1m\x1b[38;2;173;127;168mNext\x1b[39m\x1b[22m", "n:b"});
  // Each is switched on and left on; the next line begins with it. Then its own code ends it.
  const std::pair<std::string, std::string> pairs[] = {
      {"1", "22"},  {"2", "22"},   {"3", "23"},        {"4", "24"},          {"21", "24"},
      {"5", "25"},  {"7", "27"},   {"8", "28"},        {"9", "29"},          {"53", "55"},
      {"31", "39"}, {"97", "39"},  {"38;5;200", "39"}, {"38;2;1;2;3", "39"}, {"38:2::1:2:3", "39"},
      {"44", "49"}, {"103", "49"}, {"48;5;1", "49"},   {"58;5;9", "59"}};
  for (const auto& [on, off] : pairs) {
    CAPTURE(on, off);
    CHECK(split("\x1b[" + on + "ma\nb\x1b[" + off + "m\nc\n") ==
          Lines{"n:\x1b[" + on + "ma\x1b[0m", "n:\x1b[" + on + "mb\x1b[" + off + "m", "n:c"});
  }
}

TEST_CASE("OutputLines: several styles in one sequence, broken ones too") {
  CHECK(split("\x1b[1;38;5;3;44;9mx\ny\n") ==
        Lines{"n:\x1b[1;38;5;3;44;9mx\x1b[0m", "n:\x1b[1;9;38;5;3;44my\x1b[0m"});
  CHECK(split("\x1b[31;0;32mx\x1b[39;49mz\ny\n") == Lines{"n:\x1b[31;0;32mx\x1b[39;49mz", "n:y"});
  CHECK(split("\x1b[;;mx\x1b[38mx\x1b[38;2;1mx\x1b[0m\ny\n") ==
        Lines{"n:\x1b[;;mx\x1b[38mx\x1b[38;2;1mx\x1b[0m", "n:y"});
}

TEST_CASE("OutputLines: colours switched on without end do not pile up") {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "\x1b[38;5;" + std::to_string(i % 256) + "mx";
  Collected c;
  c.splitter.feed(text + "\n");
  c.splitter.feed("y\n");
  CHECK(c.lines[1].size() < 200);
}

TEST_CASE("OutputLines: cursor movements, titles and other controls do not pass") {
  CHECK(split("\x1b[2K\x1b[1Ga\x1b]0;title\ab\x1b(Bc\x1b"
              "7d\x1b[?25le\x1b[>4;2mf\x1b[*9mg\x1b[1 mh\n") == Lines{"n:abcdefgh"});
  CHECK(split("a\x1b[31\x01z\n") == Lines{"n:a?z"});
}

TEST_CASE("OutputLines: a long line is cut between characters and sequences, nothing is lost") {
  CHECK(split("abcdefgh\n", 4) == Lines{"c:abcd", "+n:efgh"});
  CHECK(split("abc\xc3\xa9"
              "fg\n",
              4) == Lines{"c:abc",
                          "+n:\xc3\xa9"
                          "fg"});
  CHECK(split("ab\x1b[31mcd\n", 6) == Lines{"c:ab", "+c:\x1b[31mc\x1b[0m", "+n:\x1b[31md\x1b[0m"});
  const std::string big(1 << 20, 'x');
  Collected c;
  c.splitter.feed(big);
  c.splitter.flush(true);
  std::size_t total = 0;
  for (const std::string& l : c.lines) total += l.size() - l.find(':') - 1;
  CHECK(total == big.size());
  CHECK(c.lines.size() == 16);
}

TEST_CASE("OutputLines: a prompt is shown without its newline, and the rest is known to continue it") {
  Collected c;
  c.splitter.feed("Continue? \xe2\x9c");
  CHECK(c.lines.empty());
  c.splitter.flush();
  CHECK(c.lines == Lines{"-:Continue? "});
  CHECK(c.splitter.pending());
  c.splitter.flush();
  CHECK(c.lines.size() == 1);
  c.splitter.feed("\x93 yes\n");
  CHECK(c.lines == Lines{"-:Continue? ", "+n:\xe2\x9c\x93 yes"});
  CHECK_FALSE(c.splitter.pending());
}

TEST_CASE("OutputLines: bytes that are no text are shown as such, none is lost") {
  const std::string bytes("\xff\xfe\x00\x80z", 5);
  CHECK(split(bytes + "\n") == Lines{"n:????z"});
}

TEST_CASE("OutputLines: no line is a command to a CI system, coloured or not") {
  CHECK(split("::error::x\n") == Lines{"n:| ::error::x"});
  CHECK(split("\u00a0 \u3000::set-output name=a::b\n") == Lines{"n:| \u00a0 \u3000::set-output name=a::b"});
  CHECK(split("\x1b[0m::error::x\n") == Lines{"n:| \x1b[0m::error::x"});
  CHECK(split("a ::b\nstd::string\n") == Lines{"n:a ::b", "n:std::string"});
}

TEST_CASE("strip_escapes leaves the words") {
  CHECK(strip_escapes("\x1b[32m\xe2\x9c\x93\x1b[0m Ready \x1b]8;;http://x\alink\x1b]8;;\a in 3s\x1b[") ==
        "\xe2\x9c\x93 Ready link in 3s");
}
