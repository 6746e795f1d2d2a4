// How a child ends: by itself, by a stop, by its supervisor's end; with all that it has started.
#include <sys/wait.h>

#include "world.hpp"

using namespace vsim;
using namespace vsim::process;
using namespace vsim::process::test;

TEST_CASE("Child: death by a signal is told with its name") {
  World w;
  auto t = w.start({"sh", "-c", "ulimit -c 0; kill -SEGV $$"});
  REQUIRE(w.until_ended(*t));
  CHECK(*t->cause == ExitCause(Signaled{SIGSEGV, false}));
  CHECK(describe(*t->cause) == "killed by SIGSEGV");
  CHECK(describe(Signaled{SIGABRT, true}) == "killed by SIGABRT (core dumped)");
}

TEST_CASE("Child: a stop lets it say its last word") {
  World w;
  auto t = w.start({fixture("obeys_sigterm.mjs")});
  REQUIRE(w.until_said(*t, "ready"));
  const auto from = Clock::now();
  t->child->stop(15s);
  CHECK_FALSE(t->cause);
  REQUIRE(w.until_ended(*t));
  CHECK(*t->cause == ExitCause(Exited{7}));
  CHECK(t->out.ends_with("bye\n"));
  CHECK(Clock::now() - from < 10s);
}

TEST_CASE("Child: one that ignores SIGTERM is killed after the grace, with its own child") {
  World w;
  auto t = w.start({fixture("ignores_sigterm.sh")});
  REQUIRE(w.until_said(*t, "\n"));
  const pid_t grandchild = static_cast<pid_t>(std::stol(t->out.substr(t->out.rfind(' '))));
  CHECK(alive(grandchild));
  const auto from = Clock::now();
  t->child->stop(150ms);
  REQUIRE(w.until_ended(*t));
  CHECK(*t->cause == ExitCause(Signaled{SIGKILL, false}));
  CHECK(Clock::now() - from >= 150ms);
  CHECK_FALSE(alive(grandchild));
}

TEST_CASE("Child: a second stop with a shorter grace hurries the first") {
  World w;
  auto t = w.start({fixture("ignores_sigterm.sh")});
  REQUIRE(w.until_said(*t, "\n"));
  const auto from = Clock::now();
  t->child->stop(1h);
  t->child->stop(50ms);
  REQUIRE(w.until_ended(*t));
  CHECK(Clock::now() - from >= 50ms);
  CHECK(*t->cause == ExitCause(Signaled{SIGKILL, false}));
}

TEST_CASE("Child: what the leader leaves in its group is gone when its exit is told") {
  World w;
  auto t = w.start({fixture("leaves_orphan.sh")});
  REQUIRE(w.until_ended(*t));
  CHECK(*t->cause == ExitCause(Exited{4}));
  CHECK_FALSE(alive(pid_after(t->out, "orphan")));
}

TEST_CASE("Child: a grandchild gets the rest of the grace when the leader stops first") {
  World w;
  auto t =
      w.start({"sh", "-c",
               "(trap 'echo late; exit' TERM; echo up; sleep 1000 & wait) & trap 'exit 0' TERM; wait; wait"});
  REQUIRE(w.until_said(*t, "up"));
  t->child->stop(15s);
  REQUIRE(w.until_ended(*t));
  CHECK(t->out == "up\nlate\n");
}

TEST_CASE("Child: a grandchild in a session of its own is killed too") {
  World w;
  for (const char* environment : {"same", "clean"}) {
    for (const char* leader : {"stay", "leave"}) {
      CAPTURE(environment, leader);
      auto t = w.start({"node", fixture("detaches.mjs"), environment, leader});
      REQUIRE(w.until_said(*t, "\n"));
      const pid_t grandchild = pid_after(t->out, "detached");
      if (leader == std::string("stay")) {
        CHECK(alive(grandchild));
        t->child->stop(10s);
      }
      REQUIRE(w.until_ended(*t));
      CHECK_FALSE(alive(grandchild));
    }
  }
}

TEST_CASE("Child: keep_detached leaves a session of its own alone") {
  World w;
  SpawnOptions o;
  o.argv = {"node", fixture("detaches.mjs"), "same", "leave"};
  o.keep_detached = true;
  auto t = w.start(std::move(o));
  REQUIRE(w.until_ended(*t));
  const pid_t grandchild = pid_after(t->out, "detached");
  CHECK(alive(grandchild));
  ::kill(grandchild, SIGKILL);
  CHECK(gone_within(grandchild, 10s));
}

TEST_CASE("Child: stopping one child does not touch what another one started") {
  World w;
  auto a = w.start({fixture("obeys_sigterm.mjs")});
  auto b = w.start({"node", fixture("detaches.mjs"), "same", "stay"});
  REQUIRE(w.until_said(*a, "ready"));
  REQUIRE(w.until_said(*b, "\n"));
  const pid_t grandchild = pid_after(b->out, "detached");
  a->child->kill();
  REQUIRE(w.until_ended(*a));
  CHECK(b->child->running());
  CHECK(alive(grandchild));
  b->child->kill();
  REQUIRE(w.until_ended(*b));
  CHECK_FALSE(alive(grandchild));
}

TEST_CASE("Child: a frozen one is killed") {
  World w;
  auto t = w.start({fixture("ignores_sigterm.sh")});
  REQUIRE(w.until_said(*t, "\n"));
  const pid_t grandchild = static_cast<pid_t>(std::stol(t->out.substr(t->out.rfind(' '))));
  t->child->freeze();
  CHECK(t->child->running());
  t->child->kill();
  REQUIRE(w.until_ended(*t));
  CHECK(*t->cause == ExitCause(Signaled{SIGKILL, false}));
  CHECK_FALSE(alive(grandchild));
}

TEST_CASE("Child: a frozen one does nothing until it is thawed, and obeys a stop") {
  World w;
  auto t = w.start({fixture("obeys_sigterm.mjs")});
  REQUIRE(w.until_said(*t, "ready"));
  const auto leader = static_cast<id_t>(t->child->pid());
  t->child->freeze();
  siginfo_t info{};
  REQUIRE(::waitid(P_PID, leader, &info, WSTOPPED | WNOWAIT) == 0);
  CHECK(info.si_code == CLD_STOPPED);
  t->child->signal(SIGUSR1);
  w.io.poll();
  CHECK(t->child->running());
  CHECK(t->out == "ready\n");
  t->child->thaw();
  REQUIRE(w.until_said(*t, "pong"));
  t->child->freeze();
  t->child->stop(15s);
  REQUIRE(w.until_ended(*t));
  CHECK(*t->cause == ExitCause(Exited{7}));
}

TEST_CASE("Child: destroying it kills it without a callback") {
  World w;
  auto t = w.start({fixture("ignores_sigterm.sh")});
  REQUIRE(w.until_said(*t, "\n"));
  const pid_t leader = t->child->pid();
  const pid_t grandchild = static_cast<pid_t>(std::stol(t->out.substr(t->out.rfind(' '))));
  t->child.reset();
  bool done = false;
  w.supervisor.stop_all(0ms, [&] { done = true; });
  REQUIRE(w.until([&] { return done; }));
  CHECK_FALSE(alive(leader));
  CHECK_FALSE(alive(grandchild));
  CHECK_FALSE(t->cause);
}

TEST_CASE("Child: the end of the event loop is the end of the child") {
  pid_t leader, grandchild;
  {
    World w;
    auto t = w.start({fixture("ignores_sigterm.sh")});
    REQUIRE(w.until_said(*t, "\n"));
    leader = t->child->pid();
    grandchild = static_cast<pid_t>(std::stol(t->out.substr(t->out.rfind(' '))));
  }
  CHECK_FALSE(alive(leader));
  CHECK(gone_within(grandchild, 10s));
}

TEST_CASE("Child: may be destroyed in its own exit callback") {
  World w;
  std::unique_ptr<Child> child;
  bool ended = false;
  SpawnOptions o;
  o.argv = {"true"};
  auto r = w.supervisor.spawn(std::move(o), {nullptr, [&](const ExitCause&) {
                                               child.reset();
                                               ended = true;
                                             }});
  REQUIRE(r);
  child = std::move(*r);
  REQUIRE(w.until([&] { return ended; }));
  CHECK_FALSE(child);
}
