#include "net/stream.hpp"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <boost/asio/error.hpp>
#include <cerrno>
#include <cstring>

namespace vsim::net {
namespace {

IoResult failed(int error) {
  if (error == EAGAIN || error == EWOULDBLOCK || error == EINTR) return {.would_block = true};
  return {.error = ErrorCode(error, boost::system::system_category())};
}

// In a program with threads libc makes each of its calls a place where a thread may be cancelled, for two
// locked instructions each; ours never are. Under a sanitizer libc's, which it watches.
#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__) && !defined(__clang__)
ssize_t send_bytes(int fd, const void* data, std::size_t size, int flags) {
  return ::syscall(SYS_sendto, fd, data, size, flags, nullptr, 0);
}
ssize_t receive_bytes(int fd, void* data, std::size_t size, int flags) {
  return ::syscall(SYS_recvfrom, fd, data, size, flags, nullptr, nullptr);
}
#else
ssize_t send_bytes(int fd, const void* data, std::size_t size, int flags) {
  return ::send(fd, data, size, flags);
}
ssize_t receive_bytes(int fd, void* data, std::size_t size, int flags) {
  return ::recv(fd, data, size, flags);
}
#endif

// One piece costs the kernel less than a message of several; a few small ones are cheaper joined here.
ssize_t send_all(int fd, const iovec* iov, int count) {
  constexpr int kFlags = MSG_NOSIGNAL | MSG_DONTWAIT;
  if (count == 1) return send_bytes(fd, iov->iov_base, iov->iov_len, kFlags);
  std::array<char, 2048> joined;
  std::size_t size = 0;
  for (int i = 0; i < count; ++i) {
    if (iov[i].iov_len > joined.size() - size) {
      msghdr message{};
      message.msg_iov = const_cast<iovec*>(iov);
      message.msg_iovlen = static_cast<std::size_t>(count);
      return ::sendmsg(fd, &message, kFlags);
    }
    if (iov[i].iov_len > 0) std::memcpy(joined.data() + size, iov[i].iov_base, iov[i].iov_len);
    size += iov[i].iov_len;
  }
  return send_bytes(fd, joined.data(), size, kFlags);
}

// One 16 KiB record at most arrives at a time; shared by all TLS reads of the I/O thread.
thread_local std::array<char, 32UL * 1024> tls_scratch;

}  // namespace

IoResult Stream::read_now(std::span<char> buffer) {
  if (!tls_) {
    const ssize_t n = receive_bytes(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n > 0) return {.bytes = static_cast<std::size_t>(n)};
    if (n == 0) return {.error = asio::error::eof};
    return failed(errno);
  }
  for (;;) {
    const TlsSession::Read got = tls_->read(buffer);
    send_tls_output();
    if (got.state == TlsSession::State::ok) return {.bytes = got.bytes};
    if (got.state == TlsSession::State::closed) return {.error = asio::error::eof};
    if (got.state == TlsSession::State::failed) return {.error = asio::error::connection_reset};
    const ssize_t n = ::recv(fd_, tls_scratch.data(), tls_scratch.size(), MSG_DONTWAIT);
    if (n == 0) return {.error = asio::error::eof};
    if (n < 0) return failed(errno);
    tls_->feed({tls_scratch.data(), static_cast<std::size_t>(n)});
  }
}

IoResult Stream::write_now(const iovec* iov, int count) {
  if (!tls_) {
    const ssize_t n = send_all(fd_, iov, count);
    if (n >= 0) return {.bytes = static_cast<std::size_t>(n)};
    return failed(errno);
  }
  std::size_t taken = 0;
  for (int i = 0; i < count; ++i) {
    if (!tls_->write({static_cast<const char*>(iov[i].iov_base), iov[i].iov_len}))
      return {.error = asio::error::broken_pipe};
    taken += iov[i].iov_len;
  }
  IoResult sent = send_tls_output();
  sent.bytes = taken;
  return sent;
}

IoResult Stream::send_tls_output() {
  while (tls_->has_output()) {
    const auto text = tls_->output();
    if (text.empty()) break;
    const ssize_t n = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0) return failed(errno);
    tls_->consumed(static_cast<std::size_t>(n));
  }
  return {};
}

void Stream::shutdown_write() {
  if (tls_) {
    tls_->close_notify();
    send_tls_output();
  }
  ::shutdown(fd_, SHUT_WR);
}

void Stream::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void Stream::abort() {
  const linger reset{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  close();
}

}  // namespace vsim::net
