// A directory of files for one test, gone afterwards.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

class TempTree {
 public:
  TempTree() {
    std::string name = (std::filesystem::temp_directory_path() / "vsim-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    root_ = std::filesystem::canonical(name);
  }
  ~TempTree() {
    std::error_code ec;
    std::filesystem::remove_all(root_, ec);
  }
  TempTree(const TempTree&) = delete;
  TempTree& operator=(const TempTree&) = delete;

  std::string path(const std::string& relative = "") const {
    return relative.empty() ? root_.string() : (root_ / relative).string();
  }
  void write(const std::string& relative, const std::string& text = "") const {
    std::filesystem::create_directories((root_ / relative).parent_path());
    std::ofstream(root_ / relative, std::ios::binary | std::ios::trunc) << text;
  }
  void mkdir(const std::string& relative) const { std::filesystem::create_directories(root_ / relative); }
  void remove(const std::string& relative) const { std::filesystem::remove_all(root_ / relative); }
  void link(const std::string& target, const std::string& relative) const {
    std::filesystem::create_directories((root_ / relative).parent_path());
    std::filesystem::create_directory_symlink(target, root_ / relative);
  }
  // A package as an installer leaves it.
  void next_package(const std::string& relative, const std::string& version = "16.4.6") const {
    write(relative + "/package.json",
          R"({"name":"next","version":")" + version +
              R"(","bin":{"next":"./dist/bin/next"},"engines":{"node":">=20.9.0"}})");
    write(relative + "/dist/bin/next", "#!/usr/bin/env node\n");
  }

 private:
  std::filesystem::path root_;
};
