#include "base/fit_columns.hpp"

#include <catch2/catch.hpp>

namespace vsim {
namespace {

TEST_CASE("Columns: what fits, and everything without a width, is as it was") {
  const std::string text = "a line\n\n  another   one\nno end";
  CHECK(fit_columns(text, 80) == text);
  CHECK(fit_columns(std::string(300, 'x') + " y\n", 0) == std::string(300, 'x') + " y\n");
  CHECK(fit_columns("", 10).empty());
}

TEST_CASE("Columns: a long line is broken at spaces, and goes on below its text") {
  CHECK(fit_columns("    fix     Write the longest word of all into the file that is named here\n", 48) ==
        "    fix     Write the longest word of all into\n"
        "            the file that is named here\n");
  CHECK(fit_columns("  a paragraph that is indented by two and does not fit\n", 32) ==
        "  a paragraph that is indented\n"
        "  by two and does not fit\n");
  CHECK(fit_columns(" GET  /api/slow 504 in 10.0s i12 cold (not counted: waited 468ms)\n", 40) ==
        " GET  /api/slow 504 in 10.0s i12 cold\n"
        "      (not counted: waited 468ms)\n");
  CHECK(fit_columns(" POST /api/slow 504 in 10.0s i12 cold (not counted: waited 468ms)\n", 40) ==
        " POST /api/slow 504 in 10.0s i12 cold\n"
        "      (not counted: waited 468ms)\n");
}

TEST_CASE("Columns: a word is never broken") {
  const std::string url = "https://vercel.com/docs/functions/configuring-functions/duration";
  CHECK(fit_columns("    source  " + url + "\n", 40) == "    source  " + url + "\n");
  CHECK(fit_columns("see " + url + " for more\n", 40) == "see\n" + url + "\nfor more\n");
}

TEST_CASE("Columns: colours and long characters take no room") {
  const std::string red = "\x1b[31m", off = "\x1b[0m";
  CHECK(fit_columns("  " + red + "✗ " + off + "eight columns\n", 17) ==
        "  " + red + "✗ " + off + "eight columns\n");
  CHECK(fit_columns("    " + red + "fix     " + off + "one two three four five six seven eight\n", 40) ==
        "    " + red + "fix     " + off + "one two three four five six\n            seven eight\n");
}

TEST_CASE("Columns: beside a hanging indentation some room is left, or there is none") {
  CHECK(fit_columns("  --a-long-name-of-an-option   words that say what it is for\n", 40) ==
        "  --a-long-name-of-an-option   words\n  that say what it is for\n");
}

TEST_CASE("Columns: lines that were broken by hand are joined before they are broken again") {
  const std::string text =
      "  --record FILE         keep whole requests for vercel-sim replay: bodies, cookies and tokens are in\n"
      "                        it, only you can read it (mode 0600); do not share it\n"
      "  --quiet               only verdicts, and errors, the app's too\n";
  CHECK(fit_columns(text, 70) ==
        "  --record FILE         keep whole requests for vercel-sim replay:\n"
        "                        bodies, cookies and tokens are in it, only you\n"
        "                        can read it (mode 0600); do not share it\n"
        "  --quiet               only verdicts, and errors, the app's too\n");
  const std::string list =
      "a first entry of a list, which is as long as anybody could wish it to be, and a little longer\n"
      "a\n"
      "b\n";
  CHECK(fit_columns(list, 60) ==
        "a first entry of a list, which is as long as anybody could\n"
        "wish it to be, and a little longer\na\nb\n");
}

TEST_CASE("columns: as wide as the widest character by character, and no space at the end of a line") {
  CHECK(in_columns({{"a", "b"}, {"äöü", "c"}, {"d", ""}}) == "a    b\näöü  c\nd\n");
  CHECK(in_columns({{"a", "b"}}, "  ") == "  a  b\n");
}

}  // namespace
}  // namespace vsim
