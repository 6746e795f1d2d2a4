// The public door: listening sockets, the sessions they open, and what those share. I/O thread only.
#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "net/session.hpp"

namespace vsim::net {

class Server {
 public:
  // `edge` must outlive the server.
  Server(asio::io_context& io, Edge& edge) : io_(io), edge_(edge), timeouts_(io) {}
  ~Server();

  // Binds each address ("127.0.0.1", "::1", "0.0.0.0") at `port`; 0 picks one free port for all. The port in
  // use, or the error. An address family that the machine does not have is skipped, unless none is left.
  Result<std::uint16_t> listen(const std::vector<std::string>& addresses, std::uint16_t port);
  void use_tls(std::unique_ptr<TlsContext> tls) { tls_ = std::move(tls); }
  void start();
  // No new connections; sessions end with the response under way. Then shut_all() drops what is left.
  void stop_accepting();
  void shut_all();

  Edge& edge() { return edge_; }
  Timeouts& timeouts() { return timeouts_; }
  bool stopping() const { return stopping_; }
  std::size_t sessions() const { return count_; }
  void forget(Session&);

 private:
  using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;
  void accept(Acceptor&);
  Result<std::uint16_t> bind_all(const std::vector<std::string>& addresses, std::uint16_t port);

  asio::io_context& io_;
  Edge& edge_;
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
