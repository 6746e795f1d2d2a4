#include "project/env_names.hpp"

#include <catch2/catch.hpp>

using namespace vsim::project;

TEST_CASE("the names that an .env file sets, and nothing of what they are set to") {
  CHECK(env_names("A=1\n  export B = two\n# C=3\nD\n=5\n\tE=a=b\nF G=1\nH=") ==
        std::vector<std::string_view>{"A", "B", "E", "H"});
  CHECK(env_names("").empty());
}
