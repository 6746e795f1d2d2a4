#include "net/connection.hpp"

#include <poll.h>
#include <sys/epoll.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <cstring>

namespace vsim::net {
namespace {

thread_local std::array<char, Connection::kScratch> scratch;
constexpr std::size_t kKeepOut = 16UL * 1024;  // an output buffer larger than this is given back once empty

}  // namespace

Connection::Connection(Poller& poller, int fd) : poller_(poller), stream_(fd) {
  if (poller_.add(fd, *this) != 0) stream_.close();
}

void Connection::start_reading() {
  if (reading_ || input_ended_ || !open()) return;
  if (begin_ == end_) {
    begin_ = end_ = 0;
    if (capacity_ > kInline && !heap_.empty()) {
      heap_ = {};
      buffer_ = inline_;
      capacity_ = kInline;
    }
  } else if (end_ == capacity_ && begin_ > 0) {
    std::memmove(buffer_, buffer_ + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == capacity_) return;  // full: the owner must consume or grow first
  reading_ = true;
  if (readable_) poller_.defer(*this);  // never completes inside this call
}

void Connection::on_ready(std::uint32_t events) {
  const ConnectionPtr self(this);
  if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) hung_up_ = true;
  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) readable_ = true;
  if (!break_told_) {
    break_told_ = true;
    if (owner_ != nullptr) owner_->on_output_broken(*this);
  }
  if (waiting_writable_ && (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) && open()) write_rest();
  if (reading_ && readable_ && open()) read();
}

void Connection::read() {
  const std::span<char> room(buffer_ + end_, capacity_ - end_);
  const IoResult got = stream_.read_now(room);
  if (got.would_block) {
    readable_ = false;
    return;
  }
  // Fewer bytes than there is room for: the rest is not here yet, and its coming will be told. But what was
  // told together with an end is not told again; and a TLS session may hold more than its socket does.
  if (got.bytes < room.size() && !hung_up_ && !stream_.tls()) readable_ = false;
  reading_ = false;
  if (got.error) {
    input_ended_ = true;
    if (owner_ != nullptr) owner_->on_input_end(*this, got.error);
    return;
  }
  end_ += got.bytes;
  if (owner_ != nullptr) owner_->on_input(*this);
}

void Connection::consume(std::size_t bytes) {
  begin_ += bytes;
  if (begin_ == end_ && !reading_) begin_ = end_ = 0;
}

std::string_view Connection::take_bulk() {
  std::size_t size = std::min(end_ - begin_, kScratch);
  std::memcpy(scratch.data(), buffer_ + begin_, size);
  // More may be waiting only when the last read filled the buffer; a read that is under way must get the
  // bytes instead.
  const bool may_have_more = !reading_ && !input_ended_ && readable_ && end_ == capacity_ && open();
  begin_ += size;
  if (begin_ == end_) {
    if (!reading_) begin_ = end_ = 0;
    // An end or an error shows again at the next read.
    if (may_have_more && size < kScratch) {
      const std::size_t room = kScratch - size;
      const IoResult got = stream_.read_now(std::span(scratch.data() + size, room));
      if (got.would_block || (got.bytes > 0 && got.bytes < room && !hung_up_ && !stream_.tls()))
        readable_ = false;
      size += got.bytes;
    }
  }
  return {scratch.data(), size};
}

void Connection::unread(std::string_view rest) {
  if (rest.empty()) return;
  if (reading_) {  // the buffer is pinned, and take_bulk() took from it only: the bytes are still there
    begin_ -= rest.size();
    return;
  }
  const std::size_t have = end_ - begin_;
  std::vector<char> joined(std::max(rest.size() + have + kInline, capacity_));
  std::memcpy(joined.data(), rest.data(), rest.size());
  std::memcpy(joined.data() + rest.size(), buffer_ + begin_, have);
  heap_ = std::move(joined);
  buffer_ = heap_.data();
  capacity_ = heap_.size();
  begin_ = 0;
  end_ = rest.size() + have;
}

bool Connection::grow_input(std::size_t limit) {
  if (reading_) return true;
  if (begin_ > 0) {
    std::memmove(buffer_, buffer_ + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ < capacity_) return true;
  if (capacity_ >= limit) return false;
  std::vector<char> larger(std::min(limit, capacity_ * 4));
  std::memcpy(larger.data(), buffer_, end_);
  heap_ = std::move(larger);
  buffer_ = heap_.data();
  capacity_ = heap_.size();
  return true;
}

void Connection::write(std::string_view text) {
  const iovec one{const_cast<char*>(text.data()), text.size()};
  write(&one, 1);
}

void Connection::write(const iovec* iov, int count) {
  if (output_broken_ || !open()) return;
  std::size_t skip = 0;
  if (!waiting_writable_) {
    const IoResult sent = stream_.write_now(iov, count);
    if (sent.error) return break_output();
    skip = sent.bytes;
  }
  for (int i = 0; i < count; ++i) {
    const std::size_t size = iov[i].iov_len;
    if (skip >= size) {
      skip -= size;
      continue;
    }
    const char* from = static_cast<const char*>(iov[i].iov_base);
    out_.insert(out_.end(), from + skip, from + size);
    skip = 0;
  }
  if (!out_.empty() || stream_.write_pending()) waiting_writable_ = true;
}

void Connection::write_rest() {
  waiting_writable_ = false;
  const iovec rest{out_.data() + out_sent_, out_.size() - out_sent_};
  const IoResult sent = stream_.write_now(&rest, 1);
  if (sent.error) return break_output();
  out_sent_ += sent.bytes;
  if (out_sent_ < out_.size() || stream_.write_pending()) {
    waiting_writable_ = true;
    return;
  }
  drop_pending();
  if (finish_) {
    stream_.shutdown_write();
    finish_ = false;
  }
  if (owner_ != nullptr) owner_->on_writable(*this);
}

void Connection::drop_pending() {
  out_.clear();
  out_sent_ = 0;
  if (out_.capacity() > kKeepOut) out_ = {};
}

bool Connection::peer_reset() const {
  if (output_broken_ || !open()) return true;
  pollfd state{stream_.fd(), 0, 0};
  return ::poll(&state, 1, 0) > 0 && (state.revents & (POLLERR | POLLHUP)) != 0;
}

void Connection::break_output() {
  output_broken_ = true;
  drop_pending();
  // Not from inside write(): the owner is in the middle of something.
  break_told_ = false;
  poller_.defer(*this);
}

void Connection::finish_writing() {
  if (!open()) return;
  if (waiting_writable_)
    finish_ = true;
  else
    stream_.shutdown_write();
}

void Connection::close() {
  if (!open()) return;
  poller_.remove(stream_.fd(), *this);
  stream_.close();
}

void Connection::abort() {
  if (!open()) return;
  poller_.remove(stream_.fd(), *this);
  stream_.abort();
}

}  // namespace vsim::net
