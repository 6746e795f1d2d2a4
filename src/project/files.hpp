// Reading small text files. The one place of this module that opens them.
#pragma once

#include <optional>
#include <string>

namespace vsim::project {

// nullopt when it cannot be read or is larger than `most` bytes.
std::optional<std::string> read_text(const std::string& path, std::size_t most = 8u << 20);
bool is_file(const std::string& path);
bool is_directory(const std::string& path);
std::string parent_directory(const std::string& path);  // "/" of "/"
// Absolute, symbolic links resolved; "" when there is no such thing.
std::string real_path(const std::string& path);
// The repository around a real path, its .git being a folder or, in a worktree, a file. "": there is none.
std::string repository_of(std::string directory);
// A link out of a repository, or a path that leads out of it, may lead to any file of this machine: what a
// repository names is not read there, since a line of it would stand in the log of whoever sent the change.
// True without a repository.
bool lies_in(const std::string& repository, const std::string& path);

}  // namespace vsim::project
