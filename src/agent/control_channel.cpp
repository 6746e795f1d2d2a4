#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <deque>
#include <map>
#include <utility>

#include "log/log.hpp"

#include "agent/control.hpp"

namespace vsim::agent {
namespace {

using boost::asio::local::stream_protocol;

// The files that an instance of a large app has loaded: some thousand paths.
constexpr std::size_t kMaxLine = 4UL * 1024 * 1024;
constexpr auto kRetry = std::chrono::milliseconds(100);
constexpr int kMostProblems = 5;  // told of one connection: it is a notice, not a log

class Peer;

}  // namespace

struct ControlChannel::Impl : std::enable_shared_from_this<ControlChannel::Impl> {
  Impl(boost::asio::io_context& io, ControlHandler& h, std::string t)
      : acceptor(io), retry(io), handler(&h), token(std::move(t)) {}
  void accept();
  stream_protocol::acceptor acceptor;
  boost::asio::steady_timer retry;
  ControlHandler* handler;  // null: the channel is gone
  InstanceHandler* instances = nullptr;
  std::string token;
  std::vector<std::weak_ptr<Peer>> peers;
  std::map<std::uint64_t, std::weak_ptr<Peer>> by_number;  // 0: the agent that came last
  // Of those that have left, what they had told; of those that are to come, what they begin with.
  std::map<std::uint64_t, std::shared_ptr<const StateReader::Variables>> told;
};

namespace {

using Shared = ControlChannel::Impl;

// 0: not known.
pid_t peer_of(int socket) {
  ucred who{};
  socklen_t size = sizeof who;
  return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 ? who.pid : 0;
}

bool lives(pid_t pid) { return pid > 0 && (::kill(pid, 0) == 0 || errno == EPERM); }

class Peer : public std::enable_shared_from_this<Peer> {
 public:
  Peer(stream_protocol::socket s, std::shared_ptr<Shared> of)
      : socket_(std::move(s)), shared_(std::move(of)), pid_(peer_of(socket_.native_handle())) {}

  void read() {
    socket_.async_read_some(boost::asio::buffer(buffer_),
                            [self = shared_from_this()](boost::system::error_code error, std::size_t n) {
                              if (self->gone()) return;
                              if (error) return self->ended();
                              self->feed({self->buffer_.data(), n});
                              if (!self->gone()) self->read();
                            });
  }

  void send(std::string line) {
    line += '\n';
    out_.push_back(std::move(line));
    if (out_.size() == 1) write();
  }

  void close() {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

 private:
  bool gone() const { return shared_->handler == nullptr || !socket_.is_open(); }

  void ended() {
    close();
    const std::uint64_t n = std::exchange(number_, 0);
    if (n != 0) {
      shared_->by_number.erase(n);
      if (auto told = said_.state.for_copies()) shared_->told[n] = std::move(told);
      if (shared_->instances != nullptr) shared_->instances->on_closed(n);
    } else if (trusted_) {
      shared_->handler->on_closed(said_.booted);
    }
  }

  void feed(std::string_view bytes) {
    while (!bytes.empty() && !gone()) {
      const std::size_t end = bytes.find('\n');
      line_.append(bytes.substr(0, end));
      if (trusted_ ? line_.size() > kMaxLine : !may_be_introduction()) {
        if (trusted_) problem("is too long");
        return trusted_ ? ended() : close();
      }
      if (end == std::string_view::npos) return;
      bytes.remove_prefix(end + 1);
      take();
      line_.clear();
    }
  }

  void take() {
    if (!trusted_) return introduce();
    if (number_ != 0) {
      if (shared_->instances != nullptr && !deliver(line_, number_, *shared_->instances, said_))
        problem("was not understood: " + line_.substr(0, kShown));
      return;
    }
    if (!deliver(line_, *shared_->handler, said_)) problem("was not understood: " + line_.substr(0, kShown));
  }

  bool may_be_introduction() const { return line_.size() <= kLongestSecret + kInstance.size() + 20; }

  // The first line is "<token>", of the agent in next dev, or "<secret> instance <n>"; all others are nobody.
  void introduce() {
    const std::string_view line = line_;
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos) {
      if (line != shared_->token) return refuse("its token is not the run's");
      if (!may_be_agent()) return refuse("it is not next dev, or next dev's agent is there");
      log::debug(log::Logger::agent, "the agent of next dev has come, pid {}", pid_);
      trusted_ = true;
      shared_->by_number[0] = weak_from_this();
      return;
    }
    std::string_view rest = line.substr(space);
    std::uint64_t n = 0;
    if (!rest.starts_with(kInstance)) return refuse("it introduces itself as nobody");
    rest.remove_prefix(kInstance.size());
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), n);
    if (error != std::errc{} || end != rest.data() + rest.size() || n == 0)
      return refuse("it names no instance");
    if (shared_->instances == nullptr || shared_->by_number.contains(n) ||
        !shared_->instances->on_instance(n, line.substr(0, space), pid_))
      return refuse("it is not the instance that it names, or that has come");
    log::debug(log::Logger::agent, "instance i{} has come, pid {}", n, pid_);
    trusted_ = true;
    number_ = n;
    if (const auto known = shared_->told.extract(n)) said_.state = StateReader(std::move(known.mapped()));
    shared_->by_number[n] = weak_from_this();
  }

  // The token stands in the environment of next dev, where a function can read it: what runs in an instance,
  // and whoever comes while the process of an agent that has come lives, is not believed.
  bool may_be_agent() const {
    if (shared_->instances != nullptr && shared_->instances->is_of_instance(pid_)) return false;
    const auto found = shared_->by_number.find(0);
    const auto before = found == shared_->by_number.end() ? nullptr : found->second.lock();
    return !before || !before->socket_.is_open() || before->pid_ == pid_ || !lives(before->pid_);
  }

  void refuse(std::string_view why) {
    log::warn(log::Logger::agent, "refused pid {} on the agents' channel: {}", pid_, why);
    close();
  }

  void problem(const std::string& what) {
    if (problems_++ >= kMostProblems) return;
    shared_->handler->on_problem(
        (number_ != 0 ? "a line of instance i" + std::to_string(number_) : "a line on the agent's channel") +
        " " + what);
  }

  void write() {
    boost::asio::async_write(socket_, boost::asio::buffer(out_.front()),
                             [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                               if (error || self->gone()) return;  // the reader tells of its end
                               self->out_.pop_front();
                               if (!self->out_.empty()) self->write();
                             });
  }

  static constexpr std::string_view kInstance = " instance ";
  static constexpr std::size_t kLongestSecret = 32;
  static constexpr std::size_t kShown = 120;
  stream_protocol::socket socket_;
  std::shared_ptr<Shared> shared_;
  const pid_t pid_;
  std::string line_;
  std::deque<std::string> out_;
  std::uint64_t number_ = 0;  // of an instance
  bool trusted_ = false;
  Said said_;
  int problems_ = 0;
  std::array<char, 16UL * 1024> buffer_;
};

}  // namespace

void ControlChannel::Impl::accept() {
  acceptor.async_accept(
      [self = shared_from_this()](boost::system::error_code error, stream_protocol::socket socket) {
        if (self->handler == nullptr || error == boost::asio::error::operation_aborted) return;
        if (error == boost::asio::error::connection_aborted) return self->accept();
        // No descriptor is left, most likely: who waits is taken when there is one again.
        if (error) {
          log::warn(log::Logger::agent, "no agent can be taken on: {}", error.message());
          self->retry.expires_after(kRetry);
          return self->retry.async_wait([self](boost::system::error_code stopped) {
            if (!stopped && self->handler != nullptr) self->accept();
          });
        }
        auto peer = std::make_shared<Peer>(std::move(socket), self);
        peer->read();
        std::erase_if(self->peers, [](const auto& weak) { return weak.expired(); });
        self->peers.push_back(peer);
        self->accept();
      });
}

ControlChannel::ControlChannel(boost::asio::io_context& io, ControlHandler& handler, std::string token)
    : impl_(std::make_shared<Impl>(io, handler, std::move(token))) {}

ControlChannel::~ControlChannel() {
  impl_->handler = nullptr;
  impl_->instances = nullptr;
  boost::system::error_code ignored;
  impl_->acceptor.close(ignored);
  impl_->retry.cancel();
  for (const auto& weak : impl_->peers)
    if (const auto peer = weak.lock()) peer->close();
}

Result<bool> ControlChannel::listen(const std::string& socket_path) {
  boost::system::error_code error;
  const stream_protocol::endpoint endpoint(socket_path);
  impl_->acceptor.open(endpoint.protocol(), error);
  if (!error) impl_->acceptor.bind(endpoint, error);
  if (!error) impl_->acceptor.listen(128, error);
  if (error) return Error{"cannot open the agent's channel at " + socket_path + ": " + error.message()};
  impl_->accept();
  return true;
}

void ControlChannel::set_instances(InstanceHandler* instances) { impl_->instances = instances; }

bool ControlChannel::send(std::uint64_t n, std::string line) {
  const auto found = impl_->by_number.find(n);
  if (found == impl_->by_number.end()) return false;
  const auto peer = found->second.lock();
  if (!peer) return false;
  peer->send(std::move(line));
  return true;
}

std::shared_ptr<const StateReader::Variables> ControlChannel::told_by(std::uint64_t n) const {
  const auto found = impl_->told.find(n);
  return found == impl_->told.end() ? nullptr : found->second;
}

void ControlChannel::begins_with(std::uint64_t n, std::shared_ptr<const StateReader::Variables> known) {
  if (known != nullptr) impl_->told[n] = std::move(known);
}

void ControlChannel::forget(std::uint64_t n) {
  impl_->told.erase(n);
  const auto found = impl_->by_number.find(n);
  if (found == impl_->by_number.end()) return;
  const auto peer = found->second.lock();
  impl_->by_number.erase(found);
  if (peer) peer->close();
}

}  // namespace vsim::agent
