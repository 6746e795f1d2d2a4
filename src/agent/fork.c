// A Node addon, for Linux: copies the running process (copying.cjs). Written against Node-API and libuv's one exported call, which the program
// that loads it provides, as it provides the C library: it names neither, so that the same file is loaded on glibc and on musl.
// What forking a Node process takes, and what was rejected: docs/decisions/0012-instances-are-forks.md.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "process/own_tmp.h"

// Node-API, of which this is all that is used.
typedef struct napi_env__* napi_env;
typedef struct napi_value__* napi_value;
typedef struct napi_callback_info__* napi_callback_info;
typedef napi_value (*napi_callback)(napi_env, napi_callback_info);
extern int napi_create_function(napi_env, const char*, size_t, napi_callback, void*, napi_value*);
extern int napi_set_named_property(napi_env, napi_value, const char*, napi_value);
extern int napi_get_cb_info(napi_env, napi_callback_info, size_t*, napi_value*, napi_value*, void**);
extern int napi_get_value_int32(napi_env, napi_value, int32_t*);
extern int napi_get_value_string_utf8(napi_env, napi_value, char*, size_t, size_t*);
extern int napi_create_string_utf8(napi_env, const char*, size_t, napi_value*);
extern int napi_get_uv_event_loop(napi_env, void**);
extern int uv_loop_fork(void*);

// What a copy is given; the last, if it may be copied itself, to be told so by.
enum { kInput, kOutput, kError, kOrders, kDescriptors };
enum { kMostCommand = 64 * 1024, kReadyMs = 10000, kTrialMs = 10000 };

// ---- Memory ----------------------------------------------------------------------------------------------------------------------------

static const char* number(const char* at, const char* end, unsigned long* out) {
  *out = 0;
  for (; at < end; ++at) {
    const char c = *at;
    if (c >= '0' && c <= '9')
      *out = *out * 16 + (unsigned long)(c - '0');
    else if (c >= 'a' && c <= 'f')
      *out = *out * 16 + (unsigned long)(c - 'a' + 10);
    else
      break;
  }
  return at;
}

// "from-to perms offset device inode   name". The kernel's own ([vdso], [vvar], [vsyscall]) are left alone.
static void copy_mapping(const char* line, const char* end) {
  unsigned long from = 0, to = 0;
  const char* at = number(line, end, &from);
  if (at == end || *at++ != '-') return;
  at = number(at, end, &to);
  if (end - at < 5 || at[4] != 'p') return;
  for (const char* c = at; c + 1 < end; ++c)
    if (c[0] == '[' && c[1] == 'v') return;
  madvise((void*)from, to - from, MADV_DOFORK);
}

// V8 marks the pages of its heap as not to be copied (MADV_DONTFORK): a child would die of its first allocation.
static int copy_all_memory(void) {
  static char text[16 * 1024];
  size_t have = 0;
  const int file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (file < 0) return -1;
  for (;;) {
    const ssize_t n = read(file, text + have, sizeof text - have);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    have += (size_t)n;
    char* line = text;
    for (char* end; (end = memchr(line, '\n', have - (size_t)(line - text))) != NULL; line = end + 1) copy_mapping(line, end);
    have -= (size_t)(line - text);
    memmove(text, line, have);
    if (have == sizeof text) have = 0;  // no line is that long
  }
  close(file);
  return 0;
}

// ---- A copy ----------------------------------------------------------------------------------------------------------------------------

static volatile pid_t born, between;
static volatile int why_not;

// The new process is no child of ours but of whoever adopts orphans, which vercel-sim does: so that it alone hears how the process ends. The one between
// shares our memory and stands still for us (vfork), so that nothing is copied twice; the C library's own fork() in it, because that is what libuv, malloc
// and the thread's own number rely on. Answers 0 in the copy.
static pid_t copy_process(void) {
  born = -1;
  why_not = 0;
  const pid_t middle = vfork();
  if (middle == 0) {
    between = getpid();
    const pid_t pid = fork();
    if (pid == 0) return 0;
    if (pid < 0) why_not = errno;
    born = pid;
    _exit(0);
  }
  if (middle < 0) {
    why_not = errno;
    return -1;
  }
  int status;
  while (waitpid(middle, &status, 0) < 0 && errno == EINTR) {
  }
  return born;
}

// In the copy: a session of its own, as a started instance has, and the end when its parent ends.
static void settle(pid_t keeper) {
  setsid();
  while (getppid() == between) {
    const struct timespec pause = {0, 50000};
    nanosleep(&pause, NULL);
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != keeper) _exit(127);
}

// "template.cjs" in the command line, which ps and people read, becomes "instance.cjs". What begins and ends there, /proc/self/stat says.
static void take_name(void) {
  static const char before[] = "template.cjs", after[] = "instance.cjs";
  enum { kBegin = 48, kEnd = 49, kAfterName = 2, kLength = sizeof after - 1 };
  char text[2048];
  const int file = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  const ssize_t size = read(file, text, sizeof text);
  close(file);
  unsigned long bounds[2] = {0, 0}, value = 0;
  int field = 0;
  for (ssize_t i = 0; i < size; ++i) {
    if (text[i] == ')') field = kAfterName, value = 0;
    if (text[i] >= '0' && text[i] <= '9') value = value * 10 + (unsigned long)(text[i] - '0');
    if (text[i] != ' ') continue;
    if (field == kBegin || field == kEnd) bounds[field - kBegin] = value;
    ++field;
    value = 0;
  }
  if (bounds[0] == 0 || bounds[1] <= bounds[0]) return;
  char* const begin = (char*)bounds[0];
  for (char* at = (char*)bounds[1] - kLength; at >= begin; --at) {
    if (memcmp(at, before, kLength) != 0) continue;
    memcpy(at, after, kLength);
    return;
  }
}

// They are not closed when it starts another program, but for the last.
static int take_descriptors(const int* given) {
  for (int i = 0; i < kDescriptors && given[i] >= 0; ++i)
    if (dup2(given[i], i) < 0) return -1;
  for (int i = 0; i < kDescriptors && given[i] >= 0; ++i)
    if (given[i] >= kDescriptors) close(given[i]);
  if (given[kOrders] >= 0) fcntl(kOrders, F_SETFD, FD_CLOEXEC);
  return 0;
}

static napi_value text_of(napi_env env, const char* text, size_t size) {
  napi_value out = NULL;
  napi_create_string_utf8(env, text, size, &out);
  return out;
}

static int loop_goes_on(napi_env env) {
  void* loop = NULL;
  return napi_get_uv_event_loop(env, &loop) == 0 && uv_loop_fork(loop) == 0;
}

static int wait_readable(int fd, int ms) {
  struct pollfd p = {fd, POLLIN, 0};
  int n;
  do n = poll(&p, 1, ms);
  while (n < 0 && errno == EINTR);
  return n > 0;
}

// ---- The conversation with vercel-sim (src/process/fork_server.hpp has the other side) ---------------------------------------------------

static size_t put(char* to, const char* text) {
  const size_t n = strlen(text);
  memcpy(to, text, n);
  return n;
}

static size_t put_number(char* to, long value) {
  char digits[24];
  size_t n = 0, size = 0;
  if (value < 0) to[size++] = '-';
  unsigned long rest = value < 0 ? -(unsigned long)value : (unsigned long)value;
  do digits[n++] = (char)('0' + rest % 10);
  while ((rest /= 10) != 0);
  while (n > 0) to[size++] = digits[--n];
  return size;
}

static void say(int socket, const char* word, const char* request, size_t request_size, long value) {
  char line[128];
  size_t n = put(line, word);
  memcpy(line + n, request, request_size);
  n += request_size;
  if (request_size > 0) line[n++] = ' ';
  n += put_number(line + n, value);
  send(socket, line, n, MSG_NOSIGNAL);
}

// Whether a copy of this process works is asked of one: 0 if it says so, by its exit status.
static int trial_failed(int pid_pipe) {
  if (!wait_readable(pid_pipe, kTrialMs)) return 1;
  char verdict = 0;
  return read(pid_pipe, &verdict, 1) != 1 || verdict != 'y';
}

static int serving = -1, trial_pipe = -1;

// try(): answers "trial" in a copy that is to say by passed() that it works, and "" or "failed" in this process.
static napi_value Try(napi_env env, napi_callback_info info) {
  (void)info;
  int ends[2];
  const pid_t keeper = getppid();
  if (copy_all_memory() != 0 || pipe2(ends, O_CLOEXEC) != 0) return text_of(env, "failed", 6);
  const pid_t pid = copy_process();
  if (pid == 0) {
    close(ends[0]);
    trial_pipe = ends[1];
    settle(keeper);
    if (!loop_goes_on(env)) _exit(1);
    return text_of(env, "trial", 5);
  }
  close(ends[1]);
  const int failed = pid < 0 || trial_failed(ends[0]);
  close(ends[0]);
  if (failed && pid > 0) kill(pid, SIGKILL);
  return failed ? text_of(env, "failed", 6) : text_of(env, "", 0);
}

static napi_value Passed(napi_env env, napi_callback_info info) {
  (void)env;
  (void)info;
  const ssize_t n = write(trial_pipe, "y", 1);
  _exit(n == 1 ? 0 : 1);
}

// A command is one packet, "<request> <text>", with three descriptors or four. False at the end of the conversation.
static int receive(char* buffer, size_t* size, int* given) {
  char space[CMSG_SPACE(kDescriptors * sizeof(int))];
  struct iovec part = {buffer, kMostCommand};
  struct msghdr message;
  ssize_t n;
  for (int i = 0; i < kDescriptors; ++i) given[i] = -1;
  do {
    memset(&message, 0, sizeof message);
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = space;
    message.msg_controllen = sizeof space;
    n = recvmsg(serving, &message, MSG_CMSG_CLOEXEC);
  } while (n < 0 && errno == EINTR);
  if (n <= 0) return 0;
  *size = (size_t)n;
  const struct cmsghdr* head = CMSG_FIRSTHDR(&message);
  if (head != NULL && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS &&
      (head->cmsg_len == CMSG_LEN(sizeof(int) * kOrders) || head->cmsg_len == CMSG_LEN(sizeof(int) * kDescriptors)))
    memcpy(given, CMSG_DATA(head), head->cmsg_len - CMSG_LEN(0));
  return 1;
}

// serve(descriptor): says "R" and copies this process at each command, and never returns but in the copies, with the command's text. The event loop stands
// still meanwhile: nothing of the app or of Next runs here any more.
static napi_value Serve(napi_env env, napi_callback_info info) {
  static char buffer[kMostCommand];
  size_t count = 1;
  napi_value argument[1];
  int32_t descriptor = -1;
  if (napi_get_cb_info(env, info, &count, argument, NULL, NULL) != 0 || count < 1 || napi_get_value_int32(env, argument[0], &descriptor) != 0)
    return NULL;
  serving = descriptor;
  fcntl(serving, F_SETFD, FD_CLOEXEC);
  const pid_t keeper = getppid();
  copy_all_memory();
  send(serving, "R", 1, MSG_NOSIGNAL);
  for (;;) {
    size_t size = 0;
    int given[kDescriptors], ends[2];
    if (!receive(buffer, &size, given)) _exit(0);
    const char* space = memchr(buffer, ' ', size);
    const size_t request = space == NULL ? size : (size_t)(space - buffer);
    if (space == NULL || request > 20 || given[kError] < 0) continue;
    if (pipe2(ends, O_CLOEXEC) != 0) {
      say(serving, "E ", buffer, request, errno);
    } else {
      const pid_t pid = copy_process();
      if (pid == 0) {
        close(serving);
        close(ends[0]);
        settle(keeper);
        take_name();
        if (take_descriptors(given) != 0 || !loop_goes_on(env)) _exit(127);
        if (write(ends[1], "y", 1) != 1) _exit(127);
        close(ends[1]);
        return text_of(env, space + 1, size - request - 1);
      }
      close(ends[1]);
      // From here on it has a session of its own, and can be stopped by that.
      char word = 0;
      const int stands = pid > 0 && wait_readable(ends[0], kReadyMs) && read(ends[0], &word, 1) == 1;
      if (pid > 0 && !stands) kill(pid, SIGKILL);
      say(serving, stands ? "P " : "E ", buffer, request, stands ? pid : why_not);
      close(ends[0]);
    }
    for (int i = 0; i < kDescriptors && given[i] >= 0; ++i) close(given[i]);
  }
}

// ownTmp(text): gives this copy a /tmp of its own, as launch() does with a started instance (own_tmp.h). The text is "options\nentry\nentry". Answers what it
// failed at, or "". Before anything else runs in the copy: a user namespace is for a process with one thread.
static napi_value OwnTmp(napi_env env, napi_callback_info info) {
  static char text[kMostCommand];
  const char* kept[kOwnTmpMostKept];
  size_t count = 1, size = 0;
  napi_value argument[1];
  if (napi_get_cb_info(env, info, &count, argument, NULL, NULL) != 0 || count < 1 || napi_get_value_string_utf8(env, argument[0], text, sizeof text, &size) != 0)
    return text_of(env, "its arguments", 13);
  struct vsim_own_tmp tmp = {text, kept, 0, geteuid() != 0, geteuid(), getegid()};
  for (char* end = text; (end = strchr(end, '\n')) != NULL && tmp.kept_count < kOwnTmpMostKept;) {
    *end++ = '\0';
    kept[tmp.kept_count++] = end;
  }
  if (unshare(CLONE_NEWNS | (tmp.in_user_namespace ? CLONE_NEWUSER : 0)) != 0) return text_of(env, "a namespace of its own", 22);
  const char* failed = vsim_take_own_tmp(&tmp);
  if (failed == NULL && tmp.in_user_namespace) {
    // As an exec would: what it may do in its namespace is for mounting only.
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2];
    memset(none, 0, sizeof none);
    if (syscall(SYS_capset, &head, none) != 0) failed = "giving up what it may";
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // which a change of what a process may do can take back
  }
  return text_of(env, failed == NULL ? "" : failed, failed == NULL ? 0 : strlen(failed));
}

// exit(status): at once. Node's own end waits for threads that a copy does not have.
static napi_value Exit(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument[1];
  int32_t status = 0;
  if (napi_get_cb_info(env, info, &count, argument, NULL, NULL) == 0 && count > 0) napi_get_value_int32(env, argument[0], &status);
  _exit(status);
}

static void add(napi_env env, napi_value exports, const char* name, napi_callback call) {
  napi_value function = NULL;
  if (napi_create_function(env, name, strlen(name), call, NULL, &function) == 0) napi_set_named_property(env, exports, name, function);
}

__attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  add(env, exports, "try", Try);
  add(env, exports, "passed", Passed);
  add(env, exports, "serve", Serve);
  add(env, exports, "ownTmp", OwnTmp);
  add(env, exports, "exit", Exit);
  return exports;
}
