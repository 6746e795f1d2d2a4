// `vercel-sim check [DIR]`: finds the project, reads its sources, runs the rules of check/, prints. Starts
// nothing.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <string_view>

#include "check/checker.hpp"
#include "cli/options.hpp"
#include "process/environment.hpp"
#include "profile/profile.hpp"

namespace vsim::cli {

// A look beside a run: one rule, silently, for some seconds at most.
struct Look {
  std::string_view only;  // the rule's id; empty: all, and what was left out is told on standard error
  const std::atomic<bool>* stopping = nullptr;
  std::optional<std::string> env_file;  // of variables that the deployment has
};
// What the rules say of the project whose sources lie below `root`. `shell`: variables of this machine.
check::Report check_sources(const std::string& root, const profile::Profile& profile,
                            const process::Environment& shell, const Look& look = {});

// The project's directory as the reader would type it from here: "apps/web/", "" for here. Elsewhere people
// get the whole path, and machines names relative to the project, since SARIF and GitHub know only what lies
// below the checkout.
std::string source_prefix(const std::string& root, CheckFormat format);

// 0, 2 (an error was found) or 64 (vercel-sim(1), EXIT STATUS).
int run_check(const CheckOptions& options);

}  // namespace vsim::cli
