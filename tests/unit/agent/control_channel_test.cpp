// The channel on a real unix socket.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>

#include "recorder.hpp"

using namespace vsim;
using namespace vsim::agent;
using namespace vsim::agent::test;
using namespace std::chrono_literals;

namespace {

constexpr auto kDeadline = 5s;
const std::string kToken = "0123456789abcdef";
const std::string kHello = R"({"t":"hello","pid":1,"next":"16.4.6","bundler":"webpack","missing":[]})";
const std::string kHelloSaid = "hello 1 16.4.6 webpack []";

// A plain blocking peer, as the agent is one.
struct Agent {
  int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  explicit Agent(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    REQUIRE(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }
  Agent(const Agent&) = delete;
  ~Agent() { close(); }
  void close() {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
  // As much as the socket takes at once.
  std::size_t offer(std::string_view bytes) const {
    const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return n > 0 ? static_cast<std::size_t>(n) : 0;
  }
  void write(std::string_view bytes) const { REQUIRE(offer(bytes) == bytes.size()); }
  bool was_closed() const {
    char byte;
    const ssize_t n = ::recv(fd, &byte, 1, MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno == ECONNRESET);
  }
};

struct World {
  World() {
    char name[] = "/tmp/vsim-agent-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    folder = name;
    path = folder + "/agent.sock";
    REQUIRE(channel->listen(path));
  }
  ~World() {
    channel.reset();
    std::filesystem::remove_all(folder);
  }
  bool until(const std::function<bool()>& done) {
    const auto end = std::chrono::steady_clock::now() + kDeadline;
    while (!done()) {
      if (std::chrono::steady_clock::now() > end) return false;
      io.run_one_for(20ms);
    }
    return true;
  }
  bool until_said(std::size_t lines) {
    return until([&] { return r.said.size() >= lines; });
  }

  boost::asio::io_context io;
  Recorder r;
  std::unique_ptr<ControlChannel> channel = std::make_unique<ControlChannel>(io, r, kToken);
  std::string folder, path;
};

}  // namespace

TEST_CASE("Control channel: lines may come in any pieces") {
  World w;
  Agent agent(w.path);
  const std::string all = kToken + "\n" + kHello + "\n{\"t\":\"handler\",\"id\":\"7\"}\n";
  for (const char c : all) {
    agent.write({&c, 1});
    w.io.poll();
  }
  REQUIRE(w.until_said(2));
  CHECK(w.r.said == std::vector<std::string>{kHelloSaid, "handler 7"});
}

TEST_CASE("Control channel: a line without an end is given up, and its sender with it") {
  World w;
  Agent agent(w.path);
  agent.write(kToken + "\n");
  const std::string much(16 * 1024, 'x');
  std::size_t sent = 0;
  REQUIRE(w.until([&] {
    sent += agent.offer(much);
    return !w.r.said.empty() || sent > 2'000'000;
  }));
  CHECK(w.r.said == std::vector<std::string>{"problem a line on the agent's channel is too long"});
  REQUIRE(w.until([&] { return agent.was_closed(); }));
}

TEST_CASE("Control channel: a long line that ends is a line") {
  World w;
  Agent agent(w.path);
  const std::string page = "/" + std::string(100'000, 'a');
  const std::string line =
      kToken + "\n{\"t\":\"dispatch\",\"id\":\"1\",\"page\":\"" + page + "\",\"kind\":\"PAGES\"}\n";
  std::size_t sent = 0;
  REQUIRE(w.until([&] {
    sent += agent.offer(std::string_view(line).substr(sent));
    return !w.r.said.empty();
  }));
  CHECK(w.r.said.front() == "dispatch 1 " + page + " PAGES  dynamic");
}
