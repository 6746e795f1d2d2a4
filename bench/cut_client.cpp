// Many open streams of one server and the moment at which each of them ends, for bench/run.mjs: a client that is
// nearly all kernel, so that what is measured is not its own event loop. Made by bench/run.mjs:
//   g++ -std=c++20 -O2 bench/cut_client.cpp -o cut_client && ./cut_client PORT COUNT SECONDS
// Prints a line for each stream n (GET /stream?n=N): "N MS", the wall time of its end in milliseconds; MS is 0
// when it had not ended after SECONDS.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

double wall_ms() {
  return std::chrono::duration<double, std::milli>(std::chrono::system_clock::now().time_since_epoch()).count();
}

int die(const char* what) {
  std::perror(what);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return std::fputs("cut_client PORT COUNT SECONDS\n", stderr), 64;
  const auto count = static_cast<std::size_t>(std::atoi(argv[2]));
  const double until = wall_ms() + 1000 * std::atof(argv[3]);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(std::atoi(argv[1])));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int epoll = ::epoll_create1(0);
  std::vector<int> sockets(count);
  std::vector<double> ended(count);
  for (std::size_t n = 0; n < count; ++n) {
    const int fd = sockets[n] = ::socket(AF_INET, SOCK_STREAM, 0);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) return die("connect");
    const std::string text = "GET /stream?n=" + std::to_string(n) + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
    if (::send(fd, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) return die("send");
    epoll_event event{.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data = {.u64 = n}};
    if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) return die("epoll_ctl");
  }
  epoll_event batch[64];
  for (std::size_t left = count; left > 0;) {
    const int wait = static_cast<int>(until - wall_ms());
    const int found = wait > 0 ? ::epoll_wait(epoll, batch, 64, wait) : 0;
    if (found <= 0) break;
    const double now = wall_ms();
    for (int i = 0; i < found; ++i) {
      const std::size_t n = batch[i].data.u64;
      if ((batch[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) == 0 || ended[n] != 0) continue;
      ended[n] = now;
      ::close(sockets[n]);
      --left;
    }
  }
  for (std::size_t n = 0; n < count; ++n) std::printf("%zu %.3f\n", n, ended[n]);
}
