// What a fuzzer holds against what came out: the first thing that does not hold is said, and ends it.
#pragma once

#include <cstdio>
#include <cstdlib>

inline void require(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}
