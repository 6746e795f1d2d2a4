#include "net/resolve.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <string_view>

namespace vsim::net {
namespace {

using boost::asio::ip::tcp;

bool names_this_machine(std::string_view host) {
  constexpr std::string_view kName = "localhost";
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.size() < kName.size()) return false;
  const std::string_view end = host.substr(host.size() - kName.size());
  for (std::size_t i = 0; i < kName.size(); ++i)
    if ((end[i] | 0x20) != kName[i]) return false;
  return host.size() == kName.size() || host[host.size() - kName.size() - 1] == '.';
}

}  // namespace

std::vector<boost::asio::generic::stream_protocol::endpoint> resolve(boost::asio::io_context& io,
                                                                     const std::string& host,
                                                                     std::uint16_t port,
                                                                     boost::system::error_code& error) {
  std::vector<boost::asio::generic::stream_protocol::endpoint> found;
  tcp::resolver resolver(io);
  for (const auto& entry : resolver.resolve(host, std::to_string(port), error))
    found.emplace_back(entry.endpoint());
  if (found.empty() && names_this_machine(host)) {
    error = {};
    found.emplace_back(tcp::endpoint(boost::asio::ip::address_v6::loopback(), port));
    found.emplace_back(tcp::endpoint(boost::asio::ip::address_v4::loopback(), port));
  }
  return found;
}

}  // namespace vsim::net
