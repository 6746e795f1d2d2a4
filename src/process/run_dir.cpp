#include "process/run_dir.hpp"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <random>
#include <vector>

#include "log/log.hpp"
#include "process/guardian.hpp"

namespace vsim::process {
namespace {

// sun_path holds 108 bytes with the terminating zero (unix(7)). What is left for the base after
// "/4194304-ffff" and "/" + 40 bytes of name.
constexpr std::size_t kLongestBase = 107 - 41 - 13;

// The directory, if it is a real one of ours; made if missing. Others' rights are taken away.
Result<os::Fd> open_private(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return Error{fmt::format("cannot make the directory {}: {}", path, strerror(errno)), {}};
  os::Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat st;
  if (!fd || ::fstat(fd.get(), &st) != 0) {
    const char* why =
        errno == ELOOP || errno == ENOTDIR ? "it is not a directory (a link, perhaps)" : strerror(errno);
    return Error{fmt::format("cannot use {}: {}", path, why), fmt::format("remove {}", path)};
  }
  if (st.st_uid != ::geteuid())
    return Error{fmt::format("cannot use {}: it belongs to another user (uid {})", path, st.st_uid),
                 "have it removed, or set XDG_RUNTIME_DIR to a private directory"};
  if ((st.st_mode & 077) != 0 && ::fchmod(fd.get(), 0700) != 0)
    return Error{fmt::format("cannot use {}: others can enter it", path), fmt::format("chmod 700 {}", path)};
  return fd;
}

// Removes the directories of runs that ended without cleaning up. A directory in use is locked; its owner's
// pid alone would not tell, as numbers are given out again.
void remove_stale(int base, const std::string& path) {
  const int copy = ::openat(base, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* dir = copy >= 0 ? ::fdopendir(copy) : nullptr;
  if (!dir) {
    if (copy >= 0) ::close(copy);
    return;
  }
  std::vector<std::string> names;
  while (const dirent* e = ::readdir(dir)) names.emplace_back(e->d_name);
  ::closedir(dir);
  for (const std::string& name : names) {
    pid_t pid = 0;
    const auto r = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (r.ec != std::errc() || pid <= 0 || *r.ptr != '-') continue;
    if (::kill(pid, 0) == 0 || errno == EPERM) {
      // Alive: that run, not yet locked (it was made this instant), or somebody who got its number later.
      struct stat st;
      if (::fstatat(base, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0 || ::time(nullptr) - st.st_mtime < 60)
        continue;
    }
    const os::Fd fd(::openat(base, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd || ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) continue;
    std::error_code ec;
    std::filesystem::remove_all(fmt::format("{}/{}", path, name), ec);
  }
}

}  // namespace

std::vector<std::string> RunDir::bases() {
  std::vector<std::string> out;
  const auto named = [](const char* variable) -> std::string {
    const char* value = ::getenv(variable);
    return value && *value == '/' ? value : "";
  };
  const uid_t user = ::geteuid();
  if (const std::string runtime = named("XDG_RUNTIME_DIR"); !runtime.empty())
    out.push_back(runtime + "/vercel-sim");
  else if (const std::string usual = fmt::format("/run/user/{}", user); ::access(usual.c_str(), W_OK) == 0)
    out.push_back(usual + "/vercel-sim");
  out.push_back(fmt::format("/var/tmp/vercel-sim-{}", user));
  if (const std::string temp = named("TMPDIR"); !temp.empty() && temp != "/tmp" && temp != "/var/tmp")
    out.push_back(fmt::format("{}/vercel-sim-{}", temp, user));
  out.push_back(fmt::format("/tmp/vercel-sim-{}", user));
  return out;
}

Result<RunDir> RunDir::create(Guardian* guardian) {
  std::string why;
  for (const std::string& base : bases()) {
    auto dir = create_in(base, guardian);
    if (dir) return dir;  // else: not usable, as in a container that inherits the variable
    log::debug(log::Logger::process, "{} holds no directory of this run: {}", base, dir.error().message);
    why += (why.empty() ? "" : "; ") + dir.error().message;
  }
  return Error{
      "no directory for the sockets of this run: " + why,
      "set XDG_RUNTIME_DIR or TMPDIR to a directory of yours that can be written, with a short path"};
}

Result<RunDir> RunDir::create_in(const std::string& base, Guardian* guardian) {
  if (base.size() > kLongestBase)
    return Error{fmt::format("the path {} is too long: unix sockets below it would not work", base),
                 fmt::format("use one of at most {} characters", kLongestBase)};
  const auto base_fd = open_private(base);
  if (!base_fd) return base_fd.error();
  remove_stale(base_fd->get(), base);
  std::random_device random;
  for (int attempt = 0; attempt < 100; ++attempt) {
    const std::string name = fmt::format("{}-{:04x}", ::getpid(), random() & 0xffff);
    if (::mkdirat(base_fd->get(), name.c_str(), 0700) != 0) {
      if (errno == EEXIST) continue;
      return Error{fmt::format("cannot make a directory in {}: {}", base, strerror(errno)), {}};
    }
    os::Fd lock(::openat(base_fd->get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct stat st;
    // A start at the same moment may have taken it for a stale one before it was locked: then it has no link
    // any more.
    if (!lock || ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0 || ::fstat(lock.get(), &st) != 0 ||
        st.st_nlink == 0)
      continue;
    RunDir dir;
    dir.path_.append(base).append("/").append(name);
    dir.lock_ = std::move(lock);
    dir.guardian_ = guardian;
    if (guardian) guardian->remove_on_death(dir.path_);
    log::debug(log::Logger::process, "directory of this run: {}", dir.path_);
    return dir;
  }
  return Error{fmt::format("cannot make a directory in {}", base), {}};
}

RunDir::RunDir(RunDir&& o) noexcept
    : path_(std::exchange(o.path_, {})),
      lock_(std::move(o.lock_)),
      guardian_(std::exchange(o.guardian_, nullptr)) {}

RunDir& RunDir::operator=(RunDir&& o) noexcept {
  remove();
  path_ = std::exchange(o.path_, {});
  lock_ = std::move(o.lock_);
  guardian_ = std::exchange(o.guardian_, nullptr);
  return *this;
}

void RunDir::remove() {
  if (path_.empty()) return;
  std::error_code ec;
  std::filesystem::remove_all(path_, ec);
  if (guardian_) guardian_->forget_path(path_);
  lock_.reset();
  path_.clear();
}

}  // namespace vsim::process
