#include "cli/environment.hpp"

#include <catch2/catch.hpp>

using namespace vsim;
using namespace vsim::cli;

TEST_CASE("Environment: more than a deployment may have is told, and what is only feared as that") {
  CHECK_FALSE(size_words(65'536, 65'536, 65'536));
  CHECK(size_words(70'000, 80'000, 65'536) ==
        "the variables of the deployment take about 70 KB, and 64KiB is all that it may have");
  CHECK(size_words(10, 70'000, 65'536) ==
        "the variables of the .env files take about 70 KB, and 64KiB is all that a deployment may have: it "
        "fails if the project's settings have what .env.local has");
}

TEST_CASE("Environment: names that only this machine defines, the first few with where") {
  CHECK(local_words({{"STRIPE_KEY", ".env.local"}}, false) ==
        "1 variable that the app reads is defined on this machine alone: STRIPE_KEY (.env.local)");
  CHECK(local_words({{"A", ".env.local"}, {"B", "this shell"}}, false) ==
        "2 variables that the app reads are defined on this machine alone: A (.env.local), B (this shell)");
  CHECK(local_words({{"A", "x"}, {"B", "x"}, {"C", "x"}, {"D", "x"}, {"E", "x"}, {"F", "x"}}, true) ==
        "6 variables that the app reads are not there (environment.strict), and only this machine defines "
        "them: A (x), B (x), C (x), D (x) and 2 more");
  CHECK(local_words({{"NEXT_PUBLIC_A", ".env.local"}}, true) ==
        "1 variable that the app reads is not there (environment.strict), and only this machine defines it: "
        "NEXT_PUBLIC_A (.env.local; but written out, it is in what next dev has compiled)");
}
