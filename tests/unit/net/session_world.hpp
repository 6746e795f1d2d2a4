// Shared by the tests of Session: a server with a scripted edge, raw clients and a raw origin, all on one
// event loop with a deadline.
#pragma once

#include <boost/asio.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "net/server.hpp"

namespace vsim::net::test {

using namespace std::chrono_literals;
using boost::asio::ip::tcp;
// Long enough for a loaded machine under sanitizers; only a failing test waits for it.
inline constexpr auto kDeadline = 20s;

// Answers as told; writes down every end.
class ScriptedEdge final : public EdgePolicy {
 public:
  UpstreamPool* pool = nullptr;
  bool tunnel = false, keep_running = true;
  std::uint64_t body_limit = UINT64_MAX;
  std::string over;                             // the answer to a body that is too long
  std::map<ExchangeId, Session*> open;          // exchanges that have not ended
  std::map<ExchangeId, ExchangeTotals> ended;   // by on_end
  std::map<ExchangeId, ExchangeTotals> failed;  // by on_upstream_failed
  std::vector<std::string> targets;
  int left = 0, half_closed = 0;
  bool half_close_is_leaving = false;
  // Requests that may be dispatched: a response with x-vsim-dispatch or x-vsim-again is one.
  bool hold = false, wait = false;
  std::string extra;
  std::vector<std::string> dispatches;
  std::vector<UpstreamFailure> failures;
  std::function<void(Session&, std::string_view text)> then;  // what to do with a dispatch; else it waits

  void on_request(Session& s, const http1::RequestHead& head, const ClientInfo&,
                  RequestDecision& d) override {
    targets.emplace_back(head.target);
    d.kind = RequestDecision::Kind::forward;
    d.id = ++last_;
    d.pool = pool;
    d.tunnel = tunnel && head.websocket;
    d.body_limit = body_limit;
    d.hold_body = hold;
    d.extra = extra;
    if (head.target == "/drop") d.kind = RequestDecision::Kind::drop;
    open[d.id] = &s;
  }
  std::string on_malformed(const http1::RequestHead&, http1::HeadError, std::string_view,
                           const ClientInfo&) override {
    return "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
  }
  void on_response_head(Session&, ExchangeId, const http1::ResponseHead& head, ResponseDecision& d) override {
    for (const auto& h : head.headers) d.dispatch |= hold && h.field == http1::Field::x_vsim;
  }
  void on_dispatch(Session& s, ExchangeId id, std::string_view text) override {
    REQUIRE(open.contains(id));
    dispatches.emplace_back(text);
    if (then) then(s, text);
  }
  std::string on_body_over(Session&, ExchangeId id) override {
    if (!over.empty()) end(id);
    return over;
  }
  bool on_client_left(ExchangeId id) override {
    REQUIRE(open.contains(id));
    ++left;
    return keep_running;
  }
  bool on_client_half_closed(ExchangeId id) override {
    REQUIRE(open.contains(id));
    ++half_closed;
    return half_close_is_leaving;
  }
  FailureDecision on_upstream_failed(Session&, ExchangeId id, UpstreamFailure why,
                                     ExchangeTotals t) override {
    failures.push_back(why);
    if (wait) return {FailureDecision::Kind::wait, {}};
    failed[id] = t;
    end(id);
    return {.response = "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"};
  }
  void on_end(ExchangeId id, ExchangeTotals t) override {
    ended[id] = t;
    end(id);
  }
  bool https() const override { return false; }
  void end(ExchangeId id) { REQUIRE(open.erase(id) == 1); }

 private:
  ExchangeId last_ = 0;
};

// A raw socket that collects what it gets, as long as it reads.
template <class Protocol>
struct Peer : std::enable_shared_from_this<Peer<Protocol>> {
  explicit Peer(typename Protocol::socket s) : socket(std::move(s)) {}
  typename Protocol::socket socket;
  std::string in;
  bool eof = false, broken = false;
  std::array<char, 64 * 1024> buffer;

  void read() {
    socket.async_read_some(boost::asio::buffer(buffer),
                           [self = this->shared_from_this()](boost::system::error_code error, std::size_t n) {
                             if (error == boost::asio::error::operation_aborted) return;
                             if (error == boost::asio::error::eof)
                               self->eof = true;
                             else if (error)
                               self->broken = true;
                             if (error) return;
                             self->in.append(self->buffer.data(), n);
                             self->read();
                           });
  }
  // Without blocking the loop that the other side runs on.
  void write(std::string text, bool then_half_close = false) {
    auto keep = std::make_shared<std::string>(std::move(text));
    boost::asio::async_write(
        socket, boost::asio::buffer(*keep),
        [keep, then_half_close, self = this->shared_from_this()](boost::system::error_code error, auto) {
          if (!error && then_half_close) self->half_close();
        });
  }
  void half_close() {
    boost::system::error_code ignored;
    socket.shutdown(Protocol::socket::shutdown_send, ignored);
  }
  void reset() {
    socket.set_option(boost::asio::socket_base::linger(true, 0));
    socket.close();
  }
};
using TcpPeer = std::shared_ptr<Peer<tcp>>;

struct World {
  boost::asio::io_context io{1};
  ScriptedEdge edge;
  std::unique_ptr<Server> server = std::make_unique<Server>(io, edge);
  tcp::acceptor acceptor{io, tcp::endpoint(boost::asio::ip::make_address("127.0.0.1"), 0)};
  std::unique_ptr<UpstreamPool> pool;
  std::deque<TcpPeer> origins;  // connections the origin got, in order
  std::uint16_t port = 0;

  World() {
    pool = std::make_unique<UpstreamPool>(io, server->timeouts(),
                                          std::vector<UpstreamPool::Endpoint>{acceptor.local_endpoint()});
    edge.pool = pool.get();
    const auto bound = server->listen({"127.0.0.1"}, 0);
    REQUIRE(bound);
    port = *bound;
    server->start();
    accept();
  }
  ~World() { server.reset(); }

  template <class F>
  bool until(F done) {
    const auto end = std::chrono::steady_clock::now() + kDeadline;
    while (!done()) {
      if (std::chrono::steady_clock::now() >= end) return false;
      if (io.stopped()) io.restart();
      io.run_one_until(end);
    }
    return true;
  }
  // Until the client's unread bytes hold everything up: nothing is ready to run for a while.
  void until_blocked(ExchangeId id) {
    REQUIRE(until([&] { return edge.open.at(id)->totals().bytes_out > 1000000; }));
    while (io.run_one_for(100ms) > 0) {
    }
    if (io.stopped()) io.restart();
  }
  TcpPeer client(std::string text = {}) {
    auto peer = std::make_shared<Peer<tcp>>(tcp::socket(io));
    peer->socket.connect(tcp::endpoint(boost::asio::ip::make_address("127.0.0.1"), port));
    if (!text.empty()) peer->write(std::move(text));
    return peer;
  }
  TcpPeer reading_client(std::string text) {
    auto peer = client(std::move(text));
    peer->read();
    return peer;
  }
  // The n-th connection to the origin, with at least `text` in what it got.
  TcpPeer origin(std::size_t n, std::string_view text) {
    if (!until([&] { return origins.size() > n && origins[n]->in.find(text) != std::string::npos; }))
      FAIL("the origin never got \"" << text << "\"");
    return origins[n];
  }

 private:
  void accept() {
    acceptor.async_accept([this](boost::system::error_code error, tcp::socket socket) {
      if (error) return;
      origins.push_back(std::make_shared<Peer<tcp>>(std::move(socket)));
      origins.back()->read();
      accept();
    });
  }
};

inline std::string get(const std::string& target) {
  return "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
}
inline const std::string kUpgrade =
    "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
inline const std::string kSwitching =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
inline std::string ok(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace vsim::net::test
