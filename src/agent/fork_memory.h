// Of fork.c: the memory of a process that is to be copied, and the pages that its copies will write to.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static ssize_t read_on(int file, void* to, size_t size) {
  ssize_t n;
  do n = read(file, to, size);
  while (n < 0 && errno == EINTR);
  return n;
}

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

// What a template of a function has that its copies may touch, for teach() and take_ahead().
enum { kPage = 4096, kMostMappings = 1024, kMostPages = 128 * 1024 };
static struct {
  unsigned long from, pages;
  int is_writable;
} mappings[kMostMappings];
static size_t mapping_count, page_count;

static void note_mapping(unsigned long from, unsigned long to, int is_writable) {
  const unsigned long pages = (to - from) / kPage;
  if (page_count + pages > kMostPages) return;
  const size_t last = mapping_count - 1;
  if (mapping_count > 0 && mappings[last].from + mappings[last].pages * kPage == from && mappings[last].is_writable == is_writable) {
    mappings[last].pages += pages;
  } else {
    if (mapping_count == kMostMappings) return;
    mappings[mapping_count].from = from;
    mappings[mapping_count].is_writable = is_writable;
    mappings[mapping_count++].pages = pages;
  }
  page_count += pages;
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
  if (at[1] == 'r') note_mapping(from, to, at[2] == 'w');
}

// V8 marks the pages of its heap as not to be copied (MADV_DONTFORK): a child would die of its first allocation.
static int copy_all_memory(void) {
  static char text[16 * 1024];
  size_t have = 0;
  mapping_count = page_count = 0;
  const int file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (file < 0) return -1;
  for (;;) {
    const ssize_t n = read_on(file, text + have, sizeof text - have);
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

// ---- V8's young generation ---------------------------------------------------------------------------------------------------------------

// When a collection has emptied it, its memory is as large as it ever was, and full of garbage that every copy's page tables would name: a third of all of
// a template's pages. V8 reads nothing there that it has not written before. Known by how each chunk of V8's memory begins (V8 11, which Node 20 has); what
// does not begin so in every word is left alone.
enum { kChunk = 256 * 1024, kYoung = 3 << 3 };  // FROM_PAGE, TO_PAGE
struct chunk {
  uint64_t size, flags, heap, begin, end;  // of what can be allocated
};

static const struct chunk* chunk_at(unsigned long at) {
  const struct chunk* const it = (const struct chunk*)at;
  return it->size == kChunk && it->heap != 0 && it->begin > at && it->begin <= at + kChunk / 8 && it->end == at + kChunk ? it : NULL;
}
static int is_young(const struct chunk* it) { return it != NULL && (it->flags & kYoung) != 0; }

// That in use when the young generation was dropped; NULL: it was not.
static const struct chunk* current;
static int is_dropped(const struct chunk* it) { return is_young(it) && it != current && it->heap == current->heap; }
static unsigned long first_free(const struct chunk* it) { return (it->begin + kPage - 1) / kPage * kPage; }

// What can be a large page (take_large()): 2 MiB of chunks, most of them dropped, which lie side by side where heap.c laid them.
enum { kLarge = 2 * 1024 * 1024, kMostLarge = 32, kFewestDropped = 6 };
static unsigned long large[kMostLarge];
static size_t large_count;

static int has_large_pages(void) {
  char text[64];
  const int file = open("/sys/kernel/mm/transparent_hugepage/enabled", O_RDONLY | O_CLOEXEC);
  const ssize_t n = file < 0 ? 0 : read_on(file, text, sizeof text);
  if (file >= 0) close(file);
  for (ssize_t i = 0; i + 2 < n; ++i)
    if (text[i] == '[') return text[i + 1] != 'n';  // always, madvise; never
  return 0;
}

static void note_large(unsigned long from, unsigned long to) {
  for (unsigned long at = (from + kLarge - 1) / kLarge * kLarge; at + kLarge <= to && large_count < kMostLarge; at += kLarge) {
    size_t chunks = 0, dropped = 0;
    for (unsigned long chunk = at; chunk < at + kLarge; chunk += kChunk) {
      const struct chunk* const it = chunk_at(chunk);
      chunks += it != NULL && it->heap == current->heap;
      dropped += (size_t)is_dropped(it);
    }
    if (chunks == kLarge / kChunk && dropped >= kFewestDropped) large[large_count++] = at;
  }
}

// `object`: the address of one that was made since. Its chunk is the only one in use, and stays as it is.
static void drop_young(unsigned long object) {
  const struct chunk* const its = chunk_at(object - object % kChunk);
  current = is_young(its) ? its : NULL;
  large_count = 0;
  if (current == NULL) return;
  const int may_be_large = has_large_pages();
  for (size_t m = 0; m < mapping_count; ++m) {
    const unsigned long from = mappings[m].from, to = from + mappings[m].pages * kPage;
    if (!mappings[m].is_writable) continue;
    for (unsigned long at = (from + kChunk - 1) / kChunk * kChunk; at + kChunk <= to; at += kChunk) {
      const struct chunk* const it = chunk_at(at);
      if (is_dropped(it)) madvise((void*)first_free(it), it->end - first_free(it), MADV_DONTNEED);
    }
    if (may_be_large) note_large(from, to);
  }
}

// ---- Pages that a copy will write to ---------------------------------------------------------------------------------------------------

// Each page that a copy writes to for the first time is a fault, and a request takes a thousand. All copies of a template lie alike, so the first ones say
// which pages they had written to when their first invocation was done, and the later ones take those that all of these name before they are ready: not in
// the way of a request, if they wait for one. It changes no content, and what is said here is no more than advice: memory that template and copies share.
enum { kTeachers = 2, kAheadMostPages = 12288, kPopulateRead = 22, kPopulateWrite = 23 };  // MADV_POPULATE_*, Linux 5.14
static struct shared {
  unsigned teachers, taught;
  unsigned char written[kMostPages], touched[kMostPages];  // by how many of the teachers
} * shared;
static int has_taken_ahead;

static void prepare_learning(void) {
  if (sysconf(_SC_PAGESIZE) != kPage) return;
  void* const at = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  shared = at == MAP_FAILED ? NULL : at;
}

// In a copy: one large page in place of 512 of the young generation. Of a chunk that was dropped there is how it begins, and nothing else. Where the system
// has none to give, they are small ones as before.
static void take_large(unsigned long at) {
  char* const room = mmap(NULL, 2 * kLarge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED) return;
  char* const page = room + (kLarge - (unsigned long)room % kLarge) % kLarge;
  madvise(page, kLarge, MADV_HUGEPAGE);
  for (unsigned long chunk = at; chunk < at + kLarge; chunk += kChunk) {
    const struct chunk* const it = (const struct chunk*)chunk;
    memcpy(page + (chunk - at), it, is_dropped(it) ? first_free(it) - chunk : kChunk);
  }
  const int is_moved = mremap(page, kLarge, kLarge, MREMAP_MAYMOVE | MREMAP_FIXED, (void*)at) != MAP_FAILED;
  if (page > room) munmap(room, (size_t)(page - room));
  munmap(is_moved ? page + kLarge : page, (size_t)(room + 2 * kLarge - page) - (is_moved ? kLarge : 0));
}

// Those of one mapping which the teachers have written to an eighth of at least: clearing the whole takes as long as some 50 faults.
enum { kLargeLeast = 64 };
static void take_all_large(unsigned long from, size_t pages, const unsigned char* written) {
  for (size_t i = 0; i < large_count; ++i) {
    if (large[i] < from || large[i] + kLarge > from + pages * kPage) continue;
    const unsigned char* const those = written + (large[i] - from) / kPage;
    size_t count = 0;
    for (size_t page = 0; page < kLarge / kPage; ++page) count += those[page] == kTeachers;
    if (count >= kLargeLeast) take_large(large[i]);
  }
}

// In a copy. An older kernel refuses: then a fault takes each page, as it would have.
static void take_written(void) {
  const unsigned char* written = shared->written;
  size_t left = kAheadMostPages;
  for (size_t m = 0; m < mapping_count; written += mappings[m++].pages) {
    const size_t pages = mappings[m].pages;
    take_all_large(mappings[m].from, pages, written);  // of which nothing is left to take below, but where the system had none to give
    for (size_t i = 0; i < pages; ++i) {
      const size_t from = i;
      while (i < pages && written[i] == kTeachers && i - from < left) ++i;
      if (i == from) continue;
      if (madvise((void*)(mappings[m].from + from * kPage), (i - from) * kPage, kPopulateWrite) != 0 && errno == EINVAL) return;
      left -= i - from;
      if (left == 0) return;
    }
  }
}

// Pages that may not be there any more (a file that has become shorter) end the process that reads them: the system says so.
static int are_there(unsigned long from, size_t pages) { return madvise((void*)from, pages * kPage, kPopulateRead) == 0; }

static void touch(unsigned long from, size_t pages) {
  if (!are_there(from, pages)) return;
  for (size_t i = 0; i < pages; ++i) (void)*(const volatile char*)(from + i * kPage);
}

static void touch_those_touched(void) {
  const unsigned char* touched_by = shared->touched;
  for (size_t m = 0; m < mapping_count; touched_by += mappings[m++].pages) {
    for (size_t i = 0; i < mappings[m].pages; ++i) {
      const size_t from = i;
      while (i < mappings[m].pages && touched_by[i] == kTeachers) ++i;
      if (i > from) touch(mappings[m].from + from * kPage, i - from);
    }
  }
}

static void take_ahead(void) {
  if (shared == NULL || __atomic_load_n(&shared->taught, __ATOMIC_ACQUIRE) < kTeachers) return;
  has_taken_ahead = 1;
  take_written();
  touch_those_touched();
}

// What a teacher has touched. Where a host keeps the page tables of its guests, a page costs 4 us when a process touches it for the first time, be it only to
// read it, and no fault is counted. No system call says which pages that are, and what the system reads itself it reads by tables of its own; how long it takes
// to read there says it. Where few are slow nothing is won by touching pages ahead, and none is named.
enum { kNewNs = 1000, kFewestNew = 8 };
static unsigned char touched[kMostPages];
static size_t looks, those_new;

static long read_ns(unsigned long at) {
  struct timespec from, to;
  clock_gettime(CLOCK_MONOTONIC, &from);
  (void)*(const volatile char*)at;
  clock_gettime(CLOCK_MONOTONIC, &to);
  return (long)(to.tv_sec - from.tv_sec) * 1000000000 + (to.tv_nsec - from.tv_nsec);
}

static void look_at(unsigned long from, size_t pages, unsigned char* is_touched) {
  if (!are_there(from, pages)) return;
  for (size_t i = 0; i < pages; ++i) {
    const unsigned long at = from + i * kPage;
    const long first = read_ns(at), second = read_ns(at), third = read_ns(at);  // either can be interrupted
    is_touched[i] = first - (second < third ? second : third) <= kNewNs;
    those_new += !is_touched[i];
  }
  looks += pages;
}

static void say_touched(void) {
  if (those_new * kFewestNew < looks) return;
  for (size_t i = 0; i < page_count; ++i)
    if (touched[i]) __atomic_fetch_add(&shared->touched[i], 1, __ATOMIC_RELAXED);
}

// Of one mapping, whose first page is that at `index`: what is this process's alone (/proc/self/pagemap: present, mapped once, of no file), and what it touched.
static int look_at_mapping(int pagemap, unsigned long from, size_t pages, size_t index) {
  enum { kAtOnce = 512 };
  uint64_t entries[kAtOnce];
  const uint64_t present = 1ULL << 63, of_file = 1ULL << 61, alone = 1ULL << 56;
  for (size_t i = 0; i < pages;) {
    const size_t wanted = (pages - i < kAtOnce ? pages - i : kAtOnce) * sizeof *entries;
    const ssize_t n = pread(pagemap, entries, wanted, (off_t)((from / kPage + i) * sizeof *entries));
    if (n < (ssize_t)sizeof *entries) return 0;
    const size_t count = (size_t)n / sizeof *entries;
    for (size_t k = 0; k < count; ++k)
      if ((entries[k] & (present | of_file | alone)) == (present | alone)) __atomic_fetch_add(&shared->written[index + i + k], 1, __ATOMIC_RELAXED);
    for (size_t k = 0; k < count; ++k) {
      const size_t first = k;
      while (k < count && (entries[k] & present) != 0) ++k;
      if (k > first) look_at(from + (i + first) * kPage, k - first, touched + index + i + first);
    }
    i += count;
  }
  return 1;
}

// In a copy whose first invocation is done.
static void teach(void) {
  if (shared == NULL || has_taken_ahead || __atomic_fetch_add(&shared->teachers, 1, __ATOMIC_RELAXED) >= kTeachers) return;
  const int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  if (pagemap < 0) return;
  int all = 1;
  for (size_t m = 0, index = 0; all && m < mapping_count; index += mappings[m++].pages)
    all = look_at_mapping(pagemap, mappings[m].from, mappings[m].pages, index);
  close(pagemap);
  if (!all) return;
  say_touched();
  __atomic_fetch_add(&shared->taught, 1, __ATOMIC_RELEASE);
}
