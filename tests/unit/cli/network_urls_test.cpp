#include "cli/network_urls.hpp"

#include <catch2/catch.hpp>

namespace vsim::cli {
namespace {

TEST_CASE("Network: loopback is nobody else's; an address is itself, once") {
  CHECK(network_hosts({"127.0.0.1", "::1"}).empty());
  CHECK(network_hosts({"192.0.2.7", "192.0.2.7", "2001:db8::1"}) ==
        std::vector<std::string>{"192.0.2.7", "[2001:db8::1]"});
}

TEST_CASE("Network: all addresses are those of the interfaces, without loopback") {
  for (const std::string& host : network_hosts({"0.0.0.0", "::"})) {
    CHECK_FALSE(host.starts_with("127."));
    CHECK(host != "0.0.0.0");
  }
}

}  // namespace
}  // namespace vsim::cli
