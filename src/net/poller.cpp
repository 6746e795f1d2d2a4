#include "net/poller.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace vsim::net {

asio::execution_context::id Poller::id;

Poller::Poller(asio::execution_context& context)
    : asio::execution_context::service(context),
      io_(static_cast<asio::io_context&>(context)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      inside_(io_),
      batch_(std::make_unique<epoll_event[]>(kBatch)) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = this;  // not a Pollable: only ends the wait
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event);
}

Poller::~Poller() { ::close(wake_); }

void Poller::shutdown() {
  boost::system::error_code ignored;
  inside_.close(ignored);
  if (!waiting_inside_ && epoll_ >= 0) ::close(epoll_);
  epoll_ = -1;
}

int Poller::add(int fd, Pollable& pollable) {
  if (!running_ && !waiting_inside_) wait_inside();
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &pollable;
  return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : errno;
}

void Poller::remove(int fd, Pollable& pollable) {
  if (epoll_ >= 0) ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
  for (int i = batch_at_; i < batch_size_; ++i)
    if (batch_[static_cast<std::size_t>(i)].data.ptr == &pollable)
      batch_[static_cast<std::size_t>(i)].data.ptr = nullptr;
  forget(pollable);
}

void Poller::forget(Pollable& pollable) {
  if (!pollable.deferred_) return;
  pollable.deferred_ = false;
  std::replace(deferred_.begin(), deferred_.end(), &pollable, static_cast<Pollable*>(nullptr));
}

void Poller::defer(Pollable& pollable) {
  if (pollable.deferred_) return;
  pollable.deferred_ = true;
  deferred_.push_back(&pollable);
  post_deferred();
}

// run() gives them their turn by itself.
void Poller::post_deferred() {
  if (deferred_.empty() || running_ || posted_) return;
  posted_ = true;
  asio::post(io_, [this] {
    posted_ = false;
    serve_deferred();
  });
}

void Poller::serve_deferred() {
  // What is deferred meanwhile has its turn after the next look at the sockets.
  for (std::size_t i = 0, count = deferred_.size(); i < count; ++i) {
    Pollable* const pollable = deferred_[i];
    if (pollable == nullptr) continue;
    deferred_[i] = nullptr;
    pollable->deferred_ = false;
    pollable->on_ready(0);
  }
  std::erase(deferred_, nullptr);
  post_deferred();
}

void Poller::serve(int timeout_ms) {
  batch_size_ = std::max(0, ::epoll_wait(epoll_, batch_.get(), kBatch, timeout_ms));
  for (batch_at_ = 0; batch_at_ < batch_size_;) {
    const epoll_event event = batch_[static_cast<std::size_t>(batch_at_++)];
    if (event.data.ptr == this) {
      std::uint64_t ignored;
      while (::read(wake_, &ignored, sizeof ignored) > 0) {
      }
    } else if (event.data.ptr != nullptr) {
      static_cast<Pollable*>(event.data.ptr)->on_ready(event.events);
    }
  }
  batch_at_ = batch_size_ = 0;
}

void Poller::wait_inside() {
  if (!inside_.is_open()) inside_.assign(epoll_);
  waiting_inside_ = true;
  inside_.async_wait(asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code error) {
    if (error || running_ || epoll_ < 0) return;
    serve(0);
    wait_inside();
  });
}

// The io_context's own epoll, known by what it watches: ours. -1 where /proc does not tell.
int Poller::find_asio_epoll() const {
  const std::string watched = std::to_string(epoll_);
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fdinfo", error)) {
    std::ifstream info(entry.path());
    for (std::string word; info >> word;)
      if (word == "tfd:" && info >> word && word == watched)
        return std::atoi(entry.path().filename().c_str());
  }
  return -1;
}

void Poller::run() {
  if (!waiting_inside_) wait_inside();
  const int theirs = find_asio_epoll();
  if (theirs < 0) {
    io_.run();
    return;
  }
  epoll_ = inside_.release();  // an epoll must not watch one that watches it
  waiting_inside_ = false;
  running_ = true;
  io_.poll();
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;  // only ends the wait: poll() follows
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, theirs, &event);
  while (!io_.stopped()) {
    serve(deferred_.empty() ? -1 : 0);
    if (!deferred_.empty()) serve_deferred();
    io_.poll();
  }
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, theirs, nullptr);
  running_ = false;
}

void Poller::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_, &one, sizeof one);
}

}  // namespace vsim::net
