// A child in our place: in our session and our process group, with our streams.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <set>

#include "world.hpp"

using namespace vsim;
using namespace vsim::process;
using namespace vsim::process::test;

namespace {

// In our place it has our own streams, so it talks on descriptor 3.
struct InPlace {
  os::Fd read;
  std::unique_ptr<Talker> talker;
  InPlace(World& w, const std::string& script) {
    auto pipe = os::make_pipe();
    REQUIRE(pipe);
    SpawnOptions o;
    o.argv = {"sh", "-c", script};
    o.in_place = true;
    o.inherit = {pipe->write.get()};
    talker = w.start(std::move(o));
    read = std::move(pipe->read);
  }
  std::string line() {
    std::string out;
    char c = 0;
    for (;;) {
      const ssize_t n = ::read(read.get(), &c, 1);
      if (n < 0 && errno == EINTR) continue;  // the death of another child
      if (n != 1 || c == '\n') return out;
      out += c;
    }
  }
};

}  // namespace

TEST_CASE("Child in place: our session and process group, and the mark in its environment") {
  World w;
  InPlace p(w, "cut -d' ' -f5,6 /proc/$$/stat >&3; echo \"${VERCEL_SIM_CHILD%%-*}\" >&3; exit 4");
  CHECK(p.line() == fmt::format("{} {}", ::getpgrp(), ::getsid(0)));
  CHECK(p.line() == std::to_string(::getpid()));
  REQUIRE(w.until_ended(*p.talker));
  CHECK(*p.talker->cause == ExitCause(Exited{4}));
}

TEST_CASE("Child in place: what it leaves behind ends with it, detached or not; we and others do not") {
  World w;
  auto other = w.start({"sh", "-c", "echo ready; exec sleep 1000"});
  REQUIRE(w.until_said(*other, "ready"));
  InPlace p(w,
            "sleep 1001 & echo $! >&3; setsid sleep 1002 & echo $! >&3; (sleep 1003 & echo $! >&3); exit 0");
  std::vector<pid_t> left;
  for (int i = 0; i < 3; ++i) left.push_back(static_cast<pid_t>(std::stol(p.line())));
  REQUIRE(w.until_ended(*p.talker));
  CHECK(*p.talker->cause == ExitCause(Exited{0}));
  for (const pid_t pid : left) CHECK_FALSE(alive(pid));
  CHECK(other->child->running());
}

TEST_CASE("Child in place: a signal reaches all of its descendants, and nobody else of our group") {
  World w;
  InPlace p(w,
            "trap 'echo outer >&3; wait; exit 5' USR1; "
            "sh -c 'trap \"echo inner >&3; exit 0\" USR1; echo ready >&3; while :; do sleep 0.02; done' & "
            "wait");
  CHECK(p.line() == "ready");
  const auto before = ::signal(SIGUSR1, SIG_DFL);  // it would end us
  p.talker->child->signal(SIGUSR1);
  const std::set<std::string> said{p.line(), p.line()};
  CHECK(said == std::set<std::string>{"inner", "outer"});
  REQUIRE(w.until_ended(*p.talker));
  ::signal(SIGUSR1, before);
  CHECK(*p.talker->cause == ExitCause(Exited{5}));
}

TEST_CASE("Child in place: stop gives the grace, then kills all of it") {
  World w;
  InPlace p(w,
            "trap '' TERM; sh -c 'trap \"\" TERM; echo $$ >&3; while :; do sleep 0.02; done' & wait; wait");
  const pid_t inner = static_cast<pid_t>(std::stol(p.line()));
  p.talker->child->stop(100ms);
  REQUIRE(w.until_ended(*p.talker));
  CHECK(*p.talker->cause == ExitCause(Signaled{SIGKILL, false}));
  CHECK_FALSE(alive(inner));
}
