#include "net/resolve.hpp"

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <catch2/catch.hpp>
#include <cstring>

using boost::asio::ip::tcp;
using vsim::net::resolve;

namespace {

std::vector<tcp::endpoint> addresses(const std::string& host, boost::system::error_code& error) {
  boost::asio::io_context io;
  std::vector<tcp::endpoint> out;
  for (const auto& found : resolve(io, host, 4321, error)) {
    tcp::endpoint endpoint;
    std::memcpy(endpoint.data(), found.data(), found.size());
    endpoint.resize(found.size());
    out.push_back(endpoint);
  }
  return out;
}

}  // namespace

TEST_CASE("resolve: numbers are taken as they are") {
  boost::system::error_code error;
  CHECK(addresses("127.0.0.2", error) ==
        std::vector{tcp::endpoint(boost::asio::ip::make_address("127.0.0.2"), 4321)});
  CHECK(addresses("::1", error) == std::vector{tcp::endpoint(boost::asio::ip::make_address("::1"), 4321)});
  CHECK(!error);
}

TEST_CASE("resolve: localhost and every name below it are this machine, in any spelling") {
  for (const std::string host : {"localhost", "LocalHost", "localhost.", "app.localhost", "a.b.LOCALHOST"}) {
    CAPTURE(host);
    boost::system::error_code error;
    const auto found = addresses(host, error);
    CHECK(!error);
    REQUIRE(!found.empty());
    CHECK(std::all_of(found.begin(), found.end(),
                      [](const tcp::endpoint& e) { return e.address().is_loopback() && e.port() == 4321; }));
  }
}

TEST_CASE("resolve: names that only look like localhost are not") {
  for (const std::string host : {"notlocalhost.invalid", "localhost.invalid", "mylocalhost", "localhos"}) {
    CAPTURE(host);
    boost::system::error_code error;
    CHECK(addresses(host, error).empty());
    CHECK(error);
  }
}
