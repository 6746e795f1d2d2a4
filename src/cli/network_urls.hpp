// Where other devices find the app.
#pragma once

#include <string>
#include <vector>

namespace vsim::cli {

// Hosts, as they stand in a URL, under which `listen` (addresses of --host) is reached from the network:
// those of this machine's interfaces for 0.0.0.0 and ::, the address itself for others; none for loopback.
std::vector<std::string> network_hosts(const std::vector<std::string>& listen);

}  // namespace vsim::cli
