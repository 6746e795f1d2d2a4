// What another program prints.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "process/environment.hpp"

namespace vsim::project {

// One word of a command line, in single quotes.
std::string shell_quoted(std::string_view word);

struct CommandOutput {
  std::string text;  // of standard output
  bool succeeded = false;
};
inline constexpr std::chrono::milliseconds kPatience = std::chrono::seconds(10);
// Runs a program, looked up in PATH, with nothing on its standard input, and waits for it. What it says on
// standard error is not shown. When `patience` is over it is killed, with what it has started, and has said
// nothing: git waits for ever where a file that its configuration names is a pipe. It goes when we do,
// however that is.
CommandOutput output_of(std::vector<std::string> command, std::chrono::milliseconds patience = kPatience,
                        process::Environment = process::current_environment());
// What git says, with these words behind it, of the repository around `root`. No program is run that the
// repository's own configuration names: no monitor of files, and no transport for an object that is missing.
CommandOutput git_output(const std::string& root, std::vector<std::string> words);

}  // namespace vsim::project
