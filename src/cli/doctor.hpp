// `vercel-sim doctor [DIR]`: what is wrong with this machine or project. Reads, asks `node --version`, and
// changes nothing.
#pragma once

#include <string>
#include <vector>

#include "cli/options.hpp"

namespace vsim::cli {

enum class Health { ok, warning, problem };
struct Diagnosis {
  std::string id;  // "node", "port": stable, for --json
  Health health = Health::ok;
  std::string message;
  std::string fix;  // "" when ok
};

// Everything it looked at, in a fixed order.
std::vector<Diagnosis> diagnose(const std::string& directory);
std::string render_diagnoses(const std::vector<Diagnosis>&, bool json);
// Exit code 1 when something is a problem, 0 else, 64 when there is no such directory.
int doctor(const DoctorOptions&);

}  // namespace vsim::cli
