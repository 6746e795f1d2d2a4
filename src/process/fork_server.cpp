#include "process/fork_server.hpp"

#include <errno.h>
#include <fmt/format.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio.hpp>
#include <charconv>
#include <map>
#include <utility>

#include "log/log.hpp"

namespace vsim::process {
namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::size_t kMostAnswer = 128;
constexpr std::size_t kMostText = 32UL * 1024;

// The packet with the descriptors. False: the child is gone, or has not read for long.
bool send_packet(int socket, const std::string& packet, const Coming& coming, int orders) {
  const std::array<int, 4> given{coming.input.get(), coming.output.get(), coming.error.get(), orders};
  const std::size_t size = (orders < 0 ? 3 : 4) * sizeof(int);
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof given)> space{};
  iovec part{const_cast<char*>(packet.data()), packet.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = space.data();
  message.msg_controllen = CMSG_SPACE(size);
  cmsghdr* head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(size);
  memcpy(CMSG_DATA(head), given.data(), size);
  ssize_t n;
  do n = ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  return n == static_cast<ssize_t>(packet.size());
}

}  // namespace

struct ForkServer::Impl : std::enable_shared_from_this<ForkServer::Impl> {
  Impl(asio::io_context& io_in, Children& supervisor_in, Callbacks callbacks_in)
      : io(io_in), supervisor(supervisor_in), callbacks(std::move(callbacks_in)), socket(io_in) {}

  struct Asked {
    Coming coming;
    Answer answer;
  };

  void read() {
    socket.async_wait(asio::posix::descriptor_base::wait_read, [self = shared_from_this()](error_code ec) {
      if (ec || !self->socket.is_open()) return;
      if (self->read_all()) self->read();
    });
  }

  // False at the end.
  bool read_all() {
    std::array<char, kMostAnswer> buffer;
    for (;;) {
      const ssize_t n = ::recv(socket.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return errno == EAGAIN;
      if (n == 0) return false;
      take({buffer.data(), static_cast<std::size_t>(n)});
      if (!socket.is_open()) return false;
    }
  }

  void take(std::string_view line) {
    if (line == "R") {
      is_ready = true;
      if (callbacks.ready) callbacks.ready();
      return;
    }
    if (line.size() < 3 || line[1] != ' ') return;
    const bool stands = line[0] == 'P';
    line.remove_prefix(2);
    std::uint64_t request = 0;
    long value = 0;
    const auto first = std::from_chars(line.data(), line.data() + line.size(), request);
    if (first.ec != std::errc() || first.ptr == line.data() + line.size()) return;
    std::from_chars(first.ptr + 1, line.data() + line.size(), value);
    const auto found = asked.find(request);
    if (found == asked.end()) return;
    Asked one = std::move(found->second);
    asked.erase(found);
    if (!stands) {
      log::warn(log::Logger::process, "pid {} could not be copied: {}", child ? child->pid() : 0,
                strerror(static_cast<int>(value)));
      return one.answer(
          Error{fmt::format("a process could not be copied: {}", strerror(static_cast<int>(value)))});
    }
    one.coming.pid = static_cast<pid_t>(value);
    one.answer(std::move(one.coming));
  }

  void close() {
    is_ready = false;
    if (socket.is_open()) read_all();  // what it said last
    error_code ec;
    socket.close(ec);
    for (auto& [request, one] : std::exchange(asked, {}))
      if (one.answer) one.answer(Error{"the process that is copied for it has ended"});
  }

  void end(const ExitCause& cause) {
    close();
    if (const auto ended = std::exchange(callbacks.ended, nullptr)) ended(cause);
  }

  asio::io_context& io;
  Children& supervisor;
  Callbacks callbacks;
  asio::posix::stream_descriptor socket;
  std::unique_ptr<Child> child;
  std::map<std::uint64_t, Asked> asked;
  std::uint64_t requests = 0;
  bool is_ready = false;
};

ForkServer::ForkServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

ForkServer::~ForkServer() {
  impl_->callbacks = {};
  impl_->asked.clear();
  error_code ec;
  impl_->socket.close(ec);
  impl_->child.reset();
}

Result<std::unique_ptr<ForkServer>> ForkServer::start(asio::io_context& io, Children& supervisor,
                                                      SpawnOptions options, Callbacks callbacks) {
  auto pair = os::make_packet_pair();
  if (!pair) return pair.error();
  auto impl = std::make_shared<Impl>(io, supervisor, std::move(callbacks));
  options.inherit = {pair->write.get()};
  ChildCallbacks events;
  events.output = [self = impl.get()](OutputStream stream, std::string_view bytes) {
    if (self->callbacks.output) self->callbacks.output(stream, bytes);
  };
  events.exit = [weak = std::weak_ptr(impl)](const ExitCause& cause) {
    if (const auto self = weak.lock()) self->end(cause);
  };
  auto child = supervisor.spawn(std::move(options), std::move(events));
  if (!child) return child.error();
  impl->child = std::move(*child);
  error_code ec;
  impl->socket.assign(pair->read.release(), ec);
  if (ec) return Error{fmt::format("cannot watch a socket: {}", ec.message()), {}};
  impl->read();
  return std::unique_ptr<ForkServer>(new ForkServer(std::move(impl)));
}

Result<std::unique_ptr<ForkServer>> ForkServer::over(asio::io_context& io, Children& supervisor,
                                                     os::Fd socket, Callbacks callbacks) {
  auto impl = std::make_shared<Impl>(io, supervisor, std::move(callbacks));
  error_code ec;
  impl->socket.assign(socket.release(), ec);
  if (ec) return Error{fmt::format("cannot watch a socket: {}", ec.message()), {}};
  impl->read();
  return std::unique_ptr<ForkServer>(new ForkServer(std::move(impl)));
}

void ForkServer::end() { impl_->close(); }

bool ForkServer::tell(std::string_view word) {
  ssize_t n;
  do n = ::send(impl_->socket.native_handle(), word.data(), word.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  return n == static_cast<ssize_t>(word.size());
}

bool ForkServer::ready() const { return impl_->is_ready; }
pid_t ForkServer::pid() const { return impl_->child->pid(); }

void ForkServer::fork(const std::function<std::string(std::string_view mark)>& text, Answer answer,
                      int orders) {
  const std::uint64_t request = ++impl_->requests;
  auto coming = impl_->supervisor.expect();
  std::string failure;
  if (!coming) {
    failure = coming.error().message;
  } else {
    const std::string packet = fmt::format("{} {}", request, text(coming->mark));
    if (packet.size() > kMostText || !send_packet(impl_->socket.native_handle(), packet, *coming, orders))
      failure = "the process that is copied does not take commands";
    // Its ends are the copy's now.
    coming->input.reset();
    coming->output.reset();
    coming->error.reset();
  }
  if (failure.empty()) {
    impl_->asked.emplace(request, Impl::Asked{std::move(*coming), std::move(answer)});
    return;
  }
  asio::post(impl_->io, [answer = std::move(answer), failure = std::move(failure)] {
    answer(Error{failure, {}});
  });
}

}  // namespace vsim::process
