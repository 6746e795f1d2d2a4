// A byte stream under a Connection: a TCP or unix socket, plain or with TLS. Non-blocking: reads and writes
// what can be done at once, and says when to wait; who waits is Connection. I/O thread only.
#pragma once

#include <sys/uio.h>

#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>

#include "net/tls.hpp"

namespace vsim::net {

namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;

// What a non-blocking read or write did.
struct IoResult {
  std::size_t bytes = 0;
  bool would_block = false;
  ErrorCode error;  // asio::error::eof: the peer ended its direction
};

class Stream {
 public:
  Stream() = default;
  explicit Stream(int fd) : fd_(fd) {}  // connected and non-blocking; owned from now on
  ~Stream() { close(); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  int fd() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  // Makes this the server side of a TLS session. Before the first read.
  void start_tls(TlsContext& context) { tls_ = std::make_unique<TlsSession>(context); }
  bool tls() const { return tls_ != nullptr; }

  // Takes what is there without waiting. Fewer bytes than asked for do not say that there are no more.
  IoResult read_now(std::span<char> buffer);
  // As much as the socket takes. With TLS all of it is taken, and `would_block` then means: wait before
  // giving more.
  IoResult write_now(const iovec* iov, int count);
  // True while TLS records wait for the socket: call write_now(nullptr, 0) when writable.
  bool write_pending() const { return tls_ && tls_->has_output(); }

  void shutdown_write();
  void close();
  // Close with a TCP reset, so that the peer cannot take what it has for a whole message.
  void abort();

 private:
  IoResult send_tls_output();

  int fd_ = -1;
  std::unique_ptr<TlsSession> tls_;
};

}  // namespace vsim::net
