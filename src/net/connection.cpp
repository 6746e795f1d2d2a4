#include "net/connection.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <cstring>

namespace vsim::net {
namespace {

thread_local std::array<char, Connection::kScratch> scratch;
constexpr std::size_t kKeepOut = 16 * 1024;  // an output buffer larger than this is given back once empty

}  // namespace

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
  stream_.async_read(
      std::span(buffer_ + end_, capacity_ - end_),
      [self = ConnectionPtr(this)](ErrorCode error, std::size_t bytes) { self->on_read(error, bytes); });
}

void Connection::on_read(ErrorCode error, std::size_t bytes) {
  reading_ = false;
  if (!open() || error == asio::error::operation_aborted) return;
  if (error) {
    input_ended_ = true;
    if (owner_ != nullptr) owner_->on_input_end(*this, error);
    return;
  }
  end_ += bytes;
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
  const bool may_have_more = !reading_ && !input_ended_ && end_ == capacity_ && open();
  begin_ += size;
  if (begin_ == end_) {
    if (!reading_) begin_ = end_ = 0;
    // An end or an error shows again at the next read.
    if (may_have_more && size < kScratch)
      size += stream_.read_now(std::span(scratch.data() + size, kScratch - size)).bytes;
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
  if (!out_.empty() || stream_.write_pending()) wait_writable();
}

void Connection::wait_writable() {
  if (waiting_writable_) return;
  waiting_writable_ = true;
  stream_.async_wait_writable([self = ConnectionPtr(this)](ErrorCode error) { self->on_writable(error); });
}

void Connection::on_writable(ErrorCode error) {
  waiting_writable_ = false;
  if (!open() || error == asio::error::operation_aborted) return;
  if (error) return break_output();
  const iovec rest{out_.data() + out_sent_, out_.size() - out_sent_};
  const IoResult sent = stream_.write_now(&rest, 1);
  if (sent.error) return break_output();
  out_sent_ += sent.bytes;
  if (out_sent_ < out_.size() || stream_.write_pending()) return wait_writable();
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

void Connection::break_output() {
  output_broken_ = true;
  drop_pending();
  // Not from inside write(): the owner is in the middle of something.
  asio::post(stream_.socket().get_executor(), [self = ConnectionPtr(this)] {
    if (self->owner_ != nullptr) self->owner_->on_output_broken(*self);
  });
}

void Connection::finish_writing() {
  if (!open()) return;
  if (waiting_writable_)
    finish_ = true;
  else
    stream_.shutdown_write();
}

void Connection::close() {
  if (open()) stream_.close();
}

void Connection::abort() {
  if (open()) stream_.abort();
}

}  // namespace vsim::net
