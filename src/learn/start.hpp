// `vercel-sim learn` and `mcp` are clients of this program, written in JavaScript (docs/decisions/0013,
// 0014). What is in here hands over to them: they and the lessons are in the program as one compressed file,
// which a few lines of Node (boot.cjs) ask for and run.
#pragma once

#include <span>
#include <string_view>

namespace vsim::learn {

// Becomes `node` with the main.cjs of that folder of src/ (learn, mcp, size, parity); the terminal, the
// signals and the exit code are its own from then on. Returns only when that failed: an exit code.
int start(std::string_view entry, std::span<const std::string_view> words);

// `vercel-sim __lessons`: the compressed file, to standard output.
int print_bundle();
// `vercel-sim __yaml NAME...`: the YAML texts of standard input, one a name with a NUL between, as a JSON
// list with places (places.hpp); 64 and all mistakes on standard error when one is none.
int print_yaml(std::span<char* const> names);

}  // namespace vsim::learn
