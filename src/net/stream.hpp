// A byte stream under a Connection: a TCP or unix socket, plain or with TLS. Reads complete through Asio;
// writes are tried at once, and only a full socket buffer costs a wait. I/O thread only.
#pragma once

#include <sys/uio.h>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>

#include "net/tls.hpp"

namespace vsim::net {

namespace asio = boost::asio;
using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<asio::generic::stream_protocol, Executor>;
using ErrorCode = boost::system::error_code;

// What a non-blocking read or write did.
struct IoResult {
  std::size_t bytes = 0;
  bool would_block = false;
  ErrorCode error;  // asio::error::eof: the peer ended its direction
};

class Stream {
 public:
  explicit Stream(asio::io_context& io) : socket_(io) {}
  explicit Stream(Socket socket) : socket_(std::move(socket)) {}

  Socket& socket() { return socket_; }
  const Socket& socket() const { return socket_; }
  bool open() const { return socket_.is_open(); }
  // Makes this the server side of a TLS session. Before the first read.
  void start_tls(TlsContext& context) { tls_ = std::make_unique<TlsSession>(context); }
  bool tls() const { return tls_ != nullptr; }

  // handler(ErrorCode, size_t): `buffer` must live until then. Never completes inside this call.
  template <class Handler>
  void async_read(std::span<char> buffer, Handler handler) {
    if (!tls_) {
      socket_.async_read_some(asio::buffer(buffer.data(), buffer.size()), std::move(handler));
      return;
    }
    async_read_tls(buffer, std::move(handler));
  }
  // Takes what is there without waiting.
  IoResult read_now(std::span<char> buffer);
  // As much as the socket takes. With TLS all of it is taken, and `would_block` then means: wait before
  // giving more.
  IoResult write_now(const iovec* iov, int count);
  // True while TLS records wait for the socket: call write_now(nullptr, 0) when writable.
  bool write_pending() const { return tls_ && tls_->has_output(); }
  template <class Handler>
  void async_wait_writable(Handler handler) {
    socket_.async_wait(Socket::wait_write, std::move(handler));
  }

  void shutdown_write();
  void close();
  // Close with a TCP reset, so that the peer cannot take what it has for a whole message.
  void abort();

 private:
  void async_read_tls(std::span<char> buffer, std::function<void(ErrorCode, std::size_t)> handler);
  IoResult send_tls_output();

  Socket socket_;
  std::unique_ptr<TlsSession> tls_;
};

}  // namespace vsim::net
