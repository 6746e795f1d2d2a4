#include "process/memory_group.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <vector>

#include "world.hpp"

using namespace vsim::process;

namespace {

char* volatile kept = nullptr;

// A child that begins once it is told to, and then takes that many bytes.
struct Eater {
  int go[2] = {-1, -1};
  pid_t pid = -1;
  explicit Eater(std::size_t bytes) {
    REQUIRE(::pipe(go) == 0);
    pid = ::fork();
    if (pid != 0) return;
    char word = 0;
    if (::read(go[0], &word, 1) != 1) ::_exit(3);
    for (std::size_t had = 0; had < bytes; had += 1 << 20) {
      auto* piece = new char[1 << 20];
      std::memset(piece, 1, 1 << 20);
      kept = piece;
    }
    ::_exit(0);
  }
  int status() {
    REQUIRE(::write(go[1], "x", 1) == 1);
    int out = 0;
    REQUIRE(::waitpid(pid, &out, 0) == pid);
    ::close(go[0]);
    ::close(go[1]);
    return out;
  }
};

}  // namespace

TEST_CASE("memory_group: the memory controller is version 1's where it is named, else version 2's") {
  const auto of = [](std::string_view text) {
    const MemoryHierarchy h = memory_hierarchy(text);
    return std::pair(h.unified, h.path);
  };
  CHECK(of("5:devices:/\n4:memory:/a/b\n0::/\n") == std::pair(false, std::string("/a/b")));
  CHECK(of("4:cpu,memory:/a:b\n0::/x\n") == std::pair(false, std::string("/a:b")));
  CHECK(of("0::/user.slice/x.scope\n") == std::pair(true, std::string("/user.slice/x.scope")));
  CHECK(of("1:memorystat:/a\n0::/b\n") == std::pair(true, std::string("/b")));
  CHECK(of("").second.empty());
  CHECK(of("no line of it\n").second.empty());
}

TEST_CASE(
    "memory_group: who takes more than the group has is ended by the kernel, and who takes less is not") {
  auto groups = MemoryGroups::find();
  if (!groups) {
    WARN("not tried here: " << groups.error().message);
    return;
  }
  {
    Eater small(8 << 20), large(256 << 20);
    const auto one = (*groups)->around(small.pid, 64 << 20), other = (*groups)->around(large.pid, 64 << 20);
    REQUIRE(one);
    REQUIRE(other);
    const int ended = small.status(), killed = large.status();
    CHECK((WIFEXITED(ended) && WEXITSTATUS(ended) == 0));
    CHECK((WIFSIGNALED(killed) && WTERMSIG(killed) == SIGKILL));
    CHECK_FALSE(one->killed());
    CHECK(other->killed());
  }
  CHECK((*groups)->around(-7, 64 << 20) == nullptr);
}
