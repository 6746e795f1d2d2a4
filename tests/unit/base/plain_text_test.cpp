#include "base/plain_text.hpp"

#include <catch2/catch.hpp>

using namespace vsim;

TEST_CASE("plain: what a person reads stays as it is") {
  for (const char* text : {"", "GET /api/räume?q=日本", "\ttabs\tstay", "## heading", "#[1] ##", "🎉 done"})
    CHECK(plain(text) == text);
}

TEST_CASE("plain: nothing drives a terminal") {
  CHECK(plain("\x1b]0;title\a\x1b[2J") == "?]0;title??[2J");
  CHECK(plain(std::string_view("a\0b\bc\x7f", 6)) == "a?b?c?");
  CHECK(plain("\xc2\x9b\x31m \xc2\x9d \x9b") == "?1m ? ?");  // CSI and OSC as one character, and as a byte
  CHECK(plain("\xe0\x80\x9b \xed\xa0\x80 \xf5\x80\x80\x80") ==
        "??? ??? ????");  // overlong, surrogate, too large
  CHECK(plain("a\xe2\x80\xae"
              "b\xe2\x81\xa6"
              "c\xd8\x9c"
              "d\xe2\x80\xa8"
              "e") == "a?b?c?d?e");
}

TEST_CASE("plain: lines") {
  CHECK(plain("a\nb\r\nc") == "a?b??c");
  CHECK(plain("a\nb\r\nc", LineEnds::keep) == "a\nb?\nc");
}

TEST_CASE("plain: no command to a CI system") {
  CHECK(plain("x ##[error]all is lost") == "x ## [error]all is lost");
  CHECK(is_log_command("::set-output name=verdict::clean"));
  CHECK(is_log_command("  \t::error::x"));
  CHECK(plain("##vso[task.setvariable variable=x]y a##teamcity[b") ==
        "## vso[task.setvariable variable=x]y a## teamcity[b");
  CHECK(is_log_command("\u00a0\u3000\u2003::error::x"));  // what trims a line trims these
  CHECK_FALSE(is_log_command("std::string"));
  CHECK_FALSE(is_log_command(""));
}
