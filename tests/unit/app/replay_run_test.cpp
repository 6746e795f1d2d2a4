// A recording in the place of the command: what becomes of requests that have no end, and whom it believes.
#include "app/replay_run.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>
#include <csignal>
#include <list>

using namespace vsim;
using namespace vsim::app;
using namespace std::chrono_literals;
using boost::asio::ip::tcp;
using replay::Change;

namespace {

replay::Recording recording(std::initializer_list<const char*> targets) {
  replay::Recording out;
  out.about.url = "http://localhost:3000";
  for (const char* target : targets) {
    replay::RecordedRequest r;
    r.n = out.requests.size() + 1;
    r.method = "GET";
    r.target = target;
    r.headers.push_back({"Host", "localhost:3000"});
    r.outcome.status = 200;
    r.outcome.total = 1ms;
    out.requests.push_back(std::move(r));
  }
  return out;
}

// In the place of the edge: takes each request, and has `asked` say what happens to it.
struct World {
  struct Asked {
    std::string target, mark;
    tcp::socket socket;
    std::string text;
  };

  boost::asio::io_context io{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  tcp::acceptor acceptor{io, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)};
  std::list<Asked> all;
  std::function<void(Asked&)> asked;
  const replay::Recording recorded;
  ReplayRun run;

  World(replay::Recording of, Duration give_up)
      : recorded(std::move(of)), run(recorded, {1, give_up, 300ms}, [] { return std::string(); }) {
    std::signal(SIGPIPE, SIG_IGN);
    accept();
  }
  ~World() { run.stop(); }

  void accept() {
    acceptor.async_accept([this](boost::system::error_code error, tcp::socket socket) {
      if (error) return;
      Asked& a = all.emplace_back(Asked{{}, {}, std::move(socket), {}});
      boost::asio::async_read_until(a.socket, boost::asio::dynamic_buffer(a.text), "\r\n\r\n",
                                    [this, &a](boost::system::error_code failed, std::size_t) {
                                      if (failed) return;
                                      a.target = a.text.substr(4, a.text.find(' ', 4) - 4);
                                      const std::size_t at = a.text.find(std::string(replay::kMark) + ": ") +
                                                             replay::kMark.size() + 2;
                                      a.mark = a.text.substr(at, a.text.find('\r', at) - at);
                                      asked(a);
                                    });
      accept();
    });
  }

  // As the edge tells it.
  void ended(std::string_view mark, int status, std::uint64_t n) {
    replay::RecordedRequest r;
    r.n = n;
    r.outcome.status = status;
    run.ended(std::move(r), mark);
  }
  static void answer(Asked& a, std::string_view head) {
    boost::asio::write(a.socket, boost::asio::buffer(std::string(head) + "\r\n\r\n"));
    a.socket.close();
  }

  std::vector<Change> changes() {
    bool done = false;
    run.start(io, "http://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()), [&] {
      done = true;
      io.stop();
    });
    io.run();
    CHECK(done);
    run.stop();
    std::vector<Change> out;
    met = run.results();
    for (std::size_t i = 0; i < met.size(); ++i) out.push_back(compare(recorded.requests[i].outcome, met[i]));
    return out;
  }
  std::vector<replay::Met> met;
};

}  // namespace

TEST_CASE("replay: what gets no answer, or none to its end, is broken, and was sent") {
  World world(recording({"/fine", "/silent", "/half"}), 200ms);
  world.asked = [&](World::Asked& a) {
    if (a.target == "/fine") {
      world.ended(a.mark, 200, 1);
      World::answer(a, "HTTP/1.1 200 OK\r\nContent-Length: 0");
    } else if (a.target == "/half") {
      boost::asio::write(a.socket, boost::asio::buffer(std::string("HTTP/1.1 200 OK\r\n\r\nhalf")));
    }
  };
  CHECK(world.changes() == std::vector{Change::same, Change::broke, Change::broke});
  REQUIRE(world.met[1].outcome);
  CHECK(word_for(*world.met[1].outcome) == "no answer");
  CHECK(world.met[1].outcome->total >= 200ms);
  REQUIRE(world.met[2].outcome);
  CHECK(word_for(*world.met[2].outcome) == "200, cut short");
  CHECK(world.met[1].why_not.empty());
}

TEST_CASE("replay: what was given up stays so, whatever its end is when its client has gone") {
  World world(recording({"/late"}), 100ms);
  world.asked = [&](World::Asked& a) {
    // The client closes: the edge sees that and ends the exchange.
    a.socket.async_wait(tcp::socket::wait_read,
                        [&](boost::system::error_code) { world.ended(a.mark, 200, 1); });
  };
  CHECK(world.changes() == std::vector{Change::broke});
}

TEST_CASE("replay: an answer that the edge gave without knowing the request, as while the app is away") {
  World world(recording({"/"}), 60s);
  world.asked = [&](World::Asked& a) {
    World::answer(a, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0");
  };
  CHECK(world.changes() == std::vector{Change::broke});
  REQUIRE(world.met[0].outcome);
  CHECK(word_for(*world.met[0].outcome) == "503");
}

TEST_CASE("replay: a client that leaves as it did, and hears of no end, met the same") {
  auto of = recording({"/"});
  of.requests[0].outcome.left = 50ms;
  World world(std::move(of), 60s);
  world.asked = [](World::Asked&) {};
  CHECK(world.changes() == std::vector{Change::same});
}

TEST_CASE("replay: only its own marks count, and each once") {
  World world(recording({"/"}), 60s);
  world.asked = [&](World::Asked& a) {
    for (const std::string& forged :
         std::vector<std::string>{std::string("0"), ".0", std::string(32, '0') + ".0", a.mark + "x",
                                  a.mark.substr(1), std::string()})
      world.ended(forged, 200, 1);
    world.ended(a.mark, 500, 2);
    world.ended("0", 200, 3);
    world.ended(a.mark, 200, 4);
    World::answer(a, "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0");
  };
  CHECK(world.changes() == std::vector{Change::broke});
  CHECK(world.met[0].outcome->status == 500);
}
