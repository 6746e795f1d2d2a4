#include "cli/main.hpp"

int main(int argc, char** argv) { return vsim::cli::run_main(argc, argv); }
