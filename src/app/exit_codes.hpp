// What a run exits with where neither the app nor a command says it (vercel-sim(1), EXIT STATUS).
#pragma once

namespace vsim::app {

inline constexpr int kInterrupted = 130, kUsage = 64, kSoftware = 70;

}  // namespace vsim::app
