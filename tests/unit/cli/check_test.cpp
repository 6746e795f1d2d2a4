// `vercel-sim check` on directories: what it reads, and its exit codes. What the rules say is test_check's
// business.
#include "cli/check.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

using namespace vsim::cli;
namespace fs = std::filesystem;

namespace {

struct Directory {
  Directory() {
    std::string name = (fs::temp_directory_path() / "vsim-check-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Directory() { fs::remove_all(path); }
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((path / name).parent_path());
    std::ofstream(path / name) << text;
  }
  fs::path path;
};

struct Result {
  int code;
  std::string out;
};

// Standard output goes to a file meanwhile, standard error nowhere.
Result run(const CheckOptions& options) {
  const Directory at;
  const std::string file = (at.path / "out").string();
  std::fflush(stdout);
  std::fflush(stderr);
  const int out = ::dup(1), err = ::dup(2);
  const int to = ::open(file.c_str(), O_WRONLY | O_CREAT, 0600), null = ::open("/dev/null", O_WRONLY);
  ::dup2(to, 1);
  ::dup2(null, 2);
  const int code = run_check(options);
  std::fflush(stdout);
  std::fflush(stderr);
  ::dup2(out, 1);
  ::dup2(err, 2);
  for (const int fd : {out, err, to, null}) ::close(fd);
  std::ifstream in(file);
  return {code, {std::istreambuf_iterator<char>(in), {}}};
}

CheckOptions options_for(const fs::path& directory, CheckFormat format = CheckFormat::text) {
  CheckOptions c;
  c.directory = directory.string();
  c.format = format;
  return c;
}

constexpr const char* kServer =
    "import { Server } from 'socket.io';\nexport function GET() { new Server(); }\n";

}  // namespace

TEST_CASE("check: an error found is exit code 2, none is 0, wherever packages are not installed") {
  const Directory d;
  d.write("package.json", R"({"dependencies": {"next": "16.4.6"}})");
  d.write("app/page.tsx", "export default function Page() { return null; }\n");
  const Result clean = run(options_for(d.path));
  CHECK(clean.code == 0);
  CHECK(clean.out == "0 errors, 0 warnings, 0 notes in 1 file (profile hobby)\n");
  d.write("app/api/s/route.ts", kServer);
  const Result found = run(options_for(d.path, CheckFormat::github));
  CHECK(found.code == 2);
  CHECK(found.out.starts_with("::error file=app/api/s/route.ts,line=2,col=25,"));
  CheckOptions fluid = options_for(d.path);
  fluid.profile = "hobby-fluid";
  fluid.profile_given = true;
  CHECK(run(fluid).code == 0);  // a warning there
}

TEST_CASE(
    "check: without --profile, vercel-sim.yaml, vercel.json or the project's age says which, as for run") {
  const Directory d;
  d.write("package.json", R"({"dependencies": {"next": "16.4.6"}})");
  d.write("app/api/s/route.ts", kServer);
  const auto profile_of = [&] {
    const std::string out = run(options_for(d.path)).out;
    return out.substr(out.rfind("(profile ") + 9);
  };
  CHECK(profile_of() == "hobby)\n");
  d.write(".vercel/project.json", R"({"settings": {"createdAt": 1760000000000}})");
  CHECK(profile_of() == "hobby-fluid)\n");
  d.write("vercel.json", R"({"fluid": false})");
  CHECK(profile_of() == "hobby)\n");
  d.write("vercel-sim.yaml", "profile: pro-fluid\n");
  CHECK(profile_of() == "pro-fluid)\n");
  CheckOptions named = options_for(d.path);
  named.profile = "enterprise";
  named.profile_given = true;
  CHECK(run(named).out.ends_with("(profile enterprise)\n"));
  d.write("vercel-sim.yaml", "profil: pro-fluid\n");
  CHECK(run(options_for(d.path)).code == 64);
}

TEST_CASE("check: tests, dependencies, build outputs and inner projects are not read; app/build is") {
  const Directory d;
  d.write("package.json", R"({"dependencies": {"next": "16.4.6"}})");
  for (const char* path :
       {"node_modules/x/app/api/s/route.ts", ".next/app/api/s/route.ts", "dist/app/api/s/route.ts",
        "app/api/s/route.test.ts", "packages/inner/app/api/s/route.ts"})
    d.write(path, kServer);
  d.write("packages/inner/package.json", "{}");
  CHECK(run(options_for(d.path)).out == "0 errors, 0 warnings, 0 notes in 0 files (profile hobby)\n");
  d.write("app/build/route.ts", kServer);
  CHECK(run(options_for(d.path)).code == 2);
}

TEST_CASE("check: what cannot be judged is exit code 64") {
  const Directory d;
  CHECK(run(options_for(d.path)).code == 64);  // no project
  CHECK(run(options_for(d.path / "nowhere")).code == 64);
  CheckOptions options = options_for(d.path);
  options.profile = "hoby";
  CHECK(run(options).code == 64);
}
