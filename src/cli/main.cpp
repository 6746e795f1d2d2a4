#include "cli/main.hpp"

#include <cstdio>

namespace vsim::cli {

int run_main(int, char**) {
  std::puts("vercel-sim " VSIM_VERSION);
  return 0;
}

}  // namespace vsim::cli
