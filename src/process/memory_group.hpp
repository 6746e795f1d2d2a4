// Control groups of Linux that limit the memory of a process and of what it starts: the kernel ends what
// would have more, at that moment. By the memory controller of version 1 or 2, in a group below our own or
// beside it, wherever this system lets us make one. Decides nothing. Called by app/ for instances, I/O thread
// only: each call is a few files of the kernel, microseconds.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace vsim::process {

// Which memory controller we are under, by /proc/self/cgroup.
struct MemoryHierarchy {
  bool unified = false;  // version 2
  std::string path;      // of our group, from the root of the hierarchy; "": none is named
};
MemoryHierarchy memory_hierarchy(std::string_view proc_self_cgroup);

class MemoryGroup {
 public:
  ~MemoryGroup();  // the group goes when nobody is left in it: if not now, when the next one does
  MemoryGroup(const MemoryGroup&) = delete;
  MemoryGroup& operator=(const MemoryGroup&) = delete;
  bool killed() const;  // the kernel has ended something in it since it had no more

 private:
  friend class MemoryGroups;
  MemoryGroup(class MemoryGroups& of, std::string folder) : of_(of), folder_(std::move(folder)) {}
  MemoryGroups& of_;
  std::string folder_;
};

// Outlives its groups.
class MemoryGroups {
 public:
  // Tried, not guessed. The error says why there can be none.
  static Result<std::unique_ptr<MemoryGroups>> find();
  ~MemoryGroups();
  MemoryGroups(const MemoryGroups&) = delete;
  MemoryGroups& operator=(const MemoryGroups&) = delete;
  // What this process and what it starts take from now on; what it has already is counted where it was. Null:
  // it is gone, or the kernel refused.
  std::unique_ptr<MemoryGroup> around(pid_t, std::uint64_t bytes);

 private:
  friend class MemoryGroup;
  MemoryGroups(bool unified, std::string parent) : unified_(unified), parent_(std::move(parent)) {}
  std::string make(std::string_view name, std::uint64_t bytes) const;  // "": refused
  std::int64_t kills(const std::string& folder) const;                 // -1: not told
  void sweep();
  bool unified_;
  std::string parent_, left_;  // left_: names of groups that are not empty yet, a line each
  unsigned made_ = 0;
};

}  // namespace vsim::process
