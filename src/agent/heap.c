// Loaded into a template before Node itself (LD_PRELOAD; Linux): where V8's memory lies. V8 asks for it in pieces of 256 KiB, each at an address drawn at
// random, so that each has page tables and a mapping of its own: 360 mappings and 2.7 MiB of tables that every copy of the process is given, and takes
// down again. Here they lie side by side, from the first address on that V8 has drawn. What the copies gain: docs/decisions/0103-v8s-memory-side-by-side.md.
// It names only what any C library has, as fork.c does.
#define _GNU_SOURCE
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { kChunk = 256 * 1024, kPage = 4096, kMost = 16 << 20 };

// What V8 is given and keeps: it asks for as much more as a chunk may have to be moved, and gives that back.
static size_t kept(size_t size) {
  if (size % kChunk != 0 && size > kChunk) size -= kChunk - kPage;
  return (size + kChunk - 1) / kChunk * kChunk;
}

static void* beside(size_t size, uintptr_t drawn) {
  static uintptr_t next;
  uintptr_t none = 0;
  __atomic_compare_exchange_n(&next, &none, drawn & ~(uintptr_t)((1UL << 30) - 1), 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
  return (void*)__atomic_fetch_add(&next, kept(size), __ATOMIC_RELAXED);
}

// An address that is asked for is a wish: where it is taken or there is none such, the system gives another, and V8 takes what it gets.
static void* map(void* address, size_t size, int protection, int flags, int file, long offset) {
  const int is_memory = (flags & MAP_ANONYMOUS) && (flags & MAP_PRIVATE) && !(flags & (MAP_FIXED | MAP_FIXED_NOREPLACE));
  if (address != NULL && is_memory && size >= kChunk && size < kMost) address = beside(size, (uintptr_t)address);
  return (void*)syscall(SYS_mmap, address, size, protection, flags, file, offset);
}

__attribute__((visibility("default"))) void* mmap(void* address, size_t size, int protection, int flags, int file, off_t offset) {
  return map(address, size, protection, flags, file, offset);
}
__attribute__((visibility("default"))) void* mmap64(void* address, size_t size, int protection, int flags, int file, off_t offset) {
  return map(address, size, protection, flags, file, offset);
}
