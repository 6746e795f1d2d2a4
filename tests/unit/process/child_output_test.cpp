// What a child says and hears: both streams, whole, as it is written; a terminal of its own.
#include "world.hpp"

using namespace vsim;
using namespace vsim::process;
using namespace vsim::process::test;

TEST_CASE("Child: exit code, both streams, and all output before the exit") {
  World w;
  auto t = w.start({"sh", "-c", "echo to-out; echo to-err >&2; exit 3"});
  CHECK(t->child->running());
  REQUIRE(w.until_ended(*t));
  CHECK(*t->cause == ExitCause(Exited{3}));
  CHECK(t->out == "to-out\n");
  CHECK(t->err == "to-err\n");
  CHECK_FALSE(t->child->running());
  CHECK(describe(*t->cause) == "exited with code 3");
}

TEST_CASE("Child: output comes as it is written, not at the end of a line") {
  World w;
  SpawnOptions o;
  o.argv = {"sh", "-c", "printf part; read never; printf unreachable"};
  o.input = SpawnOptions::Input::open;
  auto t = w.start(std::move(o));
  REQUIRE(w.until_said(*t, "part"));
  CHECK(t->child->running());
  t->child->kill();
  REQUIRE(w.until_ended(*t));
  CHECK(t->out == "part");
}

TEST_CASE("Child: its input is at its end unless asked otherwise") {
  World w;
  auto t = w.start({"sh", "-c", "cat; exit 5"});
  REQUIRE(w.until_ended(*t));
  CHECK(*t->cause == ExitCause(Exited{5}));
}

TEST_CASE("Child: a burst of 1 MiB before the exit arrives whole") {
  World w;
  auto t = w.start({"node", fixture("burst.mjs")});
  REQUIRE(w.until_ended(*t));
  CHECK(*t->cause == ExitCause(Exited{9}));
  CHECK(t->err == "before\n");
  CHECK(t->out.size() == 1u << 20);
  CHECK(t->out.find_first_not_of('x') == std::string::npos);
}

TEST_CASE("Child: what fills a pipe to the brim at the moment of death arrives whole") {
  World w;
  auto t = w.start({"sh", "-c", "head -c 65536 /dev/zero; kill -9 $$"});
  REQUIRE(w.until_ended(*t));
  CHECK(*t->cause == ExitCause(Signaled{SIGKILL, false}));
  CHECK(t->out.size() == 65536);
}

TEST_CASE("Child: output that is being read at the moment of death is not lost") {
  World w;
  for (int i = 0; i < 100; ++i) {
    auto t = w.start({"sh", "-c", "head -c 300000 /dev/zero; head -c 70000 /dev/zero >&2; exit 2"});
    REQUIRE(w.until_ended(*t));
    REQUIRE(t->out.size() == 300000);
    REQUIRE(t->err.size() == 70000);
  }
}

TEST_CASE("Child: on a pty it believes in a terminal, of our size, and follows its changes") {
  World w;
  SpawnOptions o;
  o.argv = {"node", fixture("terminal.mjs")};
  o.output = SpawnOptions::Output::pty;
  o.window = {123, 45};
  set_env(o.env, "TERM", "xterm-256color");
  unset_env(o.env, "NO_COLOR");
  unset_env(o.env, "NODE_DISABLE_COLORS");
  unset_env(o.env, "CI");  // with it Node assumes a log without colours
  auto t = w.start(std::move(o));
  REQUIRE(w.until_said(*t, "start"));
  CHECK(t->out == "start true 123x45 depth true\n");
  t->child->resize({99, 20});
  REQUIRE(w.until_ended(*t));
  CHECK(t->out == "start true 123x45 depth true\nresized true 99x20 depth true\n");
  CHECK(t->err.empty());
}
