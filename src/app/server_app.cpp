// --app and `run -- COMMAND`: a command that listens on PORT, whatever it is.
// It gets a port of its own, and is ready when that takes a connection.
#include <fmt/format.h>

#include <boost/asio/ip/tcp.hpp>

#include "app/node_options.hpp"
#include "app/process_app.hpp"

namespace vsim::app {
namespace {

using boost::asio::ip::tcp;

std::uint16_t free_port(boost::asio::io_context& io) {
  tcp::acceptor probe(io, tcp::endpoint(boost::asio::ip::make_address("127.0.0.1"), 0));
  return probe.local_endpoint().port();
}

class ServerApp final : public ProcessApp {
 public:
  explicit ServerApp(ServerSpec spec) : spec_(std::move(spec)) {}

  std::optional<Failure> start(const Place& place) override {
    const std::uint16_t port = free_port(place.io);
    std::vector<tcp::endpoint> endpoints;  // a dev server may take it on either
    for (const char* address : {"127.0.0.1", "::1"})
      endpoints.emplace_back(boost::asio::ip::make_address(address), port);
    place.host.app_is_at(std::vector<net::UpstreamPool::Endpoint>(endpoints.begin(), endpoints.end()),
                         fmt::format("http://localhost:{}", port));
    process::set_env(spec_.env, "NODE_OPTIONS",
                     with_agent(process::get_env(spec_.env, "NODE_OPTIONS").value_or(""), ""));
    process::set_env(spec_.env, "PORT", std::to_string(port));
    return launch(place, std::move(spec_),
                  fmt::format("the command does not listen on port {} yet: "
                              "does it read PORT from its environment?",
                              port),
                  [&io = place.io, endpoints] {
                    for (const tcp::endpoint& endpoint : endpoints) {
                      tcp::socket socket(io);
                      boost::system::error_code failed;
                      socket.connect(endpoint, failed);  // loopback: at once
                      if (!failed) return true;
                    }
                    return false;
                  });
  }

 private:
  ServerSpec spec_;
};

}  // namespace

std::unique_ptr<App> make_server_app(ServerSpec spec) { return std::make_unique<ServerApp>(std::move(spec)); }

}  // namespace vsim::app
