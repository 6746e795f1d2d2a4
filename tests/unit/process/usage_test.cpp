// What the kernel tells of a process's place in the queue for a processor.
#include "process/usage.hpp"

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <chrono>

using namespace vsim;
using namespace std::chrono_literals;

namespace {

// Wants the first processor that we may use, all the time.
pid_t spin() {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  cpu_set_t allowed, one;
  ::sched_getaffinity(0, sizeof allowed, &allowed);
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &allowed)) {
      CPU_SET(cpu, &one);
      break;
    }
  ::sched_setaffinity(0, sizeof one, &one);
  for (;;) static_cast<void>(std::chrono::steady_clock::now());
}

}  // namespace

TEST_CASE("who shares a processor waits for it, and that is told; a process that is gone tells nothing") {
  if (process::wanted_processor(::getpid()) == Duration::zero()) return;  // this kernel does not tell
  const std::array<pid_t, 2> both{spin(), spin()};
  const auto end = std::chrono::steady_clock::now() + 20s;
  while (process::waited_for_processor(both[0]) < 20ms && std::chrono::steady_clock::now() < end)
    ::sched_yield();
  CHECK(process::waited_for_processor(both[0]) >= 20ms);
  CHECK(process::wanted_processor(both[0]) > process::waited_for_processor(both[0]));
  for (const pid_t pid : both) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  CHECK(process::waited_for_processor(both[0]) == Duration::zero());
}
