#include "process/signal_origin.hpp"

#include <signal.h>

#include <array>
#include <atomic>

namespace vsim::process {
namespace {

// What a handler may touch: lock-free atomics, and pointers that are set before it is installed.
std::array<std::atomic<bool>, NSIG> by_terminal;
std::array<void (*)(int), NSIG> next_handler;

extern "C" void vsim_record_signal(int signal, siginfo_t* info, void*) {
  // POSIX: a code of a sending process is 0 or below (SI_USER, SI_QUEUE, SI_TKILL); the kernel's is above.
  by_terminal[static_cast<std::size_t>(signal)] = info->si_code > 0;
  if (void (*const next)(int) = next_handler[static_cast<std::size_t>(signal)]) next(signal);
}

}  // namespace

void watch_signal_origin(int signal) {
  struct sigaction now;
  if (::sigaction(signal, nullptr, &now) != 0 || (now.sa_flags & SA_SIGINFO) != 0) return;
  if (now.sa_handler != SIG_DFL && now.sa_handler != SIG_IGN)
    next_handler[static_cast<std::size_t>(signal)] = now.sa_handler;
  now.sa_sigaction = vsim_record_signal;
  now.sa_flags |= SA_SIGINFO;
  ::sigaction(signal, &now, nullptr);
}

bool sent_by_terminal(int signal) { return by_terminal[static_cast<std::size_t>(signal)]; }

}  // namespace vsim::process
