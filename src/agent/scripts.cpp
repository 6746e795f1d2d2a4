#include "agent/scripts.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <fstream>
#include <string_view>
#include <vector>

namespace vsim::agent {

std::string_view embedded(std::string_view path);  // src/agent/*/*.cjs, generated
std::vector<std::string_view> embedded_paths();

// Scripts name each other as they lie in src/agent/; what else there is (fork.node) lies above them.
static std::string_view path_of(std::string_view path) {
  static constexpr std::string_view kOurs = "src/agent/";
  return path.starts_with(kOurs) ? path.substr(kOurs.size()) : path.substr(path.rfind('/') + 1);
}

Result<std::string> write_scripts(const std::string& run_dir) {
  const std::string folder = run_dir + "/node_modules/vercel-sim";
  ::mkdir((run_dir + "/node_modules").c_str(), 0700);
  ::mkdir(folder.c_str(), 0700);
  for (const std::string_view path : embedded_paths()) {
    const std::string file = fmt::format("{}/{}", folder, path_of(path));
    ::mkdir(file.substr(0, file.rfind('/')).c_str(), 0700);
    std::ofstream out(file, std::ios::binary);
    out << embedded(path);
    out.close();
    if (!out) return Error{fmt::format("cannot write {}", file), "is the disk full?"};
  }
  return folder;
}

}  // namespace vsim::agent
