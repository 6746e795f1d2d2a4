#include "process/usage.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace vsim::process {
namespace {

constexpr int kNice = 10;

bool may_raise() {
  if (::geteuid() == 0) return true;
  rlimit limit{};
  // The limit is 20 - nice.
  return ::getrlimit(RLIMIT_NICE, &limit) == 0 && limit.rlim_cur >= 20;
}

void set_autogroup(pid_t leader, int nice) {
  std::ofstream file(fmt::format("/proc/{}/autogroup", leader));
  if (file) file << nice << std::flush;  // EAGAIN when asked too often: then it stays as it is
}

}  // namespace

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

std::uint64_t own_memory_of(pid_t pid) {
  std::ifstream statm(fmt::format("/proc/{}/statm", pid));
  std::uint64_t size = 0, resident = 0, shared = 0;
  if (!(statm >> size >> resident >> shared) || resident < shared) return 0;
  return (resident - shared) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

Duration wanted_processor(pid_t pid) {
  std::ifstream schedstat(fmt::format("/proc/{}/schedstat", pid));  // of the main thread, in nanoseconds
  Duration::rep ran = 0, waited = 0;
  if (!(schedstat >> ran >> waited)) return {};
  return Duration(ran + waited);
}

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

void lower(pid_t leader) {
  set_autogroup(leader, kNice);
  if (may_raise()) ::setpriority(PRIO_PGRP, static_cast<id_t>(leader), kNice);
}

void raise(pid_t leader) {
  set_autogroup(leader, 0);
  if (may_raise()) ::setpriority(PRIO_PGRP, static_cast<id_t>(leader), 0);
}

}  // namespace vsim::process
