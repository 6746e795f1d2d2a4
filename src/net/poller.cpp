#include "net/poller.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <utility>

namespace vsim::net {

asio::execution_context::id Poller::id;

Poller::Poller(asio::execution_context& context)
    : asio::execution_context::service(context),
      io_(static_cast<asio::io_context&>(context)),
      epoll_(io_, ::epoll_create1(EPOLL_CLOEXEC)),
      batch_(std::make_unique<epoll_event[]>(kBatch)) {}

void Poller::shutdown() {
  boost::system::error_code ignored;
  epoll_.close(ignored);
}

int Poller::add(int fd, Pollable& pollable) {
  if (!waiting_) wait();
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &pollable;
  return ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : errno;
}

void Poller::remove(int fd, Pollable& pollable) {
  if (epoll_.is_open()) ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_DEL, fd, nullptr);
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

void Poller::post_deferred() {
  if (deferred_.empty() || posted_) return;
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

void Poller::serve() {
  batch_size_ = std::max(0, ::epoll_wait(epoll_.native_handle(), batch_.get(), kBatch, 0));
  for (batch_at_ = 0; batch_at_ < batch_size_;) {
    const epoll_event event = batch_[static_cast<std::size_t>(batch_at_++)];
    if (event.data.ptr != nullptr) static_cast<Pollable*>(event.data.ptr)->on_ready(event.events);
  }
  batch_at_ = batch_size_ = 0;
  if (watcher_ != nullptr) std::exchange(watcher_, nullptr)->on_ready(0);
}

void Poller::wait() {
  waiting_ = true;
  epoll_.async_wait(asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code error) {
    if (error || !epoll_.is_open()) return;
    serve();
    wait();
  });
}

}  // namespace vsim::net
