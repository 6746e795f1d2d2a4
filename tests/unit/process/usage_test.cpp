// What the kernel tells of a process's place in the queue for a processor.
#include "process/usage.hpp"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdint>
#include <thread>

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

// The kernel's struct sched_attr, as of its first version.
struct Attributes {
  std::uint32_t size = 0, policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime = 0, deadline = 0, period = 0;
};

Attributes attributes_of(pid_t thread) {
  Attributes a;
  REQUIRE(::syscall(SYS_sched_getattr, thread, &a, sizeof a, 0) == 0);
  return a;
}

}  // namespace

TEST_CASE("a thread's slices become short, and neither its share nor what it starts is another") {
  std::thread([] {
    const Attributes before = attributes_of(0);
    process::shorten_slice();
    const Attributes now = attributes_of(0);
    CHECK(now.policy == before.policy);
    CHECK(now.nice == before.nice);
    if (before.runtime == 0) return;  // this kernel has no slices of a thread's own
    CHECK(now.runtime == 100'000);
    const pid_t child = spin();
    CHECK(attributes_of(child).runtime == before.runtime);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }).join();
}

namespace {

// Of this program's file, in pages of its own.
alignas(4096) constinit std::array<char, 3 * 4096> of_the_file{1};

}  // namespace

TEST_CASE("what a program's code takes of its own memory is told, and can be left out of what is its own") {
  CHECK(process::program_memory_of(::getpid()) == 0);
  CHECK(process::program_memory_of(0x3fffffff) == 0);  // above the largest pid
  constexpr std::size_t kPage = 4096;
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    ::mmap(nullptr, kPage, PROT_READ | PROT_EXEC, flags, -1, 0);  // as of a compiler
    ::mmap(of_the_file.data() + kPage, kPage, PROT_READ | PROT_EXEC, flags | MAP_FIXED, -1, 0);
    static_cast<void>(::write(ready[1], "x", 1));
    for (;;) ::pause();
  }
  char word = 0;
  CHECK(::read(ready[0], &word, 1) == 1);
  CHECK(process::program_memory_of(child) == kPage);
  const std::uint64_t own = process::own_memory_of(child);
  CHECK(process::own_memory_of(child, kPage) == own - kPage);
  CHECK(process::own_memory_of(child, own + 1) == 0);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  for (const int end : ready) ::close(end);
}

TEST_CASE("one that is to be killed comes behind the others, whoever asks for it") {
  const pid_t child = spin();
  ::setpgid(child, child);
  process::lower_for_good(child);
  CHECK(::getpriority(PRIO_PROCESS, static_cast<id_t>(child)) ==
        std::min(19, ::getpriority(PRIO_PROCESS, 0) + 10));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

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
