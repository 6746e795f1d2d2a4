#include "log/log.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace vsim;
using log::Logger;
using log::LogLevel;
namespace fs = std::filesystem;

namespace {

struct Folder {
  std::string path;
  Folder() {
    char name[] = "/tmp/vsim-log-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
  std::string file(const char* name) const { return path + "/" + name; }
};

std::string text_of(const std::string& path) {
  std::stringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

void write_file(const std::string& path, std::string_view text) { std::ofstream(path) << text; }

log::LogOptions to_file(const std::string& file, LogLevel level = LogLevel::debug) {
  log::LogOptions options;
  options.level = level;
  options.file = file;
  return options;
}

std::string refusal_of(log::LogOptions options) {
  const auto session = log::LogSession::begin(std::move(options));
  return session ? "" : session.error().message;
}

struct Counted {
  int* formatted;
};

}  // namespace

template <>
struct fmt::formatter<Counted> : fmt::formatter<std::string_view> {
  auto format(const Counted& c, format_context& out) const {
    ++*c.formatted;
    return fmt::formatter<std::string_view>::format("counted", out);
  }
};

TEST_CASE("log: a line has time, level and module, and the file is its owner's alone") {
  const Folder folder;
  const std::string file = folder.file("own.log");
  {
    const auto session = log::LogSession::begin(to_file(file));
    REQUIRE(session);
    log::debug(Logger::process, "started pid {}", 12);
    log::warn(Logger::net, "a line\nand \x1b[31mmore");
  }
  log::warn(Logger::net, "after the end");
  const std::string text = text_of(file);
  CHECK_THAT(text, Catch::Matches(R"(vercel-sim: its own log
\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z debug   process started pid 12
\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z warning net     a line\?and \?\[31mmore
)"));
  struct stat found {};
  REQUIRE(::stat(file.c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0600);
}

TEST_CASE("log: what is below the level is not even formatted") {
  const Folder folder;
  int formatted = 0;
  log::warn(Logger::app, "{}", Counted{&formatted});  // no session at all
  const auto session = log::LogSession::begin(to_file(folder.file("own.log"), LogLevel::info));
  REQUIRE(session);
  log::debug(Logger::app, "{}", Counted{&formatted});
  CHECK(formatted == 0);
  log::info(Logger::app, "{}", Counted{&formatted});
  CHECK(formatted == 1);
}

TEST_CASE("log: every line is masked") {
  const Folder folder;
  auto options = to_file(folder.file("own.log"));
  options.mask = [](std::string_view line) {
    std::string out(line);
    if (const auto at = out.find("secret"); at != std::string::npos) out.replace(at, 6, "***");
    return out;
  };
  {
    const auto session = log::LogSession::begin(options);
    log::info(Logger::cli, "the secret of {}", 1);
  }
  CHECK(text_of(options.file).find("the *** of 1") != std::string::npos);
  CHECK(text_of(options.file).find("secret") == std::string::npos);
}

TEST_CASE("log: a file that is full becomes an older one, and the oldest goes") {
  const Folder folder;
  auto options = to_file(folder.file("own.log"));
  options.most_bytes = 2000;
  options.kept = 2;
  {
    const auto session = log::LogSession::begin(options);
    REQUIRE(session);
    for (int i = 0; i < 200; ++i) log::info(Logger::app, "line {:03}", i);
  }
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(folder.path)) {
    ++files;
    CHECK(entry.file_size() <= 2100);
    CHECK(text_of(entry.path()).starts_with("vercel-sim: its own log\n"));
    struct stat found {};
    REQUIRE(::stat(entry.path().c_str(), &found) == 0);
    CHECK((found.st_mode & 0777) == 0600);
  }
  CHECK(files == 3);
  CHECK(text_of(folder.file("own.log")).find("line 199") != std::string::npos);
  CHECK(text_of(folder.file("own.1.log")).find("line 199") == std::string::npos);
  // The next run writes behind it.
  {
    const auto session = log::LogSession::begin(options);
    log::info(Logger::app, "the next run");
  }
  CHECK(text_of(folder.file("own.log")).find("the next run") != std::string::npos);
}

TEST_CASE("log: nothing that is not ours is written to, moved or removed") {
  const Folder folder;
  const std::string mine = folder.file("notes.log");
  write_file(mine, "my notes\n");
  CHECK(refusal_of(to_file(mine)) == "--log-file " + mine + ": a file that is no log of vercel-sim");
  CHECK(text_of(mine) == "my notes\n");

  // Nor what would become an older one.
  const std::string older = folder.file("own.2.log");
  write_file(older, "my notes\n");
  CHECK(refusal_of(to_file(folder.file("own.log"))) ==
        "--log-file " + older + ": a file that is no log of vercel-sim");
  CHECK(text_of(older) == "my notes\n");

  const std::string link = folder.file("link.log");
  REQUIRE(::symlink(mine.c_str(), link.c_str()) == 0);
  CHECK(refusal_of(to_file(link)) == "--log-file " + link + ": a symbolic link");
  CHECK(refusal_of(to_file(folder.file("none/own.log"))).ends_with("No such file or directory"));
  CHECK_FALSE(fs::exists(folder.file("none")));
  CHECK(refusal_of(to_file("/dev/null")) == "--log-file /dev/null: not a regular file");
}

TEST_CASE("log: nobody waits for a pipe that is not read, and the end comes all the same") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const int before = ::dup(STDERR_FILENO);
  REQUIRE(::dup2(ends[1], STDERR_FILENO) == STDERR_FILENO);
  log::LogOptions options;
  options.level = LogLevel::debug;
  const auto begun = std::chrono::steady_clock::now();
  {
    const auto session = log::LogSession::begin(options);
    const std::string long_line(200, 'x');
    for (int i = 0; i < 20'000; ++i) log::debug(Logger::app, "{}", long_line);
    ::dup2(before, STDERR_FILENO);
  }
  const auto took = std::chrono::steady_clock::now() - begun;
  ::close(ends[0]);  // lets it go
  ::close(ends[1]);
  ::close(before);
  CHECK(took < std::chrono::seconds(30));  // a wait without an end would be the fault
}

TEST_CASE("log: the names of levels") {
  LogLevel level = LogLevel::off;
  CHECK(log::parse_level("warn", level));
  CHECK(level == LogLevel::warn);
  CHECK_FALSE(log::parse_level("loud", level));
  CHECK_FALSE(log::parse_level("", level));
}
