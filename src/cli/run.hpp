// `vercel-sim run`: options to a running Emulator. Reads the profile, finds the project, prints what a person
// should know at start.
#pragma once

#include "cli/options.hpp"
#include "profile/loader.hpp"

namespace vsim::cli {

int run(const Run& options, bool no_color);

// The profile `name` with the overrides of `--set` and of the run's own options, or its diagnostics on
// standard error and nullopt.
std::optional<profile::Profile> load(const std::string& name, std::span<const std::string> overrides);

// "error: …" and "  fix: …" on standard error.
void print_error(const Error&);

}  // namespace vsim::cli
