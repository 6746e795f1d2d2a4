#include "process/exit_cause.hpp"

#include <fmt/format.h>
#include <string.h>

namespace vsim::process {

std::string signal_name(int signal) {
#ifdef __GLIBC__
  if (const char* abbreviation = sigabbrev_np(signal)) return fmt::format("SIG{}", abbreviation);
#endif
  return fmt::format("signal {}", signal);
}

std::string describe(const ExitCause& cause) {
  if (const auto* e = std::get_if<Exited>(&cause)) return fmt::format("exited with code {}", e->code);
  if (const auto* s = std::get_if<Signaled>(&cause))
    return fmt::format("killed by {}{}", signal_name(s->signal), s->core ? " (core dumped)" : "");
  return "ended, cause unknown";
}

}  // namespace vsim::process
