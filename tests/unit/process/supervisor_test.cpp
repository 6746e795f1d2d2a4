// Many children at once.
#include "world.hpp"

using namespace vsim;
using namespace vsim::process;
using namespace vsim::process::test;

TEST_CASE("Supervisor: stop_all stops every child and then says so, also when there is none") {
  World w;
  auto a = w.start({fixture("ignores_sigterm.sh")});
  auto b = w.start({fixture("obeys_sigterm.mjs")});
  REQUIRE(w.until_said(*a, "\n"));
  REQUIRE(w.until_said(*b, "\n"));
  bool done = false;
  w.supervisor.stop_all(100ms, [&] {
    CHECK(a->cause == ExitCause(Signaled{SIGKILL, false}));
    CHECK(b->cause == ExitCause(Exited{7}));
    done = true;
  });
  CHECK_FALSE(done);
  REQUIRE(w.until([&] { return done; }));
  done = false;
  w.supervisor.stop_all(1h, [&] { done = true; });
  REQUIRE(w.until([&] { return done; }));
}

TEST_CASE("Supervisor: 40 children at once, each told once with its own code") {
  World w;
  std::vector<std::unique_ptr<Talker>> all;
  for (int i = 0; i < 40; ++i)
    all.push_back(w.start({"sh", "-c", "echo " + std::to_string(i) + "; exit " + std::to_string(i)}));
  for (int i = 0; i < 40; ++i) {
    REQUIRE(w.until_ended(*all[static_cast<std::size_t>(i)]));
    CHECK(all[static_cast<std::size_t>(i)]->cause == ExitCause(Exited{i}));
    CHECK(all[static_cast<std::size_t>(i)]->out == std::to_string(i) + "\n");
  }
}
