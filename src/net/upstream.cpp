#include "net/upstream.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/error.hpp>

namespace vsim::net {

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
      connection->close();
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
    socket.async_connect(
        self->pool.endpoints_[self->index], [weak, keep = self->connection](ErrorCode error) {
          const auto attempt = weak.lock();
          if (!attempt || !attempt->done) return;
          if (error && ++attempt->index < attempt->pool.endpoints_.size()) return next(weak);
          if (!error) {
            Socket& connected = keep->stream().socket();
            ErrorCode ignored;
            connected.non_blocking(true, ignored);
            if (connected.local_endpoint(ignored).protocol().family() != AF_UNIX) {
              const int on = 1;
              ::setsockopt(connected.native_handle(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            }
          }
          attempt->finish(error);
        });
  }

  UpstreamPool& pool;
  OnConnected done;
  ConnectionPtr connection;
  std::size_t index = 0;
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
