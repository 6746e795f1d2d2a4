// What another program prints, asked of the shell.
#pragma once

#include <string>
#include <string_view>

namespace vsim::project {

// One word of a command line, in single quotes.
std::string shell_quoted(std::string_view word);

struct CommandOutput {
  std::string text;  // of standard output
  bool succeeded = false;
};
// Runs the line by /bin/sh and waits for it. What it says on standard error is not shown.
CommandOutput output_of(const std::string& line);
// What git says, with these words behind it, of the repository around `root`. No program is run that the
// repository's own configuration names: no monitor of files, and no transport for an object that is missing.
CommandOutput git_output(const std::string& root, std::string_view words);

}  // namespace vsim::project
