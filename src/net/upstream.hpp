// Connections to the app: opened on demand, kept idle for less than Node keeps them, handed out last in,
// first out. A connection that says anything while idle is closed: bytes nobody asked for never answer the
// next client. I/O thread only.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/connection.hpp"
#include "net/timeouts.hpp"

namespace vsim::net {

class UpstreamPool;

class Upstream final : private ConnectionOwner, private Waiter {
 public:
  Upstream(UpstreamPool& pool, ConnectionPtr connection);
  ~Upstream() override;
  Connection& connection() { return *connection_; }
  bool used_before() const { return uses_ > 1; }

 private:
  friend class UpstreamPool;
  void on_input(Connection&) override;
  void on_input_end(Connection&, ErrorCode) override;
  void on_writable(Connection&) override {}
  void on_output_broken(Connection&) override;
  void on_timeout(Wait) override;

  UpstreamPool& pool_;
  ConnectionPtr connection_;
  int uses_ = 0;
};

// Owned by a shared_ptr, a pool lives on while a session that was sent to it uses it; else it must outlive
// them all.
class UpstreamPool : public std::enable_shared_from_this<UpstreamPool>, private Pollable {
 public:
  using Endpoint = asio::generic::stream_protocol::endpoint;
  using OnConnected = std::function<void(ErrorCode, std::unique_ptr<Upstream>)>;

  // `origin` is what a Location of the app may start with ("http://127.0.0.1:4000"), rewritten to the public
  // origin; empty: none. `io` and `timeouts` must outlive the pool.
  UpstreamPool(asio::io_context& io, Timeouts& timeouts, std::vector<Endpoint> endpoints,
               std::string origin = {});
  ~UpstreamPool() override;

  const std::string& origin() const { return origin_; }
  std::unique_ptr<Upstream> take_idle();  // null when there is none
  // Tries the endpoints in order. `done` is called later, once, unless the returned handle is dropped first.
  struct Attempt;
  std::shared_ptr<Attempt> connect(OnConnected done);
  void give_back(std::unique_ptr<Upstream>);
  // Closes it in the poller's next turn: a thousand clients whose streams are cut at once need not wait while
  // the app is told of each.
  void retire(std::unique_ptr<Upstream>);
  void close_idle();

 private:
  friend class Upstream;
  void drop(Upstream*);
  void on_ready(std::uint32_t) override { retired_.clear(); }

  Poller& poller_;
  Timeouts& timeouts_;
  std::vector<Endpoint> endpoints_;
  std::string origin_;
  std::vector<std::unique_ptr<Upstream>> idle_, retired_;
};

}  // namespace vsim::net
