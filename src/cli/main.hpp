// argv to exit code. The only thing src/main.cpp calls.
#pragma once

namespace vsim::cli {

// Exit codes: DESIGN section 6.
int run_main(int argc, char** argv);

}  // namespace vsim::cli
