// The public door: listening sockets, the sessions they open, and what those share. I/O thread only.
#pragma once

#include <sys/socket.h>

#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "net/session.hpp"

namespace vsim::net {

class Server {
 public:
  // `edge` must outlive the server.
  Server(asio::io_context& io, EdgePolicy& edge) : poller_(Poller::of(io)), edge_(edge), timeouts_(io) {}
  ~Server();

  // Binds each address ("127.0.0.1", "::1", "0.0.0.0") at `port`; 0 picks one free port for all. The port in
  // use, or the error. An address family that the machine does not have is skipped, unless none is left.
  Result<std::uint16_t> listen(const std::vector<std::string>& addresses, std::uint16_t port);
  void use_tls(std::unique_ptr<TlsContext> tls) { tls_ = std::move(tls); }
  void start();
  // No new connections; sessions end with the response under way. Then shut_all() drops what is left.
  void stop_accepting();
  void shut_all();

  EdgePolicy& edge() { return edge_; }
  Timeouts& timeouts() { return timeouts_; }
  bool stopping() const { return stopping_; }
  std::size_t sessions() const { return count_; }
  void forget(Session&);

 private:
  class Acceptor final : private Pollable {
   public:
    Acceptor(Server& server, int fd);  // listening, non-blocking; owned from now on
    ~Acceptor() override;
    void start();

   private:
    void on_ready(std::uint32_t) override;
    Server& server_;
    int fd_;
    std::optional<asio::steady_timer> retry_;  // while no descriptor is left
  };
  void open(int fd, const sockaddr_storage& peer);
  Result<std::uint16_t> bind_all(const std::vector<std::string>& addresses, std::uint16_t port);

  Poller& poller_;
  EdgePolicy& edge_;
  Timeouts timeouts_;
  std::unique_ptr<TlsContext> tls_;
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  boost::intrusive::list<
      Session,
      boost::intrusive::base_hook<boost::intrusive::list_base_hook<
          boost::intrusive::tag<Server>, boost::intrusive::link_mode<boost::intrusive::auto_unlink>>>,
      boost::intrusive::constant_time_size<false>>
      sessions_;
  std::size_t count_ = 0;
  bool stopping_ = false;
};

}  // namespace vsim::net
