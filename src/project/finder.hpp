// Finds the Next.js project a command was started in: its package.json, the next it has installed, its dev
// script. Reads files, starts nothing. Called once at start, before any I/O loop runs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "project/dev_script.hpp"

namespace vsim::project {

struct Project {
  std::string root;             // absolute directory of the package.json that names next
  std::string source_root;      // where app/ and pages/ are: root, or the directory that `next dev DIR` names
  std::string name;             // package.json name, or the directory's
  std::string next_directory;   // the installed package, links resolved: ".../node_modules/next"
  std::string next_version;     // "16.4.6"
  std::string next_bin;         // its dist/bin/next, to be run with node
  std::string next_engines;     // its engines.node, e.g. ">=20.9.0"
  std::string engines_node;     // engines.node of package.json
  std::string package_manager;  // "npm", "pnpm", "yarn", "bun"
  std::string workspace_root;   // where the lock file or the workspaces are declared; root when there is none
  DevScript dev;
};

// From `start_dir` upwards to the nearest package.json that has next in dependencies or devDependencies.
// Every failure has one message with its fix: no package.json, no next in it (with the workspaces that do
// have it), next not installed, broken JSON with its place.
Result<Project> find_project(const std::string& start_dir);

}  // namespace vsim::project
