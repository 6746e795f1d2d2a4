#include "process/memory_group.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <system_error>
#include <utility>

namespace vsim::process {
namespace {

constexpr std::string_view kRoot = "/sys/fs/cgroup", kName = "vercel-sim-";
constexpr std::uint64_t kTried = 1ULL << 30;

// Files of the kernel: each read and each write is whole.
std::string read(const std::string& path) {
  std::string out(4096, '\0');
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const ssize_t size = fd < 0 ? -1 : ::read(fd, out.data(), out.size());
  if (fd >= 0) ::close(fd);
  out.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return out;
}

bool write(const std::string& path, std::string_view text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool done = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int error = errno;
  ::close(fd);
  errno = error;
  return done;
}

// The first of the rest, up to that character, and without it.
std::string_view take(std::string_view& rest, char end) {
  const std::size_t at = rest.find(end);
  const std::string_view out = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + 1);
  return out;
}

bool has_word(std::string_view text, std::string_view word, char end) {
  while (!text.empty())
    if (take(text, end) == word) return true;
  return false;
}

bool is_folder(const std::string& path) {
  struct stat of {};
  return ::stat(path.c_str(), &of) == 0 && S_ISDIR(of.st_mode);
}

bool hands_on_memory(const std::string& folder) {
  std::string names = read(folder + "/cgroup.subtree_control");
  while (names.ends_with('\n')) names.pop_back();
  return has_word(names, "memory", ' ');
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
  while (!proc_self_cgroup.empty()) {
    std::string_view path = take(proc_self_cgroup, '\n');
    take(path, ':');
    const std::string_view controllers = take(path, ':');
    if (!path.starts_with('/')) continue;
    if (has_word(controllers, "memory", ',')) return {false, std::string(path)};
    if (controllers.empty()) out = {true, std::string(path)};
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
    if (ours.unified && !hands_on_memory(at)) continue;
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
  const std::string text = read(folder + (unified_ ? "/memory.events" : "/memory.oom_control"));
  for (std::string_view rest = text; !rest.empty();) {
    std::string_view line = take(rest, '\n');
    std::int64_t count = -1;
    if (take(line, ' ') == "oom_kill" &&
        std::from_chars(line.data(), line.data() + line.size(), count).ec == std::errc())
      return count;
  }
  return -1;
}

// Away with what is empty by now: of this run, and of those that were killed.
void MemoryGroups::sweep() {
  const std::string left = std::exchange(left_, {});
  for (std::string_view rest = left; !rest.empty();) {
    const std::string folder(take(rest, '\n'));
    if (::rmdir(folder.c_str()) != 0 && errno == EBUSY) left_ += folder + '\n';
  }
  DIR* const all = made_ > 0 ? nullptr : ::opendir(parent_.c_str());
  if (all == nullptr) return;
  while (const dirent* one = ::readdir(all))
    if (is_left(one->d_name)) ::rmdir(fmt::format("{}/{}", parent_, one->d_name).c_str());
  ::closedir(all);
}

}  // namespace vsim::process
