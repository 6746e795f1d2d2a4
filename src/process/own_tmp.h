// A /tmp of its own for a process: a mount namespace, with a new file system on /tmp that goes when the last process in it ends. Linux only. Written
// in C for two users: a child between vfork and exec (linux_launch.cpp), which shares our memory and so may only make system calls and change nothing but its own
// stack; and a copy of the template (src/agent/fork.c). Names nothing but the C library. docs/decisions/0015-own-tmp.md has the why.
#ifndef VSIM_PROCESS_OWN_TMP_H
#define VSIM_PROCESS_OWN_TMP_H

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "process/read_only.h"

// Of one descriptor each while they are placed.
enum { kOwnTmpMostKept = 64 };

struct vsim_own_tmp {
  const char* options;      // of the file system: "size=500000000,mode=1777"; NULL: /tmp stays what it is
  const char* const* kept;  // entries of /tmp ("/tmp/x") that stay what they are; those that are gone are left out
  size_t kept_count;
  int in_user_namespace;  // a new one: its ids are to be set
  uid_t uid;              // as they were outside of it
  gid_t gid;
  const struct vsim_read_only* disk;  // NULL: what could be written can be
};

#ifdef __cplusplus
#define VSIM_OWN_TMP_FUNCTION __attribute__((no_sanitize("address", "undefined"), unused)) static
#else
#define VSIM_OWN_TMP_FUNCTION __attribute__((unused)) static
#endif

VSIM_OWN_TMP_FUNCTION size_t vsim_own_tmp_digits(char* to, unsigned long value) {
  char digits[24];
  size_t n = 0, size = 0;
  do digits[n++] = (char)('0' + value % 10);
  while ((value /= 10) != 0);
  while (n > 0) to[size++] = digits[--n];
  return size;
}

// "5 5 1": it stays who it was, and nobody else is known there.
VSIM_OWN_TMP_FUNCTION int vsim_own_tmp_map(const char* file, unsigned long id) {
  char line[64];
  size_t n = vsim_own_tmp_digits(line, id);
  line[n++] = ' ';
  n += vsim_own_tmp_digits(line + n, id);
  line[n++] = ' ';
  line[n++] = '1';
  const int fd = open(file, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  const ssize_t written = write(fd, line, n);
  const int error = errno;
  close(fd);
  errno = error;
  return written == (ssize_t)n ? 0 : -1;
}

VSIM_OWN_TMP_FUNCTION int vsim_own_tmp_identity(const struct vsim_own_tmp* t) {
  const int fd = open("/proc/self/setgroups", O_WRONLY | O_CLOEXEC);
  if (fd >= 0) {
    const ssize_t written = write(fd, "deny", 4);
    close(fd);
    if (written != 4) return -1;
  }
  return vsim_own_tmp_map("/proc/self/uid_map", t->uid) == 0 && vsim_own_tmp_map("/proc/self/gid_map", t->gid) == 0 ? 0 : -1;
}

// Puts the entry that `fd` is open at (O_PATH) to where it was.
VSIM_OWN_TMP_FUNCTION int vsim_own_tmp_place(int fd, const char* path) {
  struct stat st;
  if (fstat(fd, &st) != 0) return -1;
  if (S_ISLNK(st.st_mode)) {
    char target[4096];
    const ssize_t n = readlinkat(fd, "", target, sizeof target - 1);
    if (n < 0) return -1;
    target[n] = '\0';
    return symlink(target, path);
  }
  if (S_ISDIR(st.st_mode)) {
    if (mkdir(path, 0700) != 0) return -1;
  } else {
    const int made = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (made < 0) return -1;
    close(made);
  }
  char source[32];
  memcpy(source, "/proc/self/fd/", 14);
  source[14 + vsim_own_tmp_digits(source + 14, (unsigned long)fd)] = '\0';
  return mount(source, path, NULL, MS_BIND | MS_REC, NULL);
}

VSIM_OWN_TMP_FUNCTION const char* vsim_mount_own_tmp(const struct vsim_own_tmp* t) {
  int fds[kOwnTmpMostKept];
  size_t count = 0;
  for (; count < t->kept_count && count < kOwnTmpMostKept; ++count) fds[count] = open(t->kept[count], O_PATH | O_NOFOLLOW | O_CLOEXEC);
  const char* failed = mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, t->options) == 0 ? NULL : "mounting a tmpfs";
  for (size_t i = 0; i < count; ++i) {
    if (fds[i] < 0) continue;
    if (failed == NULL && vsim_own_tmp_place(fds[i], t->kept[i]) != 0) failed = "keeping an entry of /tmp";
    const int error = errno;
    close(fds[i]);
    errno = error;
  }
  return failed;
}

// Of a process with one thread. NULL: done, and with `disk` as vsim_take_read_only(). Else what it failed at, and errno says why; the process must
// end then.
VSIM_OWN_TMP_FUNCTION const char* vsim_take_own_tmp(const struct vsim_own_tmp* t, int* all) {
  if (unshare(CLONE_NEWNS | (t->in_user_namespace ? CLONE_NEWUSER : 0)) != 0) return "a namespace of its own";
  if (t->in_user_namespace && vsim_own_tmp_identity(t) != 0) return "the ids of a user namespace";
  char cwd[4096];
  const int has_cwd = getcwd(cwd, sizeof cwd) != NULL;
  // What is mounted outside later still comes in, and nothing gets out.
  if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) != 0) return "a mount namespace of its own";
  const char* failed = t->options == NULL ? NULL : vsim_mount_own_tmp(t);
  if (failed == NULL && t->disk != NULL) failed = vsim_take_read_only(t->disk, all);
  // What was mounted over it is not what it stands in.
  if (failed == NULL && has_cwd && chdir(cwd) != 0) failed = "its working directory";
  return failed;
}

#endif
