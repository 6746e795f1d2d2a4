// A child that shares our memory until its exec (CLONE_VM), while we stand still (CLONE_VFORK).
#pragma once

#include <sched.h>
#include <sys/types.h>

#include <cstddef>
#include <memory>

#if defined(__SANITIZE_THREAD__)
// ThreadSanitizer takes clone() for a fork: what it undoes in the child it undoes in us, and sees no lock of
// ours from then on. This is the same function by another name.
extern "C" int __clone(int (*run)(void*), void* top, int flags, void* argument, ...);
#endif

namespace vsim::process {

// The stack of such a child. It grows down; its start must be a multiple of 16.
class ChildStack {
 public:
  void* top() { return blocks_.get() + kBlocks; }

 private:
  struct alignas(16) Block {
    char bytes[16];
  };
  static constexpr std::size_t kBlocks = 4096;  // 64 KiB
  std::unique_ptr<Block[]> blocks_ = std::make_unique<Block[]>(kBlocks);
};

inline pid_t clone_sharing(int (*run)(void*), void* top, int flags, void* argument) {
#if defined(__SANITIZE_THREAD__)
  return __clone(run, top, CLONE_VM | CLONE_VFORK | flags, argument);
#else
  return ::clone(run, top, CLONE_VM | CLONE_VFORK | flags, argument);
#endif
}

}  // namespace vsim::process
