#include <unistd.h>

#include <boost/asio/local/stream_protocol.hpp>

#include "session_world.hpp"

namespace vsim::net::test {
namespace {

using boost::asio::local::stream_protocol;

struct UnixListener {
  explicit UnixListener(boost::asio::io_context& io) : acceptor(io) {
    char name[] = "/tmp/vsim-upstream-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    dir = name;
    acceptor.open();
    acceptor.bind(stream_protocol::endpoint(dir + "/s"));
    acceptor.listen(1);
  }
  ~UnixListener() {
    ::unlink((dir + "/s").c_str());
    ::rmdir(dir.c_str());
  }
  stream_protocol::acceptor acceptor;
  std::string dir;
};

TEST_CASE("UpstreamPool: a unix socket whose backlog is full is waited for, not taken for a connection") {
  boost::asio::io_context io{1};
  Timeouts timeouts(io);
  UnixListener listener(io);
  UpstreamPool pool(io, timeouts, {listener.acceptor.local_endpoint()});
  constexpr int kMany = 20;
  int connected = 0, refused = 0;
  std::vector<std::unique_ptr<Upstream>> upstreams;
  std::vector<std::shared_ptr<UpstreamPool::Attempt>> attempts;
  for (int i = 0; i < kMany; ++i)
    attempts.push_back(pool.connect([&](ErrorCode error, std::unique_ptr<Upstream> upstream) {
      ++(error ? refused : connected);
      upstreams.push_back(std::move(upstream));
    }));
  const auto end = std::chrono::steady_clock::now() + kDeadline;
  io.poll();
  CHECK(connected < kMany);  // nobody accepts yet
  CHECK(refused == 0);
  std::vector<stream_protocol::socket> accepted;
  std::function<void()> accept = [&] {
    listener.acceptor.async_accept([&](boost::system::error_code error, stream_protocol::socket socket) {
      REQUIRE(!error);
      accepted.push_back(std::move(socket));
      accept();
    });
  };
  accept();
  while ((connected + refused < kMany || accepted.size() < kMany) && std::chrono::steady_clock::now() < end)
    io.run_one_until(end);
  CHECK(connected == kMany);
  CHECK(refused == 0);
  CHECK(accepted.size() == kMany);
  timeouts.stop();
}

TEST_CASE("UpstreamPool: an attempt whose handle is dropped says nothing more") {
  boost::asio::io_context io{1};
  Timeouts timeouts(io);
  UnixListener listener(io);
  UpstreamPool pool(io, timeouts, {listener.acceptor.local_endpoint()});
  bool told = false;
  auto attempt = pool.connect([&](ErrorCode, std::unique_ptr<Upstream>) { told = true; });
  attempt.reset();
  io.poll();
  CHECK_FALSE(told);
  timeouts.stop();
}

TEST_CASE("UpstreamPool: an idle connection that speaks or ends is not handed out again") {
  World w;
  const auto c = w.reading_client(get("/a"));
  const auto o = w.origin(0, "GET /a");
  o->write(ok("one"));
  REQUIRE(w.until([&] { return c->in.ends_with("one"); }));
  o->write("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged");
  REQUIRE(w.until([&] { return o->eof || o->broken; }));  // the pool let it go
  c->write(get("/b"));
  w.origin(1, "GET /b")->write(ok("two"));
  REQUIRE(w.until([&] { return c->in.ends_with("two"); }));
  CHECK(c->in.find("forged") == std::string::npos);
}

}  // namespace
}  // namespace vsim::net::test
