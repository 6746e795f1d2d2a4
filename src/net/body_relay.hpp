// One direction of a body: reads the sender's framing and writes ours around the same bytes, without copying
// them. No I/O.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstdint>
#include <string_view>

#include "net/body_copy.hpp"
#include "net/http1.hpp"

namespace vsim::net {

// What one write to a socket is made of. Holds views: the pieces must live until the write.
class Pieces {
 public:
  void add(std::string_view text) {
    if (!text.empty())
      iov_[static_cast<std::size_t>(count_++)] = {const_cast<char*>(text.data()), text.size()};
  }
  void clear() { count_ = 0; }
  bool full() const { return count_ >= kMost; }
  bool empty() const { return count_ == 0; }
  const iovec* data() const { return iov_.data(); }
  int size() const { return count_; }

 private:
  friend class BodyRelay;
  static constexpr int kMost = 56;  // leaves room for a prefix and framing
  std::array<iovec, 64> iov_;
  int count_ = 0;
  char chunk_size_[20];
};

class BodyRelay {
 public:
  // `to_chunked`: the receiver gets chunks; else the bare bytes.
  void start(http1::BodyFraming from, bool to_chunked);
  // After start(): what passes is kept there as well, which must outlive the body.
  void copy_to(BodyCopy* copy) {
    copy_ = copy;
    if (copy_ != nullptr) copy_->ended = done_;
  }
  enum class State : std::uint8_t { more, done, error };
  // Takes what it can of `data` and adds the pieces to send. `consumed` bytes of data are done with; fewer
  // than all with State::more means: send the pieces and call again.
  State relay(std::string_view data, Pieces& out, std::size_t& consumed);
  // The sender closed: done for a close-delimited body, error (truncated) for any other.
  State sender_closed(Pieces& out);
  bool done() const { return done_; }
  std::uint64_t bytes() const { return bytes_; }  // of the body so far

 private:
  void finish(Pieces& out, bool after_chunk);
  http1::ChunkedDecoder decoder_;
  std::uint64_t left_ = 0, bytes_ = 0;
  BodyCopy* copy_ = nullptr;
  http1::BodyKind from_ = http1::BodyKind::none;
  bool to_chunked_ = false, done_ = true;
};

}  // namespace vsim::net
