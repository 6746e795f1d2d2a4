#include "project/deployed_node.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vsim::project {
namespace {

// https://vercel.com/docs/functions/runtimes/node-js/node-js-versions and
// https://vercel.com/changelog/node-js-20-is-being-deprecated (builds and functions, 2026-10-01)
constexpr int kDeployed[] = {22, 24, 26};
constexpr int kLastEnded = 20;

// Vercel compares majors: a range is met by a major if some version of it is in the range.
bool met_by(int major, std::string_view range) {
  constexpr int kMinors = 40, kPatches = 20;
  for (int minor = 0; minor < kMinors; ++minor)
    for (int patch = 0; patch < kPatches; ++patch)
      if (satisfies({major, minor, patch}, range)) return true;
  return false;
}

}  // namespace

std::optional<Error> check_deployable(std::string_view range) {
  if (range.empty()) return std::nullopt;
  if (std::any_of(std::begin(kDeployed), std::end(kDeployed),
                  [&](int major) { return met_by(major, range); }))
    return std::nullopt;
  return Error{fmt::format("engines.node \"{}\" of package.json cannot be deployed: Vercel runs Node.js {} "
                           "(Node.js {} ended there on 2026-10-01)",
                           range, kDeployedNode, kLastEnded),
               "Set it to \"24.x\", and try the app with that version."};
}

std::optional<Error> check_same_node(Version here) {
  if (std::find(std::begin(kDeployed), std::end(kDeployed), here.major) != std::end(kDeployed))
    return std::nullopt;
  return Error{
      here.major <= kLastEnded
          ? fmt::format(
                "Node.js {} runs here, and can no longer be deployed since 2026-10-01: functions run on "
                "{} on Vercel",
                here.major, kDeployedNode)
          : fmt::format("Node.js {} runs here; functions run on {} on Vercel", here.major, kDeployedNode),
      "Use one of these here too: what differs between majors shows only after the deployment."};
}

}  // namespace vsim::project
