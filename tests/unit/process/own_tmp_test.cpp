#include "process/own_tmp.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "world.hpp"

using namespace vsim::process;
using namespace vsim::process::test;
namespace fs = std::filesystem;

namespace {

// A folder of /tmp, gone with it.
struct Folder {
  std::string path = fmt::format("/tmp/vsim-own-tmp-{}", ::getpid());
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
};

std::string said(World& w, const OwnTmp& own, const std::string& script) { return said(w, own, {}, script); }

}  // namespace

TEST_CASE("own_tmp: the entry of /tmp that a path lies in") {
  CHECK(entry_in_tmp("/tmp/x/y/z") == "/tmp/x");
  CHECK(entry_in_tmp("/tmp/x") == "/tmp/x");
  CHECK(entry_in_tmp("/tmp/x/") == "/tmp/x");
  for (const char* other :
       {"/tmp", "/tmp/", "/tmp//x", "/tmp/../etc", "/tmp/./x", "/var/tmp/x", "/tmpx/y", "tmp/x", ""})
    CHECK(entry_in_tmp(other).empty());
}

TEST_CASE("own_tmp: a child's /tmp is empty, its own, and has the size that it is given") {
  OwnTmp own{1 << 20, {}};
  if (const auto why = why_no_own_tmp(own)) {
    WARN("not tried here: " << *why);
    return;
  }
  World w;
  Folder outside;
  CHECK(said(w, own, "ls -A /tmp; echo one > /tmp/vsim-own-file; cat /tmp/vsim-own-file") == "one\n");
  CHECK_FALSE(fs::exists("/tmp/vsim-own-file"));
  CHECK(said(w, own, "ls -A /tmp; id -u") == fmt::format("{}\n", ::geteuid()));
  CHECK(said(w, own, "head -c 2000000 /dev/zero > /tmp/large").find("No space left on device") !=
        std::string::npos);
  CHECK(said(w, own, "stat -c %a /tmp") == "1777\n");
}

TEST_CASE("own_tmp: what is kept is the same inside and outside, whatever it is") {
  Folder outside;
  std::ofstream(outside.path + "/a") << "text\n";
  const std::string file = outside.path + ".file", link = outside.path + ".link";
  std::ofstream(file) << "file\n";
  fs::create_symlink(outside.path + "/a", link);
  OwnTmp own{1 << 20, {outside.path, file, link, "/tmp/vsim-that-is-not-there"}};
  if (const auto why = why_no_own_tmp(own)) {
    WARN("not tried here: " << *why);
  } else {
    World w;
    CHECK(said(w, own,
               fmt::format("cat {0}/a {1} {2}; echo more > {0}/b; ls -A /tmp | wc -l", outside.path, file,
                           link)) == "text\nfile\ntext\n3\n");
    CHECK(fs::exists(outside.path + "/b"));
  }
  fs::remove(file);
  fs::remove(link);
}

TEST_CASE("own_tmp: a child that has one can be stopped, and its end is told, like any other's") {
  OwnTmp own{1 << 20, {}};
  if (const auto why = why_no_own_tmp(own)) {
    WARN("not tried here: " << *why);
    return;
  }
  World w;
  SpawnOptions o;
  o.argv = {"/bin/sh", "-c", "echo up; sleep 1000"};
  o.own_tmp = own;
  const auto t = w.start(std::move(o));
  REQUIRE(w.until_said(*t, "up"));
  t->child->stop(5s);
  REQUIRE(w.until_ended(*t));
  CHECK(std::get<Signaled>(*t->cause).signal == SIGTERM);
}
