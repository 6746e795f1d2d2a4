// What copies of a process are told by the first of them of its memory, with real copies: which pages they write to, and, where the host makes the first touch
// of a page dear, which they touch. Says what is wrong and ends with 1.
#define _GNU_SOURCE
#include "agent/fork_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

enum { kPages = 2048, kFilePages = 16, kReads = 4, kWrites = 8 };  // every fourth page is read by a copy, every eighth is written to
static volatile char *room, *of_file;

static void expect(int is, const char* what) {
  if (is) return;
  fprintf(stderr, "fork_memory_test: expected that %s\n", what);
  exit(1);
}

static int is_read(size_t page) { return page % kReads == 0; }
static int is_written(size_t page) { return page % kWrites == 1; }

static size_t index_of(volatile const char* at) {
  size_t index = 0;
  for (size_t m = 0; m < mapping_count; index += mappings[m++].pages)
    if ((unsigned long)at >= mappings[m].from && (unsigned long)at < mappings[m].from + mappings[m].pages * kPage)
      return index + ((unsigned long)at - mappings[m].from) / kPage;
  expect(0, "the mapping is known");
  return 0;
}

static void ends_well(pid_t pid, const char* what) {
  int status = 1;
  expect(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0, what);
}

static void invoke(void) {
  for (size_t i = 0; i < kPages; ++i) {
    if (is_read(i)) (void)room[i * kPage];
    if (is_written(i)) room[i * kPage] = 2;
  }
}

static size_t slow_reads(int of_those_read) {
  size_t slow = 0;
  for (size_t i = 0; i < kPages; ++i)
    if (is_read(i) == of_those_read && !is_written(i)) slow += read_ns((unsigned long)room + i * kPage) > kNewNs;
  return slow;
}

static int is_alone(int pagemap, size_t page) {
  uint64_t entry = 0;
  expect(pread(pagemap, &entry, sizeof entry, (off_t)(((unsigned long)room / kPage + page) * sizeof entry)) == sizeof entry, "pagemap is readable");
  return (entry >> 56 & 1) != 0 && entry >> 63 != 0;
}

// How dear the first touch of a page is here, by a copy that has nothing else to do. Neither: some are slow, and nothing can be expected.
enum { kNothing, kNeither, kDear };
static int price_of_first_touch(void) {
  const pid_t pid = fork();
  if (pid == 0) {
    const size_t slow = slow_reads(1), all = kPages / kReads;
    _exit(slow > all / 2 ? kDear : slow > all / 32 ? kNeither : kNothing);
  }
  int status = 0;
  expect(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status), "a copy ends");
  return WEXITSTATUS(status);
}

static void check_what_is_told(int price) {
  const size_t first = index_of(room);
  size_t named = 0, all = 0;
  for (size_t i = 0; i < kPages; ++i) {
    expect((shared->written[first + i] == kTeachers) == is_written(i), "exactly the pages that both wrote to are named as written");
    const int is_touched = is_read(i) || is_written(i);
    if (!is_touched) expect(shared->touched[first + i] == 0, "no page is named as touched that nobody touched");
    all += (size_t)is_touched;
    named += is_touched && shared->touched[first + i] == kTeachers;
  }
  if (price == kDear) expect(named >= all * 9 / 10, "the pages that both touched are named");
  if (price == kNothing) expect(named == 0, "none is named where the first touch of a page costs nothing");
  static const char* const prices[] = {"costs nothing", "is dear for some pages", "is dear"};
  printf("fork_memory_test: the first touch of a page %s here, %zu of %zu are named\n", prices[price], named, all);
  fflush(stdout);
}

static void check_copy(int price) {
  const int pagemap = open("/proc/self/pagemap", O_RDONLY);
  take_ahead();
  for (size_t i = 0; i < kPages; ++i) expect(is_alone(pagemap, i) == is_written(i), "a copy has taken the pages that it will write to, and no others");
  if (price == kDear) expect(slow_reads(1) <= kPages / kReads / 5, "a copy has touched the pages that it will read");
  _exit(0);
}

int main(void) {
  (void)drop_young;  // V8's: there is none here
  char path[] = "/tmp/fork_memory_test.XXXXXX";
  const int file = mkstemp(path);
  expect(file >= 0 && ftruncate(file, kFilePages * kPage) == 0, "a file can be made");
  unlink(path);
  of_file = mmap(NULL, kFilePages * kPage, PROT_READ, MAP_PRIVATE, file, 0);
  room = mmap(NULL, kPages * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  expect(of_file != MAP_FAILED && room != MAP_FAILED, "memory can be had");
  madvise((void*)room, kPages * kPage, MADV_NOHUGEPAGE);
  memset((void*)room, 1, kPages * kPage);

  prepare_learning();
  expect(shared != NULL && copy_all_memory() == 0, "the process can be copied");
  const int price = price_of_first_touch();
  for (int i = 0; i < kTeachers; ++i) {
    const pid_t pid = fork();
    if (pid == 0) {
      invoke();
      teach();
      _exit(0);
    }
    ends_well(pid, "a teacher ends well");
  }
  expect(shared->taught == kTeachers, "both have taught");
  check_what_is_told(price);

  // A file that has become shorter since: reading there would be the end of the copy.
  const size_t first = index_of(of_file);
  for (size_t i = 0; i < kFilePages; ++i) shared->touched[first + i] = kTeachers;
  expect(ftruncate(file, 0) == 0, "a file can be made shorter");
  const pid_t pid = fork();
  if (pid == 0) check_copy(price);
  ends_well(pid, "a copy ends well");
  return 0;
}
