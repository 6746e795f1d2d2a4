#include "net/body_relay.hpp"

#include <algorithm>
#include <charconv>

namespace vsim::net {

void BodyRelay::start(http1::BodyFraming from, bool to_chunked) {
  from_ = from.kind;
  to_chunked_ = to_chunked;
  left_ = from.length;
  bytes_ = 0;
  copy_ = nullptr;
  done_ = from.kind == http1::BodyKind::none || (from.kind == http1::BodyKind::length && from.length == 0);
  if (from_ == http1::BodyKind::chunked) decoder_.reset();
}

BodyRelay::State BodyRelay::relay(std::string_view data, Pieces& out, std::size_t& consumed) {
  consumed = 0;
  if (done_) return State::done;
  // Place for the size line of the one chunk that all runs of this call go into; known when the runs are.
  const int size_at = out.count_;
  if (to_chunked_) ++out.count_;
  std::uint64_t run_bytes = 0;
  State state = State::more;

  switch (from_) {
    case http1::BodyKind::none:
      break;
    case http1::BodyKind::until_close:
      out.add(data);
      consumed = data.size();
      run_bytes = data.size();
      break;
    case http1::BodyKind::length: {
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, data.size()));
      out.add(data.substr(0, n));
      consumed = n;
      run_bytes = n;
      if (copy_ != nullptr) copy_->take(data.substr(0, n));
      left_ -= n;
      done_ = left_ == 0;
      break;
    }
    case http1::BodyKind::chunked:
      while (!done_ && !out.full()) {
        const auto step = decoder_.next(data.substr(consumed));
        consumed += step.consumed;
        run_bytes += step.data.size();
        out.add(step.data);
        if (copy_ != nullptr) copy_->take(step.data);
        if (step.state == http1::ParseState::error) {
          state = State::error;
          break;
        }
        done_ = step.state == http1::ParseState::complete;
        if (step.consumed == 0) break;
      }
      break;
  }

  bytes_ += run_bytes;
  if (copy_ != nullptr) copy_->ended = done_;
  if (to_chunked_) {
    if (run_bytes == 0) {
      --out.count_;
    } else {
      char* end =
          std::to_chars(out.chunk_size_, out.chunk_size_ + sizeof out.chunk_size_ - 2, run_bytes, 16).ptr;
      *end++ = '\r';
      *end++ = '\n';
      out.iov_[static_cast<std::size_t>(size_at)] = {out.chunk_size_,
                                                     static_cast<std::size_t>(end - out.chunk_size_)};
      if (!done_ || state == State::error) out.add("\r\n");
    }
  }
  if (state == State::error) return state;
  if (!done_) return State::more;
  finish(out, run_bytes > 0);
  return State::done;
}

BodyRelay::State BodyRelay::sender_closed(Pieces& out) {
  if (from_ != http1::BodyKind::until_close || done_) return done_ ? State::done : State::error;
  done_ = true;
  finish(out, false);
  return State::done;
}

void BodyRelay::finish(Pieces& out, bool after_chunk) {
  if (!to_chunked_) return;
  out.add(after_chunk ? "\r\n0\r\n" : "0\r\n");
  if (from_ == http1::BodyKind::chunked) out.add(decoder_.trailers());
  out.add("\r\n");
}

}  // namespace vsim::net
