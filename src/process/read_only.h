// A disk that is read-only for a process and all that it starts, by the flags of mounts in a namespace of its own (own_tmp.h), as that of a deployed function:
// native addons and child processes get EROFS too. In C, for its two users there; makes system calls only. docs/decisions/0034-read-only-by-mounts.md has the why.
#ifndef VSIM_PROCESS_READ_ONLY_H
#define VSIM_PROCESS_READ_ONLY_H

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { kReadOnlyMost = 64 };

struct vsim_read_only {
  const char* const* paths;  // absolute and real, parents first: folders and files that stay as they are, and the project. Those that are gone are left out
  size_t count;              // kReadOnlyMost at most
  const char* project;       // one of them: read-only, by a mount of its own, so that it can be opened again
};

// Of the kernel's interface (linux/mount.h, fcntl.h), which the C library may not know yet. Linux 5.2, and 5.12 for the flags of what is mounted.
enum { kOpenTree = 428, kMoveMount = 429, kMountSetattr = 442 };
enum { kTreeClone = 1, kTreeCloexec = O_CLOEXEC, kRecursive = 0x8000, kFromEmptyPath = 4, kFlagReadOnly = 1 };
enum { kAmbient = 47, kAmbientRaise = 2, kAmbientClear = 4, kMayMount = 21 };  // CAP_SYS_ADMIN

struct vsim_mount_flags {
  uint64_t set, clear, propagation, user_namespace;
};

#ifdef __cplusplus
#define VSIM_READ_ONLY_FUNCTION __attribute__((no_sanitize("address", "undefined"), unused)) static
#else
#define VSIM_READ_ONLY_FUNCTION __attribute__((unused)) static
#endif

VSIM_READ_ONLY_FUNCTION int vsim_set_read_only(const char* path, int is, unsigned how) {
  const uint64_t flag = kFlagReadOnly;
  const struct vsim_mount_flags flags = {is ? flag : 0, is ? 0 : flag, 0, 0};
  return (int)syscall(kMountSetattr, AT_FDCWD, path, how, &flags, sizeof flags);
}

// What this process may do in its user namespace is, from here on, to mount: so that it can open the disk again. `for_exec`: also as the program that it becomes.
VSIM_READ_ONLY_FUNCTION int vsim_may_mount_only(int for_exec) {
  struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  memset(data, 0, sizeof data);
  data[0].effective = data[0].permitted = 1u << kMayMount;
  if (for_exec) data[0].inheritable = data[0].permitted;
  if (syscall(SYS_capset, &head, data) != 0) return -1;
  return for_exec ? prctl(kAmbient, kAmbientRaise, kMayMount, 0, 0) : 0;
}

// In the new namespaces. NULL: done, and `*all` is a descriptor of the whole disk as it was, which stays open in a program that is started. Else what it failed
// at, and errno says why.
VSIM_READ_ONLY_FUNCTION const char* vsim_take_read_only(const struct vsim_read_only* disk, int* all) {
  int trees[kReadOnlyMost];
  const char* failed = NULL;
  size_t count = 0;
  *all = (int)syscall(kOpenTree, AT_FDCWD, "/", kTreeClone | kRecursive);
  if (*all < 0) return "a second view of the disk";
  for (; count < disk->count && count < kReadOnlyMost; ++count)
    trees[count] = (int)syscall(kOpenTree, AT_FDCWD, disk->paths[count], kTreeClone | kRecursive | kTreeCloexec);
  if (vsim_set_read_only("/", 1, kRecursive) != 0) failed = "making the disk read-only";
  for (size_t i = 0; i < count; ++i) {
    if (trees[i] < 0) continue;
    if (failed == NULL && syscall(kMoveMount, trees[i], "", AT_FDCWD, disk->paths[i], kFromEmptyPath) != 0) failed = "keeping a part of the disk writable";
    if (failed == NULL && disk->paths[i] == disk->project && vsim_set_read_only(disk->project, 1, kRecursive) != 0) failed = "making the project read-only";
    const int error = errno;
    close(trees[i]);
    errno = error;
  }
  return failed;
}

#endif
