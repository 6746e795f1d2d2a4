#include "net/upstream.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <optional>
#include <utility>

#include "log/log.hpp"

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
struct UpstreamPool::Attempt final : Waiter, Pollable, std::enable_shared_from_this<Attempt> {
  Attempt(UpstreamPool& pool_of, OnConnected on_done) : pool(pool_of), done(std::move(on_done)) {}
  ~Attempt() override { close(); }
  void on_timeout(Wait) override { finish(asio::error::timed_out); }
  void on_ready(std::uint32_t) override {
    if (fd < 0) return next();  // the turn that connect() asked for
    if (!connecting) return;
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error == 0) {
      sockaddr_storage peer;
      size = sizeof peer;
      if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return;  // not yet
    }
    connected(error);
  }
  void close() {
    pool.poller_.remove(fd, *this);  // also the turn asked for
    if (fd >= 0) ::close(std::exchange(fd, -1));
    connecting = false;
  }
  void finish(ErrorCode error) {
    if (!done) return;
    auto call = std::move(done);
    done = nullptr;
    pool.timeouts_.set(*this, Wait::none);
    if (error) {
      close();
      call(error, nullptr);
      return;
    }
    pool.poller_.remove(fd, *this);
    auto upstream = std::make_unique<Upstream>(pool, new Connection(pool.poller_, std::exchange(fd, -1)));
    upstream->uses_ = 1;
    call({}, std::move(upstream));
  }
  void next() {
    const Endpoint& endpoint = pool.endpoints_[index];
    const int family = endpoint.protocol().family();
    fd = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, endpoint.protocol().protocol());
    if (fd < 0) return connected(errno);
    if (family != AF_UNIX) {
      const int on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    if (::connect(fd, static_cast<const sockaddr*>(endpoint.data()),
                  static_cast<socklen_t>(endpoint.size())) == 0)
      return connected(0);
    const int error = errno;
    if (error == EINPROGRESS) {
      connecting = true;
      if (const int refused = pool.poller_.add(fd, *this); refused != 0) connected(refused);
      return;
    }
    // A unix listener's backlog is full, as with many requests while the app compiles: nothing would tell
    // when it is not.
    if (error != EAGAIN) return connected(error);
    close();
    retry.emplace(pool.poller_.context(), kBacklogRetry);
    retry->async_wait([this](ErrorCode stopped) {
      if (!stopped) next();
    });
  }
  void connected(int error) {
    const auto self = shared_from_this();
    if (error == 0) return finish({});
    close();
    if (++index < pool.endpoints_.size()) return next();
    log::debug(log::Logger::net, "no connection to {}: {}", pool.origin_, std::strerror(error));
    finish(ErrorCode(error, boost::system::system_category()));
  }

  UpstreamPool& pool;
  OnConnected done;
  int fd = -1;
  bool connecting = false;
  std::size_t index = 0;
  std::optional<asio::steady_timer> retry;  // while a backlog is full
};

UpstreamPool::UpstreamPool(asio::io_context& io, Timeouts& timeouts, std::vector<Endpoint> endpoints,
                           std::string origin)
    : poller_(Poller::of(io)),
      timeouts_(timeouts),
      endpoints_(std::move(endpoints)),
      origin_(std::move(origin)) {}

UpstreamPool::~UpstreamPool() { poller_.forget(*this); }

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
  poller_.defer(*attempt);  // `done` is called later
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

void UpstreamPool::retire(std::unique_ptr<Upstream> upstream) {
  upstream->connection_->set_owner(nullptr);
  retired_.push_back(std::move(upstream));
  poller_.defer(*this);
}

void UpstreamPool::drop(Upstream* upstream) {
  const auto it =
      std::find_if(idle_.begin(), idle_.end(), [&](const auto& u) { return u.get() == upstream; });
  if (it != idle_.end()) idle_.erase(it);
}

void UpstreamPool::close_idle() { idle_.clear(); }

}  // namespace vsim::net
