#include "net/server.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>

namespace vsim::net {

Server::~Server() {
  shut_all();
  timeouts_.stop();
}

Result<std::uint16_t> Server::listen(const std::vector<std::string>& addresses, std::uint16_t port) {
  // A port that one family has free may be taken in the other: when we pick, try a few times.
  for (int attempt = 0;; ++attempt) {
    auto bound = bind_all(addresses, port);
    if (bound || port != 0 || attempt == 20) return bound;
  }
}

Result<std::uint16_t> Server::bind_all(const std::vector<std::string>& addresses, std::uint16_t port) {
  acceptors_.clear();
  Error last{"no address to listen on"};
  for (const std::string& text : addresses) {
    ErrorCode error;
    const auto address = asio::ip::make_address(text, error);
    if (error) return Error{"\"" + text + "\" is not an IP address to listen on"};
    const asio::ip::tcp::endpoint endpoint(address, port);
    auto acceptor = std::make_unique<Acceptor>(io_);
    acceptor->open(endpoint.protocol(), error);
    if (error == asio::error::address_family_not_supported) continue;
    if (!error) acceptor->set_option(asio::socket_base::reuse_address(true), error);
    if (!error && address.is_v6()) acceptor->set_option(asio::ip::v6_only(true), error);
    if (!error) acceptor->bind(endpoint, error);
    if (!error) acceptor->listen(asio::socket_base::max_listen_connections, error);
    if (error == asio::error::make_error_code(boost::asio::error::basic_errors::address_in_use))
      return Error{"port " + std::to_string(port) + " is already in use on " + text};
    if (error == boost::system::errc::permission_denied)
      return Error{"no permission to listen on port " + std::to_string(port)};
    if (error) {
      last = Error{"cannot listen on " + text + " port " + std::to_string(port) + ": " + error.message()};
      continue;
    }
    port = acceptor->local_endpoint().port();
    acceptors_.push_back(std::move(acceptor));
  }
  if (acceptors_.empty()) return last;
  return port;
}

void Server::start() {
  for (auto& acceptor : acceptors_) accept(*acceptor);
}

void Server::accept(Acceptor& acceptor) {
  acceptor.async_accept(
      [this, &acceptor](ErrorCode error, asio::basic_stream_socket<asio::ip::tcp, Executor> socket) {
        if (stopping_ || error == asio::error::operation_aborted) return;
        if (error) {
          // Out of descriptors, most likely: try again a little later instead of spinning.
          auto timer = std::make_shared<asio::steady_timer>(io_, std::chrono::milliseconds(100));
          timer->async_wait([this, &acceptor, timer](ErrorCode stopped) {
            if (!stopped && !stopping_) accept(acceptor);
          });
          return;
        }
        ErrorCode ignored;
        const auto peer = socket.remote_endpoint(ignored).address();
        std::string address = peer.is_v6() && peer.to_v6().is_v4_mapped()
                                  ? asio::ip::make_address_v4(asio::ip::v4_mapped, peer.to_v6()).to_string()
                                  : peer.to_string();
        const int on = 1;
        ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        socket.non_blocking(true, ignored);
        ConnectionPtr connection(new Connection(Socket(std::move(socket))));
        if (tls_) connection->stream().start_tls(*tls_);
        Session* session = new Session(*this, std::move(connection), std::move(address));
        intrusive_ptr_add_ref(session);  // the list's
        sessions_.push_back(*session);
        ++count_;
        session->start();
        accept(acceptor);
      });
}

void Server::stop_accepting() {
  stopping_ = true;
  for (auto& acceptor : acceptors_) {
    ErrorCode ignored;
    acceptor->close(ignored);
  }
}

void Server::shut_all() {
  stop_accepting();
  while (!sessions_.empty()) sessions_.front().shut();
}

void Server::forget(Session& session) {
  using Hook = boost::intrusive::list_base_hook<boost::intrusive::tag<Server>,
                                                boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
  Hook& hook = session;
  if (!hook.is_linked()) return;
  hook.unlink();
  --count_;
  intrusive_ptr_release(&session);
}

}  // namespace vsim::net
