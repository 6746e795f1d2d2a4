// Addresses of a host that a user named. Called by app/ before it serves: it waits for DNS.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/error_code.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace vsim::net {

// In the order in which they are to be tried; empty when there are none, and `error` says why. `localhost`
// and names below it are this machine even where no resolver knows them (RFC 6761, section 6.3): containers
// without /etc/hosts, systems whose resolver stops at the bare name.
std::vector<boost::asio::generic::stream_protocol::endpoint> resolve(boost::asio::io_context& io,
                                                                     const std::string& host,
                                                                     std::uint16_t port,
                                                                     boost::system::error_code& error);

}  // namespace vsim::net
