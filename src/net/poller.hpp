// Readiness of sockets, edge-triggered: one epoll_ctl in the life of a connection, and a read only when there
// is something to read. Asio's reactor tries a read first and then waits, which is one read in vain for each
// message (docs/decisions/0001). One descriptor of the io_context, whose run() waits for it as for everything
// else. I/O thread only.
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
  // on_ready(0) once, behind the next turn in which a socket had something to tell: who wants to know what
  // happens, and not to be woken while nothing does. One at a time; null: nobody any more.
  void watch_next(Pollable* pollable) { watcher_ = pollable; }

 private:
  void shutdown() override;
  void wait();
  void serve();
  void serve_deferred();
  void post_deferred();

  static constexpr int kBatch = 128;
  asio::io_context& io_;
  asio::posix::stream_descriptor epoll_;
  bool waiting_ = false, posted_ = false;
  std::unique_ptr<epoll_event[]> batch_;
  int batch_size_ = 0, batch_at_ = 0;
  std::vector<Pollable*> deferred_;
  Pollable* watcher_ = nullptr;
};

}  // namespace vsim::net
