// Readiness of sockets, edge-triggered: one epoll_ctl in the life of a connection, and a read only when there
// is something to read. Asio's reactor tries a read first and then waits, which is one read in vain for each
// message (docs/decisions/0001). Everything else (timers, signals, children, posts) stays Asio's: run() waits
// for both. I/O thread only, but for wake().
#pragma once

#include <array>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <memory>
#include <vector>

struct epoll_event;

namespace vsim::net {

namespace asio = boost::asio;

// What Poller tells. `events` are epoll's (EPOLLIN, EPOLLOUT, EPOLLRDHUP…); 0 is the turn that defer() asked
// for.
class Pollable {
 public:
  virtual void on_ready(std::uint32_t events) = 0;

 protected:
  Pollable() = default;
  virtual ~Pollable() = default;

 private:
  friend class Poller;
  bool deferred_ = false;
};

// One for each io_context, made at its first use.
class Poller final : public asio::execution_context::service {
 public:
  using key_type = Poller;
  static asio::execution_context::id id;
  static Poller& of(asio::io_context& io) { return asio::use_service<Poller>(io); }

  explicit Poller(asio::execution_context&);
  ~Poller() override;
  asio::io_context& context() { return io_; }

  // From now on `pollable` is told when `fd` (non-blocking) becomes readable, writable or broken; at first,
  // what it is already. Each change is told once: read until there is no more. 0 or an errno.
  int add(int fd, Pollable& pollable);
  // Before `fd` is closed or handed on. `pollable` is not told anything any more, not even what was found
  // already.
  void remove(int fd, Pollable& pollable);
  // The same for one that was never added, only deferred.
  void forget(Pollable& pollable);
  // on_ready(0) before the next wait, not from inside this call.
  void defer(Pollable& pollable);

  // Serves sockets and the io_context until it is stopped. Where it is not called, the io_context's own run()
  // and poll() serve the sockets too, at the price of a second wait.
  void run();
  // Ends the wait of run(), so that what was posted to the io_context from another thread is done. Any
  // thread.
  void wake();

 private:
  void shutdown() override;
  void wait_inside();  // below the io_context's own loop
  void serve(int timeout_ms);
  void serve_deferred();
  void post_deferred();
  int find_asio_epoll() const;

  static constexpr int kBatch = 128;
  asio::io_context& io_;
  int epoll_ = -1, wake_ = -1;
  bool running_ = false, waiting_inside_ = false, posted_ = false;
  asio::posix::stream_descriptor inside_;
  std::unique_ptr<epoll_event[]> batch_;
  int batch_size_ = 0, batch_at_ = 0;
  std::vector<Pollable*> deferred_;
};

}  // namespace vsim::net
