// argv to exit code. The only thing src/main.cpp calls.
#pragma once

namespace vsim::cli {

// Exit codes: vercel-sim(1), EXIT STATUS.
int run_main(int argc, char** argv);

}  // namespace vsim::cli
