// What `doctor` asks the machine. Reads /proc where there is one; where there is none, what is asked there is
// simply not known. Starts nothing, listens for no longer than it takes to see whether a port is free.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vsim::cli::machine {

struct Process {
  int pid = 0;
  std::string command;    // its words, joined by blanks
  std::string directory;  // where it stands; "" when that is not ours to see
};
std::vector<Process> processes();

// Whether 127.0.0.1 or ::1 is taken on this port.
bool port_in_use(std::uint16_t port);
// Who listens there; nothing when it cannot be seen (another user's process).
std::optional<Process> listener_on(std::uint16_t port);

std::optional<std::uint64_t> available_memory();               // bytes
std::optional<std::uint64_t> kernel_number(const char* path);  // a file of /proc/sys
struct Localhost {
  bool v4 = false, v6 = false;  // the name leads there
  bool v6_works = false;        // one can listen on ::1
};
Localhost localhost();

}  // namespace vsim::cli::machine
