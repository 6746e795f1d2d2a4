#include "process/own_tmp.hpp"

#include <dirent.h>
#include <fmt/format.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <set>

#include "process/os.hpp"
#include "process/own_tmp_child.hpp"

namespace vsim::process {
namespace {

std::string options_of(const OwnTmp& own) {
  return own.size == 0 ? "mode=1777,size=100%" : fmt::format("size={},mode=1777", own.size);
}

constexpr std::string_view kTmp = "/tmp/";

// Parents first.
std::vector<std::string> paths_of(const ReadOnly& disk) {
  std::set<std::string> sorted(disk.writable.begin(), disk.writable.end());
  sorted.insert({"/dev", "/proc", "/tmp", disk.project});
  return {sorted.begin(), sorted.end()};
}

struct Trial {
  const vsim_own_tmp* tmp;
  int report;
};

struct Answer {
  const char* failed;  // a string of ours, whose memory it shares
  int err;
};

// It shares our memory, while we stand still (linux_launch.cpp).
[[noreturn, gnu::noinline]] void try_in_child(const Trial& trial) {
  int all = -1;
  Answer answer{vsim_take_own_tmp(trial.tmp, &all), 0};
  answer.err = errno;
  const ssize_t n = ::write(trial.report, &answer, sizeof answer);
  static_cast<void>(n);
  ::_exit(0);
}

}  // namespace

std::string text_of(const OwnTmp& own) {
  std::string out = own.mounted ? options_of(own) : "-";
  if (own.mounted)
    for (const std::string& path : own.kept) (out += '\n') += path;
  if (own.disk)
    for (const std::string& path : paths_of(*own.disk))
      out += fmt::format("\n{}{}", path == own.disk->project ? '=' : '+', path);
  return out;
}

std::string_view entry_in_tmp(std::string_view path) {
  if (!path.starts_with(kTmp)) return {};
  const std::size_t begin = path.find_first_not_of('/', kTmp.size());
  if (begin == std::string_view::npos) return {};
  const std::string_view name = path.substr(begin, path.find('/', begin) - begin);
  if (begin != kTmp.size() || name == "." || name == "..") return {};
  return path.substr(0, kTmp.size() + name.size());
}

std::vector<std::string> sockets_in_tmp() {
  std::vector<std::string> out;
  DIR* dir = ::opendir("/tmp");
  if (!dir) return out;
  while (const dirent* e = ::readdir(dir)) {
    const std::string_view name = e->d_name;
    const bool is_database = name.starts_with(".s.PGSQL.") ||
                             (name.find("mysql") != std::string_view::npos && name.ends_with(".sock"));
    if (is_database && e->d_type == DT_SOCK) out.push_back(std::string(kTmp) += name);
  }
  ::closedir(dir);
  return out;
}

std::optional<std::string> why_no_own_tmp(const OwnTmp& own) {
  struct stat st;
  if (::lstat("/tmp", &st) != 0 || !S_ISDIR(st.st_mode)) return "/tmp is not a folder of this system's own";
  if (own.mounted && own.kept.size() > kOwnTmpMostKept)
    return fmt::format("{} of its entries are needed", own.kept.size());
  const os::TmpForChild tmp(own);
  auto report = os::make_pipe();
  if (!report) return report.error().message;
  const Trial trial{tmp.get(), report->write.get()};
  const pid_t pid = ::vfork();
  if (pid == 0) try_in_child(trial);
  if (pid < 0) return fmt::format("its first child: {}", strerror(errno));
  report->write.reset();
  Answer answer{"its first child", ECHILD};
  ssize_t n;
  do n = ::read(report->read.get(), &answer, sizeof answer);
  while (n < 0 && errno == EINTR);
  int status;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (answer.failed == nullptr) return std::nullopt;
  return fmt::format("{}: {}", answer.failed, strerror(answer.err));
}

namespace os {

TmpForChild::TmpForChild(const OwnTmp& own) {
  options_ = options_of(own);
  kept_ = own.kept;
  for (const std::string& path : kept_) pointers_.push_back(path.c_str());
  tmp_.options = own.mounted ? options_.c_str() : nullptr;
  tmp_.kept = pointers_.data();
  tmp_.kept_count = pointers_.size();
  // Root needs no other user to mount, and would be a lesser one in a user namespace.
  tmp_.in_user_namespace = ::geteuid() != 0;
  tmp_.uid = ::geteuid();
  tmp_.gid = ::getegid();
  if (!own.disk) return;
  disk_paths_ = paths_of(*own.disk);
  for (const std::string& path : disk_paths_) {
    disk_pointers_.push_back(path.c_str());
    if (path == own.disk->project) disk_.project = path.c_str();
  }
  disk_.paths = disk_pointers_.data();
  disk_.count = disk_pointers_.size();
  tmp_.disk = &disk_;
}

}  // namespace os
}  // namespace vsim::process
