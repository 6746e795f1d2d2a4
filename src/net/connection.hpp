// One side of an exchange: a stream with a small input buffer and whatever output the socket did not take
// yet. An idle connection costs about a kilobyte: bulk data goes through one scratch buffer of the thread and
// is kept only where the other side is slow. I/O thread only.
#pragma once

#include <array>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "net/poller.hpp"
#include "net/stream.hpp"

namespace vsim::net {

class Connection;

// Who is told. A call may end in the owner letting go of the connection; the connection outlives the call.
class ConnectionOwner {
 public:
  virtual void on_input(Connection&) = 0;  // input() grew
  virtual void on_input_end(
      Connection&, ErrorCode) = 0;  // eof: the peer ended its direction; else: the connection is broken
  virtual void on_writable(Connection&) = 0;       // all pending output was taken by the socket
  virtual void on_output_broken(Connection&) = 0;  // the peer takes no more; input may still hold a message

 protected:
  ~ConnectionOwner() = default;
};

class Connection final : public boost::intrusive_ref_counter<Connection, boost::thread_unsafe_counter>,
                         private Pollable {
 public:
  static constexpr std::size_t kInline = 1024;           // holds a usual head; all an idle connection needs
  static constexpr std::size_t kScratch = 128UL * 1024;  // one bulk read

  // `fd`: a connected, non-blocking socket, owned from now on.
  Connection(Poller& poller, int fd);
  ~Connection() override { close(); }

  Stream& stream() { return stream_; }
  void set_owner(ConnectionOwner* owner) { owner_ = owner; }

  // Input. At most one read is outstanding; start_reading() while one is does nothing. Reading stops by
  // itself after each on_input.
  void start_reading();
  std::string_view input() const { return {buffer_ + begin_, end_ - begin_}; }
  void consume(std::size_t bytes);
  // input() plus what can be read at once, up to kScratch bytes, taken out of the connection. Valid until the
  // next call for any connection of the thread. What the caller does not use it gives back with unread().
  std::string_view take_bulk();
  void unread(std::string_view rest);
  bool input_ended() const { return input_ended_; }
  // A head longer than the buffer: room for `limit` bytes at most. False when it is there already.
  bool grow_input(std::size_t limit);

  // Output. Takes everything; what the socket does not take now waits here (back-pressure is the caller's:
  // look at blocked()).
  void write(const iovec* iov, int count);
  void write(std::string_view text);
  bool blocked() const { return waiting_writable_; }
  bool output_broken() const { return output_broken_; }
  // The peer has refused what was written: it is gone. A client on this machine says so at once.
  bool peer_reset() const;
  std::size_t pending() const { return out_.size() - out_sent_; }
  void drop_pending();
  // Ends our direction once pending output is gone.
  void finish_writing();

  void close();
  void abort();
  bool open() const { return stream_.open(); }

 private:
  void on_ready(std::uint32_t events) override;
  void read();
  void write_rest();
  void break_output();

  Poller& poller_;
  Stream stream_;
  ConnectionOwner* owner_ = nullptr;
  char* buffer_ = inline_;
  std::size_t capacity_ = kInline, begin_ = 0, end_ = 0;
  std::vector<char> heap_;
  std::vector<char> out_;
  std::size_t out_sent_ = 0;
  bool reading_ = false, input_ended_ = false, waiting_writable_ = false, output_broken_ = false,
       finish_ = false;
  bool readable_ = false;   // a read may find something; else the poller will tell
  bool hung_up_ = false;    // the peer has ended its direction: told once, so a read must look for it
  bool break_told_ = true;  // on_output_broken is due at the next turn when false
  char inline_[kInline];
};

using ConnectionPtr = boost::intrusive_ptr<Connection>;

}  // namespace vsim::net
