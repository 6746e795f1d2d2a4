// Of fork.c: the memory of a process that is to be copied, and the pages that its copies will write to.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
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

// What a template of a function has that its copies may write to, for learn() and take_ahead().
enum { kPage = 4096, kMostMappings = 1024, kMostPages = 64 * 1024 };
static struct {
  unsigned long from, pages;
} mappings[kMostMappings];
static size_t mapping_count, page_count;

static void note_mapping(unsigned long from, unsigned long to) {
  const unsigned long pages = (to - from) / kPage;
  if (page_count + pages > kMostPages) return;
  if (mapping_count > 0 && mappings[mapping_count - 1].from + mappings[mapping_count - 1].pages * kPage == from) {
    mappings[mapping_count - 1].pages += pages;
  } else {
    if (mapping_count == kMostMappings) return;
    mappings[mapping_count].from = from;
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
  if (at[2] == 'w') note_mapping(from, to);
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
enum { kTeachers = 2, kAheadMostPages = 12288, kPopulateWrite = 23 };  // MADV_POPULATE_WRITE, Linux 5.14
static struct shared {
  unsigned teachers, taught;
  unsigned char written[kMostPages];  // by how many of the teachers
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
static void take_ahead(void) {
  if (shared == NULL || __atomic_load_n(&shared->taught, __ATOMIC_ACQUIRE) < kTeachers) return;
  has_taken_ahead = 1;
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

// Of one mapping: what is this process's alone (/proc/self/pagemap: present, mapped once, of no file).
static int say_written(int pagemap, unsigned long from, size_t pages, unsigned char* written) {
  enum { kAtOnce = 512 };
  uint64_t entries[kAtOnce];
  const uint64_t present = 1ULL << 63, of_file = 1ULL << 61, alone = 1ULL << 56;
  for (size_t i = 0; i < pages;) {
    const size_t wanted = (pages - i < kAtOnce ? pages - i : kAtOnce) * sizeof *entries;
    const ssize_t n = pread(pagemap, entries, wanted, (off_t)((from / kPage + i) * sizeof *entries));
    if (n < (ssize_t)sizeof *entries) return 0;
    for (size_t k = 0; k < (size_t)n / sizeof *entries; ++k, ++i)
      if ((entries[k] & (present | of_file | alone)) == (present | alone)) __atomic_fetch_add(&written[i], 1, __ATOMIC_RELAXED);
  }
  return 1;
}
