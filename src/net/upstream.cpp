#include "net/upstream.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <optional>

namespace vsim::net {
namespace {

constexpr auto kBacklogRetry = std::chrono::milliseconds(5);

}  // namespace

Upstream::Upstream(UpstreamPool& pool, ConnectionPtr connection)
    : pool_(pool), connection_(std::move(connection)) {}

Upstream::~Upstream() {
  connection_->set_owner(nullptr);
  connection_->close();
}

void Upstream::on_input(Connection&) { pool_.drop(this); }
void Upstream::on_input_end(Connection&, ErrorCode) { pool_.drop(this); }
void Upstream::on_output_broken(Connection&) { pool_.drop(this); }
void Upstream::on_timeout(Wait) { pool_.drop(this); }

// Closes what is under way when the last handle goes.
struct UpstreamPool::Attempt : Waiter {
  Attempt(UpstreamPool& pool_of, OnConnected on_done) : pool(pool_of), done(std::move(on_done)) {}
  ~Attempt() {
    if (connection) connection->close();
  }
  void on_timeout(Wait) override { finish(asio::error::timed_out); }
  void finish(ErrorCode error) {
    if (!done) return;
    auto call = std::move(done);
    done = nullptr;
    pool.timeouts_.set(*this, Wait::none);
    if (error) {
      if (connection) connection->close();
      call(error, nullptr);
      return;
    }
    auto upstream = std::make_unique<Upstream>(pool, std::move(connection));
    upstream->uses_ = 1;
    call({}, std::move(upstream));
  }
  static void next(const std::weak_ptr<Attempt>& weak) {
    const auto self = weak.lock();
    if (!self || !self->done) return;
    self->connection = new Connection(self->pool.io_);
    Socket& socket = self->connection->stream().socket();
    const Endpoint& endpoint = self->pool.endpoints_[self->index];
    if (endpoint.protocol().family() == AF_UNIX) return self->connect_unix(socket, endpoint, weak);
    socket.async_connect(endpoint, [weak, keep = self->connection](ErrorCode error) {
      const auto attempt = weak.lock();
      if (!attempt || !attempt->done) return;
      if (!error) {
        Socket& connected = keep->stream().socket();
        ErrorCode ignored;
        connected.non_blocking(true, ignored);
        const int on = 1;
        ::setsockopt(connected.native_handle(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      }
      attempt->connected(error, weak);
    });
  }
  // Not async_connect: connecting a unix socket is done at once or not at all, and EAGAIN (the listener's
  // backlog is full, as with many requests while the app compiles) would be taken for a connection that is
  // under way.
  void connect_unix(Socket& socket, const Endpoint& endpoint, const std::weak_ptr<Attempt>& weak) {
    ErrorCode error;
    socket.open(endpoint.protocol(), error);
    if (!error) socket.non_blocking(true, error);
    if (!error && ::connect(socket.native_handle(), static_cast<const sockaddr*>(endpoint.data()),
                            static_cast<socklen_t>(endpoint.size())) != 0)
      error = ErrorCode(errno, boost::system::system_category());
    if (error != boost::system::errc::resource_unavailable_try_again) return connected(error, weak);
    connection->close();
    retry.emplace(pool.io_, kBacklogRetry);
    retry->async_wait([weak](ErrorCode stopped) {
      if (!stopped) next(weak);
    });
  }
  void connected(ErrorCode error, const std::weak_ptr<Attempt>& weak) {
    if (error && ++index < pool.endpoints_.size()) return next(weak);
    finish(error);
  }

  UpstreamPool& pool;
  OnConnected done;
  ConnectionPtr connection;
  std::size_t index = 0;
  std::optional<asio::steady_timer> retry;  // while a backlog is full
};

UpstreamPool::UpstreamPool(asio::io_context& io, Timeouts& timeouts, std::vector<Endpoint> endpoints,
                           std::string origin)
    : io_(io), timeouts_(timeouts), endpoints_(std::move(endpoints)), origin_(std::move(origin)) {}

UpstreamPool::~UpstreamPool() = default;

std::unique_ptr<Upstream> UpstreamPool::take_idle() {
  while (!idle_.empty()) {
    auto upstream = std::move(idle_.back());
    idle_.pop_back();
    timeouts_.set(*upstream, Wait::none);
    if (!upstream->connection_->open()) continue;
    ++upstream->uses_;
    return upstream;
  }
  return nullptr;
}

std::shared_ptr<UpstreamPool::Attempt> UpstreamPool::connect(OnConnected done) {
  auto attempt = std::make_shared<Attempt>(*this, std::move(done));
  timeouts_.set(*attempt, Wait::connect);
  asio::post(io_, [weak = std::weak_ptr(attempt)] { Attempt::next(weak); });
  return attempt;
}

void UpstreamPool::give_back(std::unique_ptr<Upstream> upstream) {
  Connection& connection = *upstream->connection_;
  if (!connection.open() || connection.input_ended() || connection.output_broken() ||
      !connection.input().empty())
    return;
  connection.set_owner(upstream.get());
  connection.start_reading();
  timeouts_.set(*upstream, Wait::idle_upstream);
  idle_.push_back(std::move(upstream));
}

void UpstreamPool::drop(Upstream* upstream) {
  const auto it =
      std::find_if(idle_.begin(), idle_.end(), [&](const auto& u) { return u.get() == upstream; });
  if (it != idle_.end()) idle_.erase(it);
}

void UpstreamPool::close_idle() { idle_.clear(); }

}  // namespace vsim::net
