// Of this process itself: it is there, and its memory is what the test makes it.
#include "app/memory_sampler.hpp"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstring>
#include <map>
#include <vector>

#include "process/usage.hpp"

using namespace vsim;
using namespace vsim::app;
using namespace std::chrono_literals;
using instance::InstanceId;

namespace {

constexpr auto kDeadline = 30s;
constexpr std::size_t kBlock = 64 << 20;

struct World {
  template <class F>
  bool until(F done) {
    const auto end = std::chrono::steady_clock::now() + kDeadline;
    while (!done()) {
      if (std::chrono::steady_clock::now() > end) return false;
      if (io.stopped()) io.restart();
      io.run_one_for(10ms);
    }
    return true;
  }
  boost::asio::io_context io;
  std::map<InstanceId, std::vector<std::uint64_t>> told;
  std::map<InstanceId, std::uint64_t> shared;  // the last
  MemorySampler sampler{io, [this](InstanceId id, std::uint64_t bytes, std::uint64_t of_template) {
                          told[id].push_back(bytes);
                          shared[id] = of_template;
                        }};
};

}  // namespace

TEST_CASE("Memory: each of many is measured, again and again") {
  World w;
  for (std::uint64_t n = 1; n <= 30; ++n) w.sampler.watch(InstanceId{n}, ::getpid(), false);
  CHECK(w.until([&] {
    return w.told.size() == 30 &&
           std::all_of(w.told.begin(), w.told.end(), [](const auto& e) { return e.second.size() >= 3; });
  }));
}

TEST_CASE("Memory: what a process has taken is seen, and that it has given it back") {
  World w;
  const InstanceId id{1};
  w.sampler.watch(id, ::getpid(), false);
  REQUIRE(w.until([&] { return !w.told[id].empty(); }));
  const std::uint64_t before = w.told[id].back();
  CHECK(before > 1'000'000);
  // Not from the heap: a sanitizer keeps what was freed there.
  void* block = ::mmap(nullptr, kBlock, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(block != MAP_FAILED);
  std::memset(block, 1, kBlock);
  w.sampler.used(id);
  CHECK(w.until([&] { return w.told[id].back() > before + kBlock * 9 / 10; }));
  // Both ways of measuring say the same, pages that are shared and change hands aside.
  const auto whole = static_cast<double>(process::memory_of(::getpid()));
  CHECK(static_cast<double>(w.told[id].back()) == Approx(whole).margin(16e6));
  ::munmap(block, kBlock);
  CHECK(w.until([&] { return w.told[id].back() < before + kBlock / 2; }));
}

TEST_CASE("Memory: after the first invocation it is told at once, later on soon") {
  World w;
  const InstanceId id{1};
  w.sampler.watch(id, ::getpid(), false);
  w.sampler.served(id);
  CHECK(w.told[id].size() == 1);
  w.sampler.served(id);
  CHECK(w.told[id].size() == 1);
  CHECK(w.until([&] { return w.told[id].size() >= 3; }));
}

TEST_CASE("Memory: a copy is told as what it has of its own alone, each time") {
  World w;
  const InstanceId copy{1}, started{2};
  w.sampler.watch(copy, ::getpid(), true);
  w.sampler.watch(started, ::getpid(), false);
  REQUIRE(w.until([&] { return w.told[copy].size() >= 3 && w.told[started].size() >= 3; }));
  const auto own = static_cast<double>(process::own_memory_of(::getpid()));
  for (const std::uint64_t bytes : w.told[copy]) CHECK(static_cast<double>(bytes) == Approx(own).margin(2e6));
  CHECK(w.told[started].back() > w.told[copy].back());  // the pages of this program's file
}

TEST_CASE("Memory: what a copy's program takes is none of the copy's") {
  constexpr std::uint64_t kProgram = 1'000'000;
  World w;
  const InstanceId copy{1}, other{2};
  w.sampler.watch(copy, ::getpid(), true, kProgram);
  w.sampler.watch(other, ::getpid(), true);
  w.sampler.served(copy);
  w.sampler.served(other);
  REQUIRE(w.until([&] { return w.told[copy].size() >= 3 && w.told[other].size() >= 3; }));
  for (std::size_t i = 0; i < 3; ++i) {
    const auto all = static_cast<double>(w.told[other][i]);
    CHECK(static_cast<double>(w.told[copy][i]) == Approx(all - double{kProgram}).margin(0.3e6));
  }
}

TEST_CASE("Memory: what a copy shares is what it has not written to since it began") {
  constexpr std::size_t kWritten = kBlock / 4;
  void* block = ::mmap(nullptr, kBlock, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(block != MAP_FAILED);
  std::memset(block, 1, kBlock);
  int go[2];
  REQUIRE(::pipe(go) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    char word = 0;
    if (::read(go[0], &word, 1) == 1) std::memset(block, 2, kWritten);
    for (;;) ::pause();
  }
  World w;
  const InstanceId copy{1}, started{2};
  w.sampler.watch(copy, child, true);
  w.sampler.watch(started, ::getpid(), false);
  CHECK(w.until([&] { return w.told[copy].size() >= 2 && !w.told[started].empty(); }));
  const std::uint64_t before = w.shared[copy];
  CHECK(before > kBlock * 9 / 10);
  CHECK(before <= w.told[copy].back());
  CHECK(w.shared[started] == 0);
  CHECK(::write(go[1], "x", 1) == 1);
  CHECK(w.until([&] { return w.shared[copy] <= before - kWritten; }));
  CHECK(w.shared[copy] > before - kWritten - (8 << 20));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  for (const int end : go) ::close(end);
  ::munmap(block, kBlock);
}

TEST_CASE("Memory: nobody is told of those that are forgotten or gone, nor after the stop") {
  World w;
  const InstanceId gone{1}, forgotten{2}, there{3};
  w.sampler.watch(gone, 0x3fffffff, false);  // above the largest pid
  w.sampler.watch(forgotten, ::getpid(), true);
  w.sampler.watch(there, ::getpid(), false);
  w.sampler.forget(forgotten);
  CHECK(w.until([&] { return w.told[there].size() >= 2; }));
  CHECK(w.told[gone].empty());
  CHECK(w.told[forgotten].empty());
  w.sampler.used(there);
  w.sampler.stop();
  const std::size_t until_now = w.told[there].size();
  w.io.run();  // nothing is left to wait for
  CHECK(w.told[there].size() == until_now);
}
