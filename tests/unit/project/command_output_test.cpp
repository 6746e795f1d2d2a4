#include "project/command_output.hpp"

#include <catch2/catch.hpp>

using namespace vsim::project;

TEST_CASE("a command's output: whole, with whether it succeeded, and any word as one argument") {
  const std::string word = "it's $HOME; a `b` \"c\"\n";
  const CommandOutput said = output_of("printf %s " + shell_quoted(word));
  CHECK(said.text == word);
  CHECK(said.succeeded);
  const CommandOutput failed = output_of("echo out; exit 3");
  CHECK(failed.text == "out\n");
  CHECK_FALSE(failed.succeeded);
}
