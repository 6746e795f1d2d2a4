#include "process/run_dir.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "process/guardian.hpp"
#include "process/os.hpp"

namespace fs = std::filesystem;
using namespace vsim;
using namespace vsim::process;

namespace {

struct Scratch {
  std::string path;
  Scratch() {
    char name[] = "/tmp/vsim-test-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    path = name;
  }
  ~Scratch() { fs::remove_all(path); }
};

// A pid that is certainly dead: a child that ended and was reaped.
pid_t dead_pid() {
  const os::Fd null = os::open_null_device();
  os::Launch l;
  l.argv = {"/bin/true"};
  l.input = l.output = l.error = null.get();
  const auto pid = os::launch(l);
  REQUIRE(pid);
  while (!os::peek_exit(*pid)) ::usleep(100);
  os::reap(*pid);
  return *pid;
}

}  // namespace

TEST_CASE("RunDir: private, short, and gone with all it holds at the end") {
  Scratch scratch;
  std::string path;
  {
    auto dir = RunDir::create_in(scratch.path + "/base", nullptr);
    REQUIRE(dir);
    path = dir->path();
    struct stat st;
    REQUIRE(::stat(path.c_str(), &st) == 0);
    CHECK((st.st_mode & 0777) == 0700);
    CHECK(dir->socket_path(std::string(40, 'n')).size() <= 107);
    std::ofstream(dir->socket_path("file")) << "x";
    RunDir moved = std::move(*dir);
    CHECK(fs::exists(path));
  }
  CHECK_FALSE(fs::exists(path));
  CHECK(fs::exists(scratch.path + "/base"));
}

TEST_CASE("RunDir: directories of dead runs are removed, those in use and foreign files are not") {
  Scratch scratch;
  const std::string stale = scratch.path + "/" + std::to_string(dead_pid()) + "-abcd";
  fs::create_directory(stale);
  std::ofstream(stale + "/left.sock") << "x";
  fs::create_directory(scratch.path + "/notes");
  fs::create_directory(scratch.path + "/victim");
  fs::create_directory_symlink(scratch.path + "/victim",
                               scratch.path + "/" + std::to_string(dead_pid()) + "-link");
  auto a = RunDir::create_in(scratch.path, nullptr);
  REQUIRE(a);
  auto b = RunDir::create_in(scratch.path, nullptr);
  REQUIRE(b);
  CHECK_FALSE(fs::exists(stale));
  CHECK(fs::exists(scratch.path + "/notes"));
  CHECK(fs::exists(scratch.path + "/victim"));
  CHECK(fs::exists(a->path()));
  CHECK(a->path() != b->path());
}

TEST_CASE("RunDir: a directory in use is kept although its pid is dead here, as in another container") {
  Scratch scratch;
  auto a = RunDir::create_in(scratch.path, nullptr);
  REQUIRE(a);
  const std::string elsewhere = scratch.path + "/" + std::to_string(dead_pid()) + "-0000";
  fs::rename(a->path(), elsewhere);
  auto b = RunDir::create_in(scratch.path, nullptr);
  REQUIRE(b);
  CHECK(fs::exists(elsewhere));
}

TEST_CASE("RunDir: a link or a file in its place is refused, wide rights are narrowed") {
  Scratch scratch;
  fs::create_directory(scratch.path + "/real");
  fs::create_directory_symlink(scratch.path + "/real", scratch.path + "/link");
  auto link = RunDir::create_in(scratch.path + "/link", nullptr);
  REQUIRE_FALSE(link);
  CHECK(link.error().message ==
        "cannot use " + scratch.path + "/link: it is not a directory (a link, perhaps)");
  std::ofstream(scratch.path + "/file") << "x";
  CHECK_FALSE(RunDir::create_in(scratch.path + "/file", nullptr));
  ::chmod((scratch.path + "/real").c_str(), 0777);
  CHECK(RunDir::create_in(scratch.path + "/real", nullptr));
  CHECK((fs::status(scratch.path + "/real").permissions() & fs::perms::mask) == fs::perms::owner_all);
}

TEST_CASE("RunDir: a directory of another user is refused") {
  if (::geteuid() != 0) {
    WARN("needs root to make a directory of another user");
    return;
  }
  Scratch scratch;
  const std::string base = scratch.path + "/theirs";
  fs::create_directory(base);
  REQUIRE(::chown(base.c_str(), 65534, 65534) == 0);
  auto dir = RunDir::create_in(base, nullptr);
  REQUIRE_FALSE(dir);
  CHECK(dir.error().message == "cannot use " + base + ": it belongs to another user (uid 65534)");
}

TEST_CASE("RunDir: a base too long for sockets is refused") {
  auto dir = RunDir::create_in("/tmp/" + std::string(90, 'a'), nullptr);
  REQUIRE_FALSE(dir);
  CHECK(dir.error().fix == "use one of at most 53 characters");
}
