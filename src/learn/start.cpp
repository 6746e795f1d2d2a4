#include "learn/start.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "learn/places.hpp"

namespace vsim::learn {

std::string_view embedded(std::string_view path);  // boot.cjs and the bundle, generated
std::vector<std::string_view> embedded_paths();

namespace {

std::string_view part(std::string_view name) {
  for (const std::string_view path : embedded_paths())
    if (path.ends_with(name)) return embedded(path);
  return {};
}

// The program's own file, for a process that is another one. Replaced meanwhile, it is the new one.
std::string own_file() {
  std::error_code error;
  std::string path = std::filesystem::read_symlink("/proc/self/exe", error).string();
  constexpr std::string_view kDeleted = " (deleted)";
  if (path.ends_with(kDeleted)) path.resize(path.size() - kDeleted.size());
  return path;
}

bool write_all(std::string_view text) {
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
}

}  // namespace

int start(std::string_view entry, std::span<const std::string_view> words) {
  std::vector<std::string> all = {"node", "-e",       std::string(part("boot.cjs")),
                                  "--",   own_file(), std::string(entry)};
  all.insert(all.end(), words.begin(), words.end());
  std::vector<char*> argv;
  argv.reserve(all.size() + 1);
  for (std::string& word : all) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::fflush(nullptr);
  ::execvp("node", argv.data());
  const bool is_missing = errno == ENOENT;
  fmt::print(stderr, "error: cannot start node: {}\nfix: {}\n",
             is_missing ? "it is in no directory of PATH" : std::strerror(errno),
             is_missing ? "install Node.js 20.9 or newer (https://nodejs.org): this runs on it"
                        : "try `node --version`");
  return 70;
}

int print_bundle() { return write_all(part("lessons.gz")) ? 0 : 70; }

int print_yaml(std::span<char* const> names) {
  std::string text;
  char buffer[1 << 14];
  for (ssize_t n = 0; (n = ::read(STDIN_FILENO, buffer, sizeof buffer)) != 0;) {
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return 70;
    text.append(buffer, static_cast<std::size_t>(n));
  }
  std::string out = "[";
  std::string wrong;
  std::string_view rest = text;
  for (const std::string_view name : names) {
    const std::size_t end = rest.find('\0');
    const auto json = with_places(name, rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    if (!json) {
      wrong += json.error().message;
      continue;
    }
    if (out.size() > 1) out += ',';
    out += *json;
  }
  if (!wrong.empty()) {
    fmt::print(stderr, "{}", wrong);
    return 64;
  }
  return write_all(out + ']') ? 0 : 70;
}

}  // namespace vsim::learn
