// What the memory of one copy of a process costs on this machine, whatever runs in it: gcc -O2 bench/pages.c -o /tmp/pages && /tmp/pages [WRITTEN READ TEMPLATE]
// A process with TEMPLATE pages (20,000: 78 MiB) is copied 40 times; each copy takes WRITTEN of them ahead (1,450, MADV_POPULATE_WRITE), reads READ others
// (3,000) and ends: what an API call of the example app does (isolation.mjs counts it). Medians in ms. A machine whose processor does not translate addresses for
// its guests pays for each page that a copy only reads, where others pay for those alone that it writes to; no page fault is counted for that.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { kPage = 4096, kRounds = 40, kSteps = 4, kPopulateWrite = 23 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}
static int by_size(const void* a, const void* b) {
  const double x = *(const double*)a, y = *(const double*)b;
  return (x > y) - (x < y);
}

int main(int count, char** arguments) {
  const long written = count > 1 ? atol(arguments[1]) : 1450, read = count > 2 ? atol(arguments[2]) : 3000, all = count > 3 ? atol(arguments[3]) : 20000;
  if (written < 1 || read < 1 || written + read > all) return fprintf(stderr, "pages: WRITTEN + READ of at most TEMPLATE pages\n"), 2;
  char* const memory = mmap(NULL, (size_t)all * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  double* const copies = mmap(NULL, kPage, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED || copies == MAP_FAILED) return perror("pages"), 1;
  madvise(memory, (size_t)all * kPage, MADV_NOHUGEPAGE);
  for (long i = 0; i < all; ++i) memory[i * kPage] = 1;
  static double ms[kSteps + 1][kRounds];
  for (int round = 0; round < kRounds; ++round) {
    const double begin = now();
    const pid_t pid = fork();
    if (pid < 0) return perror("pages"), 1;
    if (pid == 0) {
      copies[0] = now();
      for (long i = 0; i < written; ++i)
        if (madvise(memory + i * all / written * kPage, kPage, kPopulateWrite) != 0) memory[i * all / written * kPage] = 2;
      copies[1] = now();
      volatile char sum = 0;
      for (long i = 0; i < read; ++i) sum += memory[(i * all / read + 1) % all * kPage];
      copies[2] = now();
      _exit(0);
    }
    if (waitpid(pid, NULL, 0) != pid) return perror("pages"), 1;
    const double end = now(), at[] = {begin, copies[0], copies[1], copies[2], end};
    for (int step = 0; step < kSteps; ++step) ms[step][round] = at[step + 1] - at[step];
    ms[kSteps][round] = end - begin;
  }
  static const char* const names[] = {"the copy is made", "pages that it writes to", "pages that it reads", "it ends", "in all"};
  for (int step = 0; step <= kSteps; ++step) {
    qsort(ms[step], kRounds, sizeof **ms, by_size);
    printf("%-24s %6.2f ms\n", names[step], ms[step][kRounds / 2]);
  }
  return 0;
}
