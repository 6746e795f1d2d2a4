#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "process/own_tmp.hpp"
#include "world.hpp"

using namespace vsim::process;
using namespace vsim::process::test;
namespace fs = std::filesystem;

namespace {

// A project, and folders beside it, gone with it.
struct Disk {
  fs::path root = fmt::format("/var/tmp/vsim-read-only-{}", ::getpid());
  Disk() {
    fs::create_directories(root / "app/data");
    fs::create_directories(root / "other");
  }
  ~Disk() { fs::remove_all(root); }
  std::string at(std::string_view name) const { return root / name; }
  OwnTmp own(std::vector<std::string> writable) const {
    OwnTmp own{1 << 20, {}};
    own.disk = ReadOnly{at("app"), std::move(writable)};
    return own;
  }
};

const std::string kRefused = "Read-only file system";

}  // namespace

TEST_CASE("read_only: the lines of a disk, parents first, the project marked") {
  OwnTmp own{100, {"/tmp/a"}};
  own.disk = ReadOnly{"/home/app", {"/run/x", "/home/app/data"}};
  CHECK(text_of(own) ==
        "size=100,mode=1777\n/tmp/a\n+/dev\n=/home/app\n+/home/app/data\n+/proc\n+/run/x\n+/tmp");
  own.mounted = false;
  CHECK(text_of(own) == "-\n+/dev\n=/home/app\n+/home/app/data\n+/proc\n+/run/x\n+/tmp");
}

TEST_CASE("read_only: a child writes to /tmp and to what is named, and to nothing else") {
  Disk disk;
  const OwnTmp own = disk.own({disk.at("app/data"), disk.at("gone")});
  if (const auto why = why_no_own_tmp(own)) {
    WARN("not tried here: " << *why);
    return;
  }
  World w;
  const auto refused = [&](const std::string& command) {
    const std::string text = said(w, own, disk.at("app"), command);
    INFO(command << ": " << text);
    CHECK(text.find(kRefused) != std::string::npos);
  };
  refused("echo 1 > file");
  refused("echo 1 > " + disk.at("app/file"));
  refused("echo 1 > " + disk.at("other/file"));
  refused("mkdir " + disk.at("app/new"));
  refused("rm -r " + disk.at("app/data"));
  CHECK(said(w, own, disk.at("app"),
             "echo 1 > /tmp/x && echo 2 > data/y && echo 3 > /dev/null && cat /tmp/x data/y && pwd") ==
        fmt::format("1\n2\n{}\n", disk.at("app")));
  CHECK(fs::exists(disk.at("app/data/y")));
  CHECK_FALSE(fs::exists(disk.at("app/file")));
  CHECK_FALSE(fs::exists(disk.at("other/file")));
}

TEST_CASE("read_only: with /tmp as it is outside, which stays writable, but for a project that lies in it") {
  const fs::path root = fmt::format("/tmp/vsim-read-only-{}", ::getpid());
  fs::create_directories(root / "app");
  OwnTmp own;
  own.mounted = false;
  own.disk = ReadOnly{(root / "app").string(), {}};
  if (const auto why = why_no_own_tmp(own)) {
    WARN("not tried here: " << *why);
  } else {
    World w;
    CHECK(said(w, own, root / "app", "echo 1 > ../x; cat ../x; echo 1 > y").find(kRefused) !=
          std::string::npos);
    CHECK(fs::exists(root / "x"));
    CHECK_FALSE(fs::exists(root / "app/y"));
  }
  fs::remove_all(root);
}

TEST_CASE("read_only: by a descriptor that it is given a child writes where it could outside") {
  Disk disk;
  const OwnTmp own = disk.own({});
  if (const auto why = why_no_own_tmp(own)) {
    WARN("not tried here: " << *why);
    return;
  }
  World w;
  const std::string find =
      "for n in 3 4 5 6 7; do [ \"$(readlink /proc/self/fd/$n)\" = / ] && all=/proc/$$/fd/$n; done; ";
  CHECK(said(w, own, disk.at("app"), find + "echo 1 > $all" + disk.at("app/file") + "; cat file") == "1\n");
}
