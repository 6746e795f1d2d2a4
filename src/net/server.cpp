#include "net/server.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <cerrno>
#include <cstring>

#include "log/log.hpp"

namespace vsim::net {
namespace {

constexpr int kAcceptAtOnce = 64;

// An IPv4 address that came through an IPv6 socket is shown as what it is.
std::string text_of(const sockaddr_storage& peer) {
  asio::ip::tcp::endpoint endpoint;
  std::memcpy(endpoint.data(), &peer, endpoint.capacity());
  const auto address = endpoint.address();
  return address.is_v6() && address.to_v6().is_v4_mapped()
             ? asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string()
             : address.to_string();
}

}  // namespace

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
    asio::ip::tcp::acceptor acceptor(poller_.context());
    acceptor.open(endpoint.protocol(), error);
    if (error == asio::error::address_family_not_supported) continue;
    if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
    if (!error && address.is_v6()) acceptor.set_option(asio::ip::v6_only(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error == asio::error::make_error_code(boost::asio::error::basic_errors::address_in_use))
      return Error{"port " + std::to_string(port) + " is already in use on " + text,
                   "stop what uses it (`lsof -i :" + std::to_string(port) +
                       "` names it), or choose another: " +
                       (port < 65535 ? "--port " + std::to_string(port + 1) + ", or " : std::string()) +
                       "--port 0 for any free one"};
    if (error == boost::system::errc::permission_denied)
      return Error{"no permission to listen on port " + std::to_string(port),
                   "ports below 1024 belong to the system: choose a higher one, such as --port 3000"};
    if (error) {
      last = Error{"cannot listen on " + text + " port " + std::to_string(port) + ": " + error.message()};
      if (error == boost::system::errc::address_not_available)
        last.fix =
            "no interface of this machine has that address: `ip addr` lists those that are there; "
            "0.0.0.0 is all of them, 127.0.0.1 this machine only";
      continue;
    }
    port = acceptor.local_endpoint().port();
    log::debug(log::Logger::net, "listens on {} port {}", text, port);
    acceptor.non_blocking(true, error);
    acceptors_.push_back(std::make_unique<Acceptor>(*this, acceptor.release()));
  }
  if (acceptors_.empty()) return last;
  return port;
}

void Server::start() {
  for (auto& acceptor : acceptors_) acceptor->start();
}

Server::Acceptor::Acceptor(Server& server, int fd) : server_(server), fd_(fd) {}

Server::Acceptor::~Acceptor() {
  server_.poller_.remove(fd_, *this);
  ::close(fd_);
}

void Server::Acceptor::start() { server_.poller_.add(fd_, *this); }

void Server::Acceptor::on_ready(std::uint32_t) {
  for (int i = 0; i < kAcceptAtOnce; ++i) {
    sockaddr_storage peer;
    socklen_t size = sizeof peer;
    const int fd = ::accept4(fd_, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      server_.open(fd, peer);
      continue;
    }
    if (errno == ECONNABORTED || errno == EINTR) continue;
    if (errno == EAGAIN) return;
    log::warn(log::Logger::net, "a connection could not be taken on: {}", std::strerror(errno));
    if (errno == EMFILE || errno == ENFILE) server_.edge_.on_no_descriptor();
    // Try again a little later instead of spinning.
    retry_.emplace(server_.poller_.context(), std::chrono::milliseconds(100));
    retry_->async_wait([this](ErrorCode stopped) {
      if (!stopped) on_ready(0);
    });
    return;
  }
  server_.poller_.defer(*this);  // others first
}

void Server::open(int fd, const sockaddr_storage& peer) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ConnectionPtr connection(new Connection(poller_, fd));
  if (tls_) connection->stream().start_tls(*tls_);
  Session* session = new Session(*this, std::move(connection), text_of(peer));
  intrusive_ptr_add_ref(session);  // the list's
  sessions_.push_back(*session);
  ++count_;
  session->start();
}

void Server::stop_accepting() {
  stopping_ = true;
  acceptors_.clear();
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
