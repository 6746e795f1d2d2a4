// A World whose origin plays next dev's part (it dispatches), with instances on unix sockets beside it.
#pragma once

#include <stdlib.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <filesystem>

#include "session_world.hpp"

namespace vsim::net::test {

using Local = boost::asio::local::stream_protocol;

inline bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// One function instance: a listening unix socket, and the pool to it.
struct Instance {
  explicit Instance(World& w) : world(w) {
    char name[] = "/tmp/vsim-net-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    directory = name;
    acceptor = std::make_unique<Local::acceptor>(w.io, Local::endpoint(directory + "/i.sock"));
    pool = std::make_shared<UpstreamPool>(w.io, w.server->timeouts(),
                                          std::vector<UpstreamPool::Endpoint>{acceptor->local_endpoint()});
    accept();
  }
  ~Instance() { std::filesystem::remove_all(directory); }
  // Nobody listens any more; the socket's file is still there.
  void die() { acceptor->close(); }

  // The n-th connection, with `text` in what it got.
  std::shared_ptr<Peer<Local>> got(std::size_t n, std::string_view text) {
    if (!world.until([&] { return peers.size() > n && has(peers[n]->in, text); }))
      FAIL("the instance never got \"" << text << "\"");
    return peers[n];
  }
  std::shared_ptr<Peer<Local>> connected(std::size_t n) {
    if (!world.until([&] { return peers.size() > n; })) FAIL("nobody connects to the instance");
    return peers[n];
  }

  World& world;
  std::string directory;
  std::unique_ptr<Local::acceptor> acceptor;
  std::shared_ptr<UpstreamPool> pool;
  std::deque<std::shared_ptr<Peer<Local>>> peers;
  bool reads = true;  // else only when a test tells a peer to

 private:
  void accept() {
    acceptor->async_accept([this](boost::system::error_code error, Local::socket socket) {
      if (error) return;
      peers.push_back(std::make_shared<Peer<Local>>(std::move(socket)));
      if (reads) peers.back()->read();
      accept();
    });
  }
};

struct DispatchWorld : World {
  Instance instance{*this};

  DispatchWorld() {
    edge.hold = true;
    send_on_dispatch();
  }
  ~DispatchWorld() { server.reset(); }

  // What the edge does when the instance is there at once. The dispatch is the head for it.
  void send_on_dispatch() {
    edge.then = [this](Session& s, std::string_view text) { s.send_to(*instance.pool, std::string(text)); };
  }
  void wait_on_dispatch() { edge.then = nullptr; }
  Session& session(ExchangeId id = 1) { return *edge.open.at(id); }
  void until_dispatched(std::size_t n = 1) {
    if (!until([&] { return edge.dispatches.size() >= n; })) FAIL("no dispatch number " << n);
  }
};

inline std::string dispatch(const std::string& text, std::string_view more = {}) {
  return "HTTP/1.1 200 OK\r\nx-vsim-dispatch: t\r\nContent-Length: " + std::to_string(text.size()) + "\r\n" +
         std::string(more) + "\r\n" + text;
}
// The head that a dispatch asks the instance for.
inline std::string final_head(std::string_view request_line) {
  return std::string(request_line) + " HTTP/1.1\r\nhost: localhost\r\nx-vsim-id: t.1\r\n";
}
inline std::string post(const std::string& target, const std::string& body, std::string_view more = {}) {
  return "POST " + target + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(more) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}
inline const std::string kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
inline const std::string kAgain = "HTTP/1.1 404 Not Found\r\nx-vsim-again: t\r\nContent-Length: 0\r\n\r\n";
// What the first app gets of a request to localhost: `line` and `framing`, then what the proxy adds.
inline std::string first_head(std::string_view line, std::string_view more = {}) {
  return std::string(line) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(more) +
         "Via: 1.1 vercel-sim\r\n";
}

}  // namespace vsim::net::test
