#include "cli/network_urls.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <memory>

#include "base/text.hpp"

namespace vsim::cli {
namespace {

// IPv4 only: what a person types into a phone.
std::vector<std::string> interface_addresses() {
  std::vector<std::string> out;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return out;
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, &::freeifaddrs);
  for (const ifaddrs* one = list; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET || (one->ifa_flags & IFF_UP) == 0)
      continue;
    char text[INET_ADDRSTRLEN];
    const auto* address = reinterpret_cast<const sockaddr_in*>(one->ifa_addr);
    if (::inet_ntop(AF_INET, &address->sin_addr, text, sizeof text) == nullptr) continue;
    if (!is_loopback_host(text)) out.emplace_back(text);
  }
  return out;
}

}  // namespace

std::vector<std::string> network_hosts(const std::vector<std::string>& listen) {
  std::vector<std::string> out;
  const auto add = [&](std::string host) {
    if (std::find(out.begin(), out.end(), host) == out.end()) out.push_back(std::move(host));
  };
  for (const std::string& address : listen) {
    if (address == "0.0.0.0" || address == "::") {
      for (std::string& host : interface_addresses()) add(std::move(host));
    } else if (!is_loopback_host(address)) {
      add(address.find(':') != std::string::npos ? "[" + address + "]" : address);
    }
  }
  return out;
}

}  // namespace vsim::cli
