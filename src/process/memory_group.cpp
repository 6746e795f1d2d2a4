#include "process/memory_group.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

namespace vsim::process {
namespace {

constexpr std::string_view kRoot = "/sys/fs/cgroup", kName = "vercel-sim-";
constexpr std::uint64_t kTried = 1ULL << 30;

std::string read(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream out;
  out << file.rdbuf();
  return std::move(out).str();
}

bool write(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  return static_cast<bool>(file << text << std::flush);
}

bool has_word(std::string_view text, std::string_view word) {
  std::istringstream words{std::string(text)};
  for (std::string one; words >> one;)
    if (one == word) return true;
  return false;
}

bool is_folder(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_directory(path, error);
}

// Whose groups those are that a run has left which was killed: of no process that is there.
bool is_left(std::string_view name) {
  if (!name.starts_with(kName)) return false;
  name.remove_prefix(kName.size());
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
  return error == std::errc() && pid > 0 && ::kill(pid, 0) != 0 && errno == ESRCH;
}

}  // namespace

MemoryHierarchy memory_hierarchy(std::string_view proc_self_cgroup) {
  MemoryHierarchy out;
  std::istringstream lines{std::string(proc_self_cgroup)};
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string_view controllers = std::string_view(line).substr(first + 1, second - first - 1);
    if (fmt::format(",{},", controllers).find(",memory,") != std::string::npos)
      return {false, line.substr(second + 1)};
    if (controllers.empty()) out = {true, line.substr(second + 1)};
  }
  return out;
}

MemoryGroup::~MemoryGroup() {
  if (::rmdir(folder_.c_str()) != 0 && errno != ENOENT) of_.left_ += folder_ + '\n';
}

bool MemoryGroup::killed() const { return of_.kills(folder_) > 0; }

Result<std::unique_ptr<MemoryGroups>> MemoryGroups::find() {
  const MemoryHierarchy ours = memory_hierarchy(read("/proc/self/cgroup"));
  if (ours.path.empty()) return Error{"this system has no control groups for memory"};
  const std::string root = std::string(kRoot) + (ours.unified ? "" : "/memory");
  std::string at = root + (ours.path == "/" ? "" : ours.path);
  // In a container the path may be one of outside, where the root is its own group.
  if (!is_folder(at)) at = root;
  std::string why;
  for (; at.size() >= root.size(); at.resize(at.rfind('/'))) {
    // Version 2: the nearest above us that hands memory on to groups below it, which none does that has
    // processes.
    if (ours.unified && !has_word(read(at + "/cgroup.subtree_control"), "memory")) continue;
    std::unique_ptr<MemoryGroups> groups(new MemoryGroups(ours.unified, at));
    const std::string trial = groups->make(fmt::format("{}{}-trial", kName, ::getpid()), kTried);
    if (trial.empty()) {
      why = std::error_code(errno, std::generic_category()).message();
    } else {
      const bool counts = groups->kills(trial) == 0;
      ::rmdir(trial.c_str());
      if (counts && ::access((at + "/cgroup.procs").c_str(), W_OK) == 0) {
        groups->sweep();
        return groups;
      }
      why = counts ? "its processes may not be moved" : "it does not tell what the kernel has ended";
    }
    break;
  }
  return Error{why.empty() ? fmt::format("no group above this one hands memory on ({})", ours.path)
                           : fmt::format("{}: {}", at, why)};
}

MemoryGroups::~MemoryGroups() { sweep(); }

std::unique_ptr<MemoryGroup> MemoryGroups::around(pid_t pid, std::uint64_t bytes) {
  sweep();
  std::string folder = make(fmt::format("{}{}-{}", kName, ::getpid(), ++made_), bytes);
  if (folder.empty()) return nullptr;
  std::unique_ptr<MemoryGroup> group(new MemoryGroup(*this, std::move(folder)));
  if (!write(group->folder_ + "/cgroup.procs", std::to_string(pid))) return nullptr;
  return group;
}

// Without swap, which a function has none of.
std::string MemoryGroups::make(std::string_view name, std::uint64_t bytes) const {
  std::string folder = fmt::format("{}/{}", parent_, name);
  if (::mkdir(folder.c_str(), 0755) != 0) return {};
  const std::string most = std::to_string(bytes);
  if (!write(folder + (unified_ ? "/memory.max" : "/memory.limit_in_bytes"), most)) {
    const int error = errno;
    ::rmdir(folder.c_str());
    errno = error;
    return {};
  }
  write(folder + (unified_ ? "/memory.swap.max" : "/memory.memsw.limit_in_bytes"), unified_ ? "0" : most);
  return folder;
}

std::int64_t MemoryGroups::kills(const std::string& folder) const {
  std::ifstream file(folder + (unified_ ? "/memory.events" : "/memory.oom_control"));
  std::string word;
  for (std::int64_t count = 0; file >> word >> count;)
    if (word == "oom_kill") return count;
  return -1;
}

// Away with what is empty by now: of this run, and of those that were killed.
void MemoryGroups::sweep() {
  std::istringstream left(std::exchange(left_, {}));
  for (std::string folder; std::getline(left, folder);)
    if (::rmdir(folder.c_str()) != 0 && errno == EBUSY) left_ += folder + '\n';
  if (made_ > 0) return;
  std::error_code error;
  for (std::filesystem::directory_iterator it(parent_, error), end; !error && it != end; it.increment(error))
    if (is_left(it->path().filename().string())) ::rmdir(it->path().c_str());
}

}  // namespace vsim::process
