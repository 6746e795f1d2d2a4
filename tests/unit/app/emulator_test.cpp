// A whole emulator in the process of a test: a server of the test's behind it, a client of the test's before
// it, no signal handler, no child.
#include "app/emulator.hpp"

#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>
#include <csignal>
#include <future>
#include <thread>

#include "unit/limits/profiles.hpp"

using namespace vsim;
using namespace vsim::app;
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
const tcp::endpoint kAnyPort(asio::ip::address_v4::loopback(), 0);

// Answers the request of each connection. The emulator's first look asks nothing.
class Server {
 public:
  Server() : acceptor_(io_, kAnyPort), thread_([this] { serve(); }) {}
  ~Server() {
    stopping_ = true;
    boost::system::error_code ignored;
    tcp::socket last(io_);
    last.connect(acceptor_.local_endpoint(), ignored);
    thread_.join();
  }
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  void serve() {
    for (;;) {
      boost::system::error_code error;
      tcp::socket socket(io_);
      acceptor_.accept(socket, error);
      if (error || stopping_) return;
      std::string head;
      asio::read_until(socket, asio::dynamic_buffer(head), "\r\n\r\n", error);
      if (!error) asio::write(socket, asio::buffer(kAnswer.data(), kAnswer.size()), error);
    }
  }
  asio::io_context io_;
  tcp::acceptor acceptor_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

std::string fetch(std::uint16_t port, std::string_view target) {
  asio::io_context io;
  tcp::socket socket(io);
  socket.connect({asio::ip::address_v4::loopback(), port});
  const std::string request = "GET " + std::string(target) +
                              " HTTP/1.1\r\nHost: localhost:" + std::to_string(port) +
                              "\r\nConnection: close\r\n\r\n";
  asio::write(socket, asio::buffer(request));
  std::string answer;
  boost::system::error_code end;
  asio::read(socket, asio::dynamic_buffer(answer), end);
  return answer;
}

struct Told final : event::Sink {
  void on_event(const event::Stamp&, const event::Event& event) override {
    if (const auto* e = std::get_if<event::RunStarted>(&event)) {
      lines.push_back("started " + std::string(e->profile));
      url.set_value(std::string(e->url));
    } else if (const auto* ended = std::get_if<event::InvocationEnded>(&event)) {
      lines.push_back("ended " + std::string(ended->target) + " " + std::to_string(ended->status));
    } else if (const auto* stopped = std::get_if<event::RunStopped>(&event)) {
      lines.push_back("stopped " + std::string(stopped->reason));
    }
  }
  std::vector<std::string> lines;
  std::promise<std::string> url;
};

}  // namespace

TEST_CASE(
    "an emulator in a process that is not its own: it serves, tells and stops, and leaves the signals "
    "alone") {
  Server behind;
  const profile::Profile profile = test::make_profile();
  Told told;
  EventHub hub;
  hub.add(told);
  std::atomic<bool> fetched{false};
  Emulator* running = nullptr;
  int secrets = 0;

  EmulatorOptions options;
  options.profile = &profile;
  options.addresses = {"127.0.0.1"};
  options.port = 0;
  UpstreamSpec upstream;
  upstream.host = "127.0.0.1";
  upstream.port = behind.port();
  upstream.origin = "http://127.0.0.1:" + std::to_string(behind.port());
  options.app = std::move(upstream);
  options.each_second = [&](TimePoint) {
    if (fetched) running->quit();
  };
  const auto kept = [](int) {};
  const auto before = std::signal(SIGINT, kept);
  {
    Emulator emulator(std::move(options), hub, [](const OutputLine&) {},
                      {.secret = [&] { return ++secrets, std::string("known"); }, .signals = false});
    running = &emulator;
    auto answer = std::async(std::launch::async, [&] {
      const std::string url = told.url.get_future().get();
      auto text = fetch(static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1))), "/api/x");
      fetched = true;
      return text;
    });
    const auto code = emulator.run();
    REQUIRE(code);
    CHECK(*code == 0);
    const std::string text = answer.get();
    CHECK(text.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(text.ends_with("\r\n\r\nok"));
  }
  CHECK(std::signal(SIGINT, before) == static_cast<void (*)(int)>(kept));
  CHECK(told.lines == std::vector<std::string>{"started hobby", "ended /api/x 200", "stopped stopped"});
  CHECK(secrets == 0);  // no agent to share one with
}
