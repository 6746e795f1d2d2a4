#include "app/ahead.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <utility>

namespace vsim::app {
namespace {

constexpr std::size_t kMostLine = 64UL * 1024;

}  // namespace

std::unique_ptr<AheadPipe> AheadPipe::make(boost::asio::io_context& io, std::string path,
                                           std::function<void(const agent::Ahead&)> told) {
  if (::mkfifo(path.c_str(), 0600) != 0) return nullptr;
  // For writing too: it has no end when who writes to it leaves.
  const int fd = ::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return nullptr;
  std::unique_ptr<AheadPipe> pipe(new AheadPipe(io, std::move(path), fd, std::move(told)));
  pipe->read();
  return pipe;
}

AheadPipe::AheadPipe(boost::asio::io_context& io, std::string path, int fd,
                     std::function<void(const agent::Ahead&)> told)
    : pipe_(io, fd), path_(std::move(path)), told_(std::move(told)) {}

AheadPipe::~AheadPipe() { ::unlink(path_.c_str()); }

void AheadPipe::read() {
  const auto seen = [this, alive = std::weak_ptr(alive_)](boost::system::error_code error) {
    if (error || alive.expired()) return;
    std::array<char, 4096> bytes;
    ssize_t n;
    while ((n = ::read(pipe_.native_handle(), bytes.data(), bytes.size())) > 0)
      line_.append(bytes.data(), static_cast<std::size_t>(n));
    const std::size_t end = line_.find('\n');
    if (end == std::string::npos && line_.size() < kMostLine) return read();
    boost::system::error_code ignored;
    pipe_.close(ignored);
    ::unlink(path_.c_str());
    if (const auto said = agent::ahead(line_.substr(0, end))) told_(*said);
  };
  pipe_.async_wait(boost::asio::posix::descriptor_base::wait_read, seen);
}

}  // namespace vsim::app
