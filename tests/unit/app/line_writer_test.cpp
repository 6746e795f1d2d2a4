#include "app/line_writer.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>

namespace vsim::app {
namespace {

/// As the program does before it writes anywhere (Emulator::run): a reader that left is an error code,
/// whichever case's thread meets it first.
const auto kSigpipeIgnored = std::signal(SIGPIPE, SIG_IGN);

void say(LineWriter& writer, std::string_view text) {
  writer.append([&](std::string& out) { out.append(text); });
}

TEST_CASE("LineWriter: everything is written, in order, before its end") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  {
    LineWriter writer(ends[1], true);
    for (int i = 0; i < 100; ++i) say(writer, std::to_string(i) + "\n");
  }
  std::string got, expected;
  char buffer[4096];
  for (ssize_t n; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;)
    got.append(buffer, static_cast<std::size_t>(n));
  for (int i = 0; i < 100; ++i) expected += std::to_string(i) + "\n";
  CHECK(got == expected);
  ::close(ends[0]);
}

TEST_CASE("LineWriter: a pipe that nobody reads holds up neither the producer nor the end") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const auto start = std::chrono::steady_clock::now();
  {
    LineWriter writer(ends[1]);
    for (int i = 0; i < 100; ++i) say(writer, std::string(100000, 'x'));
    writer.flush();
    CHECK(writer.error() == 0);
  }
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(10));
  ::close(ends[0]);  // lets the thread go: it gets EPIPE
}

TEST_CASE("LineWriter: what cannot be written is told with its reason") {
  SECTION("a full disk") {
    LineWriter writer(::open("/dev/full", O_WRONLY | O_CLOEXEC), true);
    say(writer, "line\n");
    writer.flush();
    CHECK(writer.error() == ENOSPC);
    say(writer, "line\n");
    writer.flush();  // does not wait for what will never be written
    CHECK(writer.error() == ENOSPC);
  }
  SECTION("a reader that left") {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    ::close(ends[0]);
    LineWriter writer(ends[1], true);
    say(writer, "line\n");
    writer.flush();
    CHECK(writer.error() == EPIPE);
  }
}

}  // namespace
}  // namespace vsim::app
