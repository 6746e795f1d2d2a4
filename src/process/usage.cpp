#include "process/usage.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>

#include "process/os.hpp"

namespace vsim::process {
namespace {

constexpr int kNice = 10;

bool may_raise() {
  if (::geteuid() == 0) return true;
  rlimit limit{};
  // The limit is 20 - nice.
  return ::getrlimit(RLIMIT_NICE, &limit) == 0 && limit.rlim_cur >= 20;
}

struct Scheduled {
  Duration ran{}, waited{};
};

// Of the main thread; zero where the kernel does not tell. Without a stream: asked for each invocation.
Scheduled scheduled(pid_t pid) {
  std::array<char, 32> path{};
  fmt::format_to_n(path.data(), path.size() - 1, "/proc/{}/schedstat", pid);
  const int file = ::open(path.data(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  std::array<char, 96> text{};
  const ssize_t size = ::read(file, text.data(), text.size() - 1);
  ::close(file);
  if (size <= 0) return {};
  char* end = text.data();  // both in nanoseconds
  const auto ran = static_cast<Duration::rep>(std::strtoull(end, &end, 10));
  const auto waited = static_cast<Duration::rep>(std::strtoull(end, &end, 10));
  return {Duration(ran), Duration(waited)};
}

int own_nice() { return ::getpriority(PRIO_PROCESS, 0); }

void set_place(pid_t leader, int nice, bool by_nice) {
  std::ofstream file(fmt::format("/proc/{}/autogroup", leader));
  if (file) file << nice << std::flush;  // EAGAIN when asked too often: then it stays as it is
  if (by_nice) ::setpriority(PRIO_PGRP, static_cast<id_t>(leader), own_nice() + nice);
}

// <linux/sched/types.h> clashes with the C library's sched_param.
constexpr std::uint64_t kResetOnFork = 1;  // SCHED_FLAG_RESET_ON_FORK
struct SchedAttributes {
  std::uint32_t size = sizeof(SchedAttributes);
  std::uint32_t policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime = 0, deadline = 0, period = 0;  // nanoseconds
};

}  // namespace

void shorten_slice() {
  SchedAttributes now;
  if (::syscall(SYS_sched_getattr, 0, &now, sizeof now, 0) != 0 || now.policy != SCHED_OTHER) return;
  now.size = sizeof now;
  now.flags |= kResetOnFork;
  now.runtime = 100'000;  // the least that the kernel takes
  ::syscall(SYS_sched_setattr, 0, &now, 0);
}

std::uint64_t memory_of(pid_t pid) {
  std::ifstream rollup(fmt::format("/proc/{}/smaps_rollup", pid));
  std::string word;
  while (rollup >> word) {
    if (word != "Pss:") continue;
    std::uint64_t kilobytes = 0;
    if (rollup >> kilobytes) return kilobytes * 1024;
    break;
  }
  std::ifstream statm(fmt::format("/proc/{}/statm", pid));
  std::uint64_t size = 0, resident = 0;
  if (!(statm >> size >> resident)) return 0;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::uint64_t own_memory_of(pid_t pid, std::uint64_t program) {
  std::ifstream statm(fmt::format("/proc/{}/statm", pid));
  std::uint64_t size = 0, resident = 0, shared = 0;
  if (!(statm >> size >> resident >> shared) || resident < shared) return 0;
  const std::uint64_t own = (resident - shared) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return own - std::min(own, program);
}

std::uint64_t program_memory_of(pid_t pid) {
  std::error_code none;
  const std::string program = std::filesystem::read_symlink(fmt::format("/proc/{}/exe", pid), none).string();
  std::ifstream maps(fmt::format("/proc/{}/maps", pid));
  std::uint64_t own = 0, end_of_program = 0;
  // "from-to permissions offset device inode   name". What is not the file's where the file's was read.
  for (std::string line; !program.empty() && std::getline(maps, line);) {
    std::uint64_t from = 0, to = 0;
    char permissions[8] = "", name[4096] = "";
    const int read = std::sscanf(line.c_str(), "%" SCNx64 "-%" SCNx64 " %7s %*s %*s %*s %4095[^\n]", &from,
                                 &to, permissions, name);
    if (read == 4 && name == program)
      end_of_program = to;
    else if (read == 3 && from == end_of_program && std::string_view(permissions) == "r-xp")
      own += to - from;
  }
  return own;
}

std::uint64_t faulted_memory_of(pid_t pid) {
  const auto info = os::inspect(pid);
  return info ? info->minor_faults * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

Duration wanted_processor(pid_t pid) {
  const Scheduled s = scheduled(pid);
  return s.ran + s.waited;
}

Duration waited_for_processor(pid_t pid) { return scheduled(pid).waited; }

std::uint64_t memory_of_machine() {
  const long pages = ::sysconf(_SC_PHYS_PAGES), page = ::sysconf(_SC_PAGESIZE);
  std::uint64_t out =
      pages > 0 && page > 0 ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page) : 0;
  for (const char* limit : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    std::ifstream file(limit);
    std::uint64_t bytes = 0;
    if (file >> bytes && bytes > 0) out = out == 0 ? bytes : std::min(out, bytes);
  }
  return out;
}

unsigned cores_of_machine() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
}

void lower(pid_t leader) { set_place(leader, kNice, may_raise()); }
void raise(pid_t leader) { set_place(leader, 0, may_raise()); }
void lower_for_good(pid_t leader) { set_place(leader, kNice, true); }

}  // namespace vsim::process
