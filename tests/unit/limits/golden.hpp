// Compares a text with a committed file. With VSIM_UPDATE_GOLDEN set the file is written instead: look at the
// difference before committing.
#pragma once

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace vsim::test {

inline void check_golden(const std::string& name, const std::string& actual) {
  const std::string path = std::string(VSIM_SOURCE_DIR) + "/tests/golden/" + name;
  if (std::getenv("VSIM_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << actual;
    return;
  }
  std::ifstream in(path, std::ios::binary);
  INFO(path);
  REQUIRE(in.good());
  std::ostringstream expected;
  expected << in.rdbuf();
  CHECK(actual == expected.str());
}

}  // namespace vsim::test
