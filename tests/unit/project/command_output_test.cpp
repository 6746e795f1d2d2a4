#include "project/command_output.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>

#include "unit/project/temp_tree.hpp"

using namespace vsim::project;
using namespace std::chrono_literals;

namespace {

CommandOutput shell(const std::string& line, std::chrono::milliseconds patience = kPatience) {
  return output_of({"sh", "-c", line}, patience);
}

// Whether the process whose number is in the file is gone, or dead and not yet waited for by whoever has
// inherited it.
bool is_gone(const std::string& file) {
  return std::system(("p=$(cat " + shell_quoted(file) +
                      "); for i in 1 2 3 4 5 6 7 8 9; do grep -q '^State:.*[SRD]' /proc/$p/status "
                      "2>/dev/null || exit 0; sleep 0.2; done; exit 1")
                         .c_str()) == 0;
}

}  // namespace

TEST_CASE("a command's output: whole, with whether it succeeded, and any word as one argument") {
  const std::string word = "it's $HOME; a `b` \"c\"\n";
  const CommandOutput said = output_of({"printf", "%s", word});
  CHECK(said.text == word);
  CHECK(said.succeeded);
  CHECK(shell("printf %s " + shell_quoted(word)).text == word);
  const CommandOutput failed = shell("echo out; exit 3");
  CHECK(failed.text == "out\n");
  CHECK_FALSE(failed.succeeded);
  CHECK_FALSE(output_of({"no-such-program-here"}).succeeded);
}

TEST_CASE("a command that never ends is killed with what it has started, and reads nothing of ours") {
  TempTree t;
  const CommandOutput said =
      shell("echo half; sleep 1000 & echo $! > " + shell_quoted(t.path("pid")) + "; wait", 300ms);
  CHECK_FALSE(said.succeeded);
  CHECK(said.text.empty());
  CHECK(is_gone(t.path("pid")));
  CHECK(output_of({"cat"}).succeeded);
  CHECK_FALSE(shell("exec >&-; exec sleep 1000", 300ms).succeeded);  // says no more, and goes on
}

// A repository can name a file to include, and git opens whatever it is.
TEST_CASE("git that waits for a pipe is not waited for") {
  TempTree t;
  t.write("a.ts", "");
  REQUIRE(std::system(("cd " + shell_quoted(t.path("")) +
                       " && git init -q . && git add a.ts && mkfifo pipe && git config include.path ../pipe")
                          .c_str()) == 0);
  CHECK_FALSE(output_of({"git", "-C", t.path(""), "ls-files"}, 300ms).succeeded);
}

TEST_CASE("a command goes with us, however we go") {
  TempTree t;
  const std::string pid = t.path("pid");
  const pid_t asks = ::fork();
  if (asks == 0) {
    shell("echo $$ > " + shell_quoted(pid) + ".new; mv " + shell_quoted(pid) + ".new " + shell_quoted(pid) +
          "; exec sleep 1000");
    ::_exit(0);
  }
  REQUIRE(std::system(
              ("for i in $(seq 100); do test -s " + shell_quoted(pid) + " && exit 0; sleep 0.1; done; exit 1")
                  .c_str()) == 0);
  ::kill(asks, SIGKILL);
  ::waitpid(asks, nullptr, 0);
  CHECK(is_gone(pid));
}
