// How a process ended, as a value. No process is touched here; supervisor.cpp fills it in, whoever shows or
// judges a death reads it.
#pragma once

#include <string>
#include <string_view>
#include <variant>

namespace vsim::process {

struct Exited {
  int code = 0;
  bool operator==(const Exited&) const = default;
};
struct Signaled {
  int signal = 0;
  bool core = false;  // the kernel wrote a core file
  bool operator==(const Signaled&) const = default;
};
// The system no longer knows: somebody else in this process reaped it.
struct CauseUnknown {
  bool operator==(const CauseUnknown&) const = default;
};
using ExitCause = std::variant<Exited, Signaled, CauseUnknown>;

// "exited with code 1", "killed by SIGKILL", "killed by SIGSEGV (core dumped)", "ended, cause unknown".
std::string describe(const ExitCause&);
// "SIGTERM"; "signal 42" for numbers without a usual name.
std::string signal_name(int signal);

}  // namespace vsim::process
