#include "project/env_names.hpp"

#include <catch2/catch.hpp>

using namespace vsim::project;

TEST_CASE("the names that an .env file sets, and nothing of what they are set to") {
  CHECK(env_names("A=1\n  export B = two\n# C=3\nD\n=5\n\tE=a=b\nF G=1\nH=") ==
        std::vector<std::string_view>{"A", "B", "E", "H"});
  CHECK(env_names("").empty());
}

TEST_CASE("how much they take: name and value, without quotes and comments, over several lines in quotes") {
  const auto sizes = env_sizes("# A=9\nA=12 \nexport KEY=\"one\ntwo=2\n\"\nB='x'\nC=\nA=1\nD=\"open\n");
  CHECK(sizes == std::map<std::string, std::size_t, std::less<>>{
                     {"A", 2}, {"KEY", 3 + 10}, {"B", 2}, {"C", 1}, {"D", 5}});
  CHECK(env_sizes("").empty());
}
