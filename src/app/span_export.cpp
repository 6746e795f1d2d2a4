#include "app/span_export.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <utility>

#include "app/clock.hpp"
#include "base/text.hpp"
#include "event/json_codec.hpp"
#include "net/resolve.hpp"

namespace vsim::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kEach = seconds(1), kAnswersWithin = seconds(5), kAtTheEnd = seconds(2),
               kLongestPause = seconds(30);
constexpr auto kLook = milliseconds(100);  // whether the end has come, while something is waited for
constexpr std::size_t kMostRunning = 20'000, kLongestAnswer = 64u << 10;

struct Reply {
  int status = 0;  // 0: none came
  std::string text, why;
};

// A socket whose every wait ends at `due`, or `until` if that is earlier by then.
class Wire {
 public:
  Wire(TimePoint due, const std::atomic<TimePoint>& until) : due_(due), until_(until) {}
  ~Wire() {
    if (fd_ >= 0) ::close(fd_);
  }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  bool connect(const std::string& address) {
    sockaddr_storage to{};
    std::memcpy(&to, address.data(), std::min(address.size(), sizeof to));
    if (fd_ >= 0) ::close(fd_);
    fd_ = ::socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd_ < 0) return false;
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&to), static_cast<socklen_t>(address.size())) == 0)
      return true;
    if (errno != EINPROGRESS || !wait(POLLOUT)) return false;
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    errno = error;
    return error == 0;
  }
  bool write(std::string_view text) {
    while (!text.empty()) {
      const ssize_t n = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (n > 0)
        text.remove_prefix(static_cast<std::size_t>(n));
      else if (!may_go_on(POLLOUT))
        return false;
    }
    return true;
  }
  // False: the other side has ended, or `errno` says why.
  bool read(std::string& out) {
    char buffer[4096];
    for (;;) {
      errno = 0;
      const ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
      if (n > 0) return out.append(buffer, static_cast<std::size_t>(n)), true;
      if (n == 0 || !may_go_on(POLLIN)) return false;
    }
  }

 private:
  bool may_go_on(short what) {
    return errno == EINTR || ((errno == EAGAIN || errno == EWOULDBLOCK) && wait(what));
  }
  bool wait(short what) {
    for (;;) {
      const Duration left = std::min(due_, until_.load()) - now();
      if (left <= Duration::zero()) return errno = ETIMEDOUT, false;
      pollfd one{fd_, what, 0};
      const auto slice = std::chrono::ceil<milliseconds>(std::min<Duration>(left, kLook));
      if (::poll(&one, 1, static_cast<int>(slice.count())) > 0) return true;
    }
  }

  const TimePoint due_;
  const std::atomic<TimePoint>& until_;
  int fd_ = -1;
};

// The length that a head names; the answer's end is the connection's where it names none.
std::size_t length_in(std::string_view head) {
  constexpr std::string_view kName = "\r\ncontent-length:";
  for (std::size_t at = 0; (at = head.find("\r\n", at)) != std::string_view::npos; at += 2) {
    if (head.size() < at + kName.size() || !iequals(head.substr(at, kName.size()), kName)) continue;
    std::string_view value = head.substr(at + kName.size());
    value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
    std::size_t length = 0;
    std::from_chars(value.data(), value.data() + value.size(), length);
    return length;
  }
  return kLongestAnswer;
}

Reply post(const SpanCollector& to, std::string_view body, const std::atomic<TimePoint>& until) {
  Reply out;
  Wire wire(now() + kAnswersWithin, until);
  const bool is_connected =
      std::any_of(to.addresses.begin(), to.addresses.end(), [&](const auto& a) { return wire.connect(a); });
  const std::string head = fmt::format(
      "POST {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: vercel-sim/{}\r\nContent-Type: application/json\r\n"
      "Content-Length: {}\r\nConnection: close\r\n\r\n",
      to.path, to.host, VSIM_VERSION, body.size());
  if (!is_connected || !wire.write(head) || !wire.write(body)) {
    out.why = std::strerror(errno);
    return out;
  }
  std::string text;
  std::size_t end = std::string::npos, wanted = kLongestAnswer;
  while (text.size() < wanted && wire.read(text)) {
    if (end != std::string::npos || (end = text.find("\r\n\r\n")) == std::string::npos) continue;
    wanted = std::min(end + 4 + length_in(std::string_view(text).substr(0, end)), kLongestAnswer);
  }
  if (end == std::string::npos || !text.starts_with("HTTP/1.") || text.size() < 12) {
    out.why = errno != 0 ? std::strerror(errno) : "its answer is no HTTP";
    return out;
  }
  std::from_chars(text.data() + 9, text.data() + 12, out.status);
  out.text = text.substr(end + 4);
  return out;
}

// What stands behind "name": in one of our own lines, up to the next comma.
std::string_view member(std::string_view line, std::string_view name) {
  const std::size_t at = line.find(name);
  if (at == std::string_view::npos) return {};
  line.remove_prefix(at + name.size());
  return line.substr(0, line.find_first_of(",}"));
}

}  // namespace

SpanCollector find_collector(const std::string& url, const std::string& host, std::uint16_t port,
                             std::string path, std::string& why) {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  SpanCollector out;
  out.url = url;
  out.host = fmt::format("{}{}{}:{}", is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "", port);
  out.path = std::move(path);
  boost::asio::io_context io;
  boost::system::error_code error;
  for (const auto& one : net::resolve(io, host, port, error))
    out.addresses.emplace_back(reinterpret_cast<const char*>(one.data()), one.size());
  why = error.message();
  return out;
}

SpanExport::SpanExport(SpanCollector to, TimePoint start, Render render, Tell tell)
    : to_(std::move(to)), start_(start), render_(std::move(render)), tell_(std::move(tell)), thread_([this] {
        work();
      }) {}

SpanExport::~SpanExport() { finish(); }

void SpanExport::on_event(const event::Stamp& stamp, const event::Event& event) {
  const auto* ended = std::get_if<event::InvocationEnded>(&event);
  if (ended != nullptr && ended->traffic == event::Traffic::internal && ended->verdicts.empty()) return;
  if (ended == nullptr && !std::holds_alternative<event::RunStarted>(event) &&
      !std::holds_alternative<event::InvocationRunning>(event) &&
      !std::holds_alternative<event::BackgroundWork>(event))
    return;
  event::encode(gathered_, stamp, event, start_);
  if (ended != nullptr) ++ended_;
}

void SpanExport::on_pause() {
  if (gathered_.empty()) return;
  const std::lock_guard lock(mutex_);
  if (lines_.size() + gathered_.size() > kMost) {
    dropped_ += ended_;
  } else {
    lines_ += gathered_;
    waiting_ += ended_;
  }
  gathered_.clear();
  ended_ = 0;
}

void SpanExport::work() {
  Duration pause = kEach;
  std::unique_lock lock(mutex_);
  for (;;) {
    const bool stops = wake_.wait_for(lock, pause, [this] { return stop_; });
    if (body_.empty()) {
      const std::string lines = std::exchange(lines_, {});
      in_body_ = std::exchange(waiting_, 0);
      lock.unlock();
      make_batch(lines);
      lock.lock();
    }
    lock.unlock();
    const bool is_sent = send_batch();
    lock.lock();
    pause = is_sent ? Duration(kEach) : std::min<Duration>(pause * 2, kLongestPause);
    if (stops && (!is_sent || (lines_.empty() && body_.empty()))) return;
  }
}

// Runs of what has ended stand before its end, whenever they were told.
void SpanExport::make_batch(const std::string& lines) {
  std::string told, ends;
  for (std::string_view rest = lines; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size() - 1) + 1;
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end);
    const std::string_view type = member(line, "\"t\":");
    if (type == "\"run_started\"") {
      first_ = line;
    } else if (type == "\"invocation_running\"") {
      if (runs_.size() < kMostRunning) runs_.insert_or_assign(std::string(member(line, "\"id\":")), line);
    } else {
      if (const auto run = runs_.find(std::string(member(line, "\"id\":")));
          type == "\"invocation_ended\"" && run != runs_.end()) {
        told += run->second;
        runs_.erase(run);
      }
      ends += line;
    }
  }
  if (!ends.empty()) body_ = render_(first_ + told + ends);
}

// False: it is to be tried again.
bool SpanExport::send_batch() {
  if (body_.empty()) return true;
  const Reply answer = post(to_, body_, until_);
  // OTLP/HTTP: these are to be tried again, other refusals are not.
  const bool may_again = answer.status == 0 || answer.status == 429 || answer.status == 502 ||
                         answer.status == 503 || answer.status == 504;
  if (answer.status / 100 == 2) {
    sent_ += in_body_;
    if (std::exchange(is_down_, false)) tell_(fmt::format("the collector at {} takes spans again", to_.url));
    std::string_view rejected = member(answer.text, "\"rejectedSpans\":");  // a number, mostly as text
    rejected = rejected.substr(std::min(rejected.find_first_of("123456789"), rejected.size()));
    rejected = rejected.substr(0, rejected.find_first_not_of("0123456789"));
    if (!rejected.empty()) tell_(fmt::format("the collector at {} has rejected {} spans", to_.url, rejected));
  } else {
    failed(answer.status == 0 ? answer.why : fmt::format("it answers {}", answer.status), !may_again);
    if (may_again) return false;
    refused_ += in_body_;
  }
  body_.clear();
  in_body_ = 0;
  return true;
}

void SpanExport::failed(const std::string& why, bool for_good) {
  if (std::exchange(is_down_, true)) return;
  tell_(fmt::format("the collector at {} takes no spans: {}; {}", to_.url, why,
                    for_good ? "what it refuses is lost"
                             : "they wait for it, as many as fit into 4 MB, and the rest is dropped"));
}

SpanExport::Count SpanExport::finish() {
  on_pause();
  {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(stop_, true)) until_ = now() + kAtTheEnd;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
  return {sent_, dropped_ + refused_ + waiting_ + in_body_};
}

}  // namespace vsim::app
