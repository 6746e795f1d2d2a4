// A child that shares our memory until its exec (CLONE_VM), while we stand still (CLONE_VFORK).
#pragma once

#include <sched.h>
#include <sys/types.h>

#if defined(__SANITIZE_THREAD__)
// ThreadSanitizer takes clone() for a fork: what it undoes in the child it undoes in us, and sees no lock of
// ours from then on. This is the same function by another name.
extern "C" int __clone(int (*run)(void*), void* top, int flags, void* argument, ...);
#endif

namespace vsim::process {

inline pid_t clone_sharing(int (*run)(void*), void* top, int flags, void* argument) {
#if defined(__SANITIZE_THREAD__)
  return __clone(run, top, CLONE_VM | CLONE_VFORK | flags, argument);
#else
  return ::clone(run, top, CLONE_VM | CLONE_VFORK | flags, argument);
#endif
}

}  // namespace vsim::process
