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
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent/fork_memory.h"
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

// "<pid> <text>"
static napi_value own_text(napi_env env, const char* text, size_t size) {
  static char own[kMostCommand + 32];
  size_t n = put_number(own, getpid());
  own[n++] = ' ';
  memcpy(own + n, text, size);
  return text_of(env, own, n + size);
}

// learn()
static napi_value Learn(napi_env env, napi_callback_info info) {
  (void)env;
  (void)info;
  teach();
  return NULL;
}

// serve(descriptor, learns, fresh): says "R" and copies this process at each command, and never returns but in the copies, with the number of the copy and the command's
// text. The event loop stands still meanwhile: nothing of the app or of Next runs here any more. `fresh`: an object that was made for it, where the young generation has
// none but such.
static napi_value Serve(napi_env env, napi_callback_info info) {
  static char buffer[kMostCommand];
  size_t count = 3;
  napi_value argument[3];
  int32_t descriptor = -1, learns = 0;
  if (napi_get_cb_info(env, info, &count, argument, NULL, NULL) != 0 || count < 2 || napi_get_value_int32(env, argument[0], &descriptor) != 0 ||
      napi_get_value_int32(env, argument[1], &learns) != 0)
    return NULL;
  if (learns) prepare_learning();
  serving = descriptor;
  fcntl(serving, F_SETFD, FD_CLOEXEC);
  const pid_t keeper = getppid();
  copy_all_memory();
  // What stands for a value is where V8 keeps its address, whose last bit is a mark.
  if (count > 2) drop_young(*(const unsigned long*)argument[2] & ~1UL);
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
        take_ahead();
        return own_text(env, space + 1, size - request - 1);
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

static char project[4096];  // where the disk is read-only for this process; "": nowhere
static int may_mount, whole_disk = -1;

// What a line of text_of() (own_tmp.hpp) says beyond an entry of /tmp.
static void take_path(char* line, struct vsim_read_only* disk, const char** paths) {
  if (disk->count == kReadOnlyMost) return;
  if (*line == '=') disk->project = line + 1;
  paths[disk->count++] = line + 1;
}

static void get_own_text(napi_env env, napi_callback_info info, char* text, size_t room) {
  size_t count = 1, size = 0;
  napi_value argument[1];
  text[0] = '\0';
  if (napi_get_cb_info(env, info, &count, argument, NULL, NULL) == 0 && count > 0) napi_get_value_string_utf8(env, argument[0], text, room, &size);
}

static napi_value answer(napi_env env, const char* failed) { return text_of(env, failed == NULL ? "" : failed, failed == NULL ? 0 : strlen(failed)); }

// ownTmp(text): gives this copy a /tmp and a disk of its own, as launch() does with a started instance (own_tmp.h). Answers what it failed at, or "". Before
// anything else runs in the copy: a user namespace is for a process with one thread. A copy of a copy has a disk that is read-only, and needs no user namespace.
static napi_value OwnTmp(napi_env env, napi_callback_info info) {
  static char text[kMostCommand];
  const char *kept[kOwnTmpMostKept], *paths[kReadOnlyMost];
  struct vsim_read_only disk = {paths, 0, NULL};
  const int is_copied = project[0] != '\0';
  get_own_text(env, info, text, sizeof text);
  struct vsim_own_tmp tmp = {text[0] == '-' ? NULL : text, kept, 0, geteuid() != 0 && !may_mount, geteuid(), getegid(), NULL};
  for (char* end = text; (end = strchr(end, '\n')) != NULL;) {
    *end++ = '\0';
    if (*end != '/')
      take_path(end, &disk, paths);
    else if (tmp.kept_count < kOwnTmpMostKept)
      kept[tmp.kept_count++] = end;
  }
  if (disk.project != NULL) strncpy(project, disk.project, sizeof project - 1);
  if (disk.project != NULL && !is_copied) tmp.disk = &disk;
  const char* failed = vsim_take_own_tmp(&tmp, &whole_disk);
  if (whole_disk >= 0) fcntl(whole_disk, F_SETFD, FD_CLOEXEC);
  if (failed == NULL && tmp.in_user_namespace) {
    // As an exec would: what it may do in its namespace is for mounting only.
    if (vsim_may_mount_only(0) != 0) failed = "giving up what it may";
    may_mount = 1;
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // which a change of what a process may do can take back
  }
  return answer(env, failed);
}

// wholeDisk(project): the number of the descriptor by which all can be written that could be (read_only.h), or "" where there is none. A started instance was
// given it, and names its project; its children may not mount.
static napi_value WholeDisk(napi_env env, napi_callback_info info) {
  char digits[24];
  if (project[0] == '\0') {
    get_own_text(env, info, project, sizeof project);
    for (int fd = 3; fd < 16 && whole_disk < 0 && project[0] != '\0'; ++fd) {
      char link[32] = "/proc/self/fd/", to[2];
      link[14 + put_number(link + 14, fd)] = '\0';
      if (readlink(link, to, sizeof to) == 1 && to[0] == '/') whole_disk = fd;
    }
    if (whole_disk >= 0) fcntl(whole_disk, F_SETFD, FD_CLOEXEC);
    prctl(kAmbient, kAmbientClear, 0, 0, 0);
  }
  return text_of(env, digits, whole_disk < 0 ? 0 : put_number(digits, whole_disk));
}

// As it was outside: what was read-only there stays so.
static int was_writable(void) {
  char path[sizeof project + 32] = "/proc/self/fd/";
  size_t n = 14 + put_number(path + 14, whole_disk);
  strcpy(path + n, project);
  struct statvfs disk;
  return whole_disk >= 0 && statvfs(path, &disk) == 0 && (disk.f_flag & ST_RDONLY) == 0;
}

// setReadOnly("1" or ""): the project, for this process and what it starts. "": done; else why not.
static napi_value SetReadOnly(napi_env env, napi_callback_info info) {
  char is[2];
  get_own_text(env, info, is, sizeof is);
  if (project[0] == '\0' || !was_writable()) return answer(env, "it is not ours");
  return answer(env, vsim_set_read_only(project, is[0] == '1', 0) == 0 ? NULL : strerror(errno));
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
  add(env, exports, "learn", Learn);
  add(env, exports, "ownTmp", OwnTmp);
  add(env, exports, "wholeDisk", WholeDisk);
  add(env, exports, "setReadOnly", SetReadOnly);
  add(env, exports, "exit", Exit);
  return exports;
}
