#include "net/session.hpp"

#include <boost/asio/error.hpp>
#include <cerrno>
#include <charconv>
#include <utility>

#include "base/text.hpp"
#include "net/server.hpp"

namespace vsim::net {
namespace {

// Shared by all sessions of the thread: a head that is there whole is parsed and forwarded within one call.
http1::RequestParser& shared_parser() {
  static thread_local http1::RequestParser parser;
  return parser;
}
std::string& head_text() {
  static thread_local std::string text;
  text.clear();
  return text;
}

}  // namespace

Session::Session(Server& server, ConnectionPtr client, std::string address)
    : server_(server), client_(std::move(client)), address_(std::move(address)) {}

Session::~Session() = default;

void Session::start() {
  client_->set_owner(this);
  server_.timeouts().set(*this, Wait::head);
  client_->start_reading();
}

void Session::on_input(Connection& connection) {
  const SessionPtr self(this);
  if (state_ == State::over) return;
  if (state_ == State::tunnel) return relay_tunnel(connection);
  if (!is_client(connection)) {
    if (response_at_ == ResponseAt::head) return read_response_head();
    if (response_at_ == ResponseAt::body) return pump_response({});
    if (response_at_ == ResponseAt::collect) return collect_dispatch();
    return;
  }
  switch (state_) {
    case State::head:
      return read_head();
    case State::exchange:
      if (!request_.done()) {
        if (held_) return feed_held();
        if (upstream_ && !upstream_->connection().blocked()) return pump_request({});
        return;  // what is there waits until the app takes more
      }
      client_
          ->start_reading();  // pipelined, or early bytes of a tunnel: kept in the buffer, served in its turn
      return;
    case State::feed:
    case State::dropped:
    case State::closing:
      client_->consume(client_->input().size());
      client_->start_reading();
      return;
    default:
      return;
  }
}

void Session::read_head() {
  reading_heads_ =
      true;  // an answer given inside handle() comes back to this loop, however many are pipelined
  while (state_ == State::head && read_one_head()) {
  }
  reading_heads_ = false;
}

// False: wait for more.
bool Session::read_one_head() {
  const std::string_view input = client_->input();
  if (input.empty()) {
    if (client_->input_ended()) return finish(), false;
    if (waiting() != Wait::head) server_.timeouts().set(*this, Wait::keep_alive);
    client_->start_reading();
    return false;
  }
  http1::RequestParser& parser = partial_head_ ? *partial_head_ : shared_parser();
  if (!partial_head_) parser.reset();
  const auto parsed = parser.parse(input);
  if (parsed == http1::ParseState::error)
    return refuse_head(parser.head(), parser.error(), parser.reason()), false;
  if (parsed == http1::ParseState::need_more) {
    if (client_->input_ended()) return finish(), false;
    if (!partial_head_) {
      partial_head_ = std::make_unique<http1::RequestParser>();
      partial_head_->parse(input);
      server_.timeouts().set(*this, Wait::head);  // once: a slow client does not renew it byte by byte
    }
    if (!client_->grow_input(kMaxHeadBuffer))
      return refuse_head(parser.head(), http1::HeadError::head_too_large, "head too large"), false;
    client_->start_reading();
    return false;
  }
  const auto keep = std::move(partial_head_);  // the head's views live in it
  handle(parser.head());
  return true;
}

void Session::refuse_head(const http1::RequestHead& head, http1::HeadError error, std::string_view reason) {
  keep_alive_ = false;
  head_method_ = false;
  const std::string response =
      server_.edge().on_malformed(head, error, reason, {address_, client_->stream().tls()});
  say(response);
  close_gently();
}

void Session::handle(const http1::RequestHead& head) {
  server_.timeouts().set(*this, Wait::none);
  minor_ = head.minor;
  const bool last = client_->input_ended() && client_->input().size() == head.size;
  keep_alive_ = head.keep_alive && !last && !server_.stopping();
  head_method_ = head.head_method;
  accept_.assign(head.accept);
  host_.assign(head.host);
  request_.start(head.body, head.body.kind == http1::BodyKind::chunked);
  response_.start({}, false);  // or totals() would count the one before
  head_forwarded_ = false;
  exchange_ = 0;

  long max_forwards = -1;
  if (head.method == "OPTIONS" || head.method == "TRACE") {
    for (const auto& h : head.headers) {
      if (h.field != http1::Field::max_forwards) continue;
      long n = 0;
      const auto [end, error] = std::from_chars(h.value.data(), h.value.data() + h.value.size(), n);
      if (error == std::errc() && end == h.value.data() + h.value.size() && n >= 0) max_forwards = n - 1;
      if (n == 0 && max_forwards == -1 &&
          head.method == "OPTIONS") {  // RFC 9110 7.6.2: the last recipient answers
        const std::size_t size = head.size;
        std::string& text = head_text();
        text.append(
                "HTTP/1.1 204 No Content\r\nAllow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\nDate: ")
            .append(http_date());
        say(text.append(keep_alive_ ? "\r\n\r\n" : "\r\nConnection: close\r\n\r\n"));
        client_->consume(size);
        if (!may_keep_alive()) return close_gently();
        return next_request();
      }
      break;
    }
  }
  // TRACE would echo what the edge adds, and Vercel has no such method.
  if (head.method == "TRACE") return refuse_head(head, http1::HeadError::method, "TRACE is not supported");

  RequestDecision decision;
  server_.edge().on_request(*this, head, {address_, client_->stream().tls()}, decision);
  switch (decision.kind) {
    case RequestDecision::Kind::forward:
      return forward(head, decision, max_forwards);
    case RequestDecision::Kind::answer:
      client_->consume(head.size);
      say(decision.response);
      if (!may_keep_alive()) return close_gently();
      return next_request();
    case RequestDecision::Kind::feed:
      client_->consume(head.size);
      state_ = State::feed;
      feed_ = decision.feed;
      say(decision.response);
      client_->start_reading();  // to hear of its end
      if (takes_more()) feed_->on_taken(*this);
      return;
    case RequestDecision::Kind::drop:
      client_->consume(head.size);
      exchange_ = decision.id;
      state_ = State::dropped;
      client_->start_reading();
      return;
  }
}

void Session::forward(const http1::RequestHead& head, const RequestDecision& decision, long max_forwards) {
  state_ = State::exchange;
  exchange_ = decision.id;
  body_limit_ = decision.body_limit;
  want_tunnel_ = decision.tunnel;
  pool_ = decision.pool;
  copy_ = decision.copy;
  request_.copy_to(copy_.get());
  client_left_ = upstream_deaf_ = false;
  tunnel_in_ = tunnel_out_ = 0;
  response_at_ = ResponseAt::head;
  interim_ = 0;
  std::string& text = head_text();
  append_request_head(text, head, decision, max_forwards);
  client_->consume(head.size);
  if (decision.hold_body) return hold(head, text);
  if (auto idle = pool_->take_idle()) {
    attach(std::move(idle));
    pump_request(text);
  } else {
    first_bytes_ = text;
    connect(*pool_);
  }
  if (state_ == State::exchange) client_->start_reading();
}

void Session::connect(UpstreamPool& pool) {
  attempt_ = pool.connect([this](ErrorCode error, std::unique_ptr<Upstream> upstream) {
    const SessionPtr self(this);
    const auto keep = std::move(attempt_);
    if (error)
      return upstream_failed(error.value() == EMFILE || error.value() == ENFILE
                                 ? UpstreamFailure::no_descriptor
                                 : UpstreamFailure::refused);
    attach(std::move(upstream));
    const std::string text = std::move(first_bytes_);
    first_bytes_.clear();
    if (held_) return send_held(text);
    pump_request(text);
  });
}

void Session::attach(std::unique_ptr<Upstream> upstream) {
  upstream_ = std::move(upstream);
  upstream_reusable_ = false;
  upstream_->connection().set_owner(this);
  upstream_->connection().start_reading();
}

// The first bytes to the app. A pooled connection that died meanwhile took none of them: the request goes to
// a fresh one, once.
void Session::send_first(Pieces& pieces) {
  Connection& app = upstream_->connection();
  app.write(pieces.data(), pieces.size());
  if (!app.output_broken() || !upstream_->used_before()) return;
  for (int i = 0; i < pieces.size(); ++i)
    first_bytes_.append(static_cast<const char*>(pieces.data()[i].iov_base), pieces.data()[i].iov_len);
  upstream_.reset();
  pool_->close_idle();
  connect(*pool_);
}

void Session::send_to_app(Pieces& pieces, bool first) {
  if (held_) held_->keep(pieces);
  if (upstream_deaf_ || pieces.empty()) return;
  if (first)
    send_first(pieces);
  else
    upstream_->connection().write(pieces.data(), pieces.size());
}

void Session::pump_request(std::string_view prefix) {
  bool first = !prefix.empty();
  do {
    Pieces pieces;
    pieces.add(prefix);
    prefix = {};
    std::string_view data;
    if (!request_.done() && !client_->input().empty()) {
      data = client_->take_bulk();
      for (;;) {
        std::size_t consumed = 0;
        const auto state = request_.relay(data, pieces, consumed);
        data.remove_prefix(consumed);
        if (state == BodyRelay::State::error) return bad_request_body();
        if (state == BodyRelay::State::done || !pieces.full()) break;
        send_to_app(pieces, first);
        first = false;
        pieces.clear();
        if (!upstream_) return client_->unread(data);  // reconnecting: the rest waits in the client's buffer
      }
      client_->unread(data);  // first: what follows the body is the next request, whoever answers this one
      if (request_.bytes() > body_limit_) {
        body_limit_ = UINT64_MAX;
        const std::string response = server_.edge().on_body_over(*this, exchange_);
        if (!response.empty()) return answer(response);
      }
    }
    send_to_app(pieces, first);
    first = false;
    if (!upstream_) return;  // reconnecting
    if (request_.done()) break;
    if (client_->input_ended() && client_->input().empty()) return client_gone();
    if (upstream_->connection().blocked() && !upstream_deaf_) {
      if (waiting() == Wait::body) server_.timeouts().set(*this, Wait::none);
      return;
    }
  } while (!client_->input().empty());
  if (!request_.done())
    server_.timeouts().set(*this, Wait::body);
  else if (waiting() == Wait::body)
    server_.timeouts().set(*this, Wait::none);
  client_->start_reading();
}

// What the app has is not a whole request and never will be: both sides end.
void Session::bad_request_body() {
  const bool answerable = !head_forwarded_;
  server_.edge().on_client_left(exchange_);
  end_exchange();
  if (answerable) return refuse_head({}, http1::HeadError::bad_request, "malformed chunked body");
  client_->abort();
  finish();
}

void Session::on_input_end(Connection& connection, ErrorCode error) {
  const SessionPtr self(this);
  if (state_ == State::over) return;
  if (!is_client(connection)) {
    if (state_ == State::tunnel) {
      if (error != asio::error::eof) return finish();
      return relay_tunnel(connection);
    }
    if (response_at_ == ResponseAt::head || response_at_ == ResponseAt::collect)
      return upstream_failed(UpstreamFailure::reset);
    if (response_at_ == ResponseAt::body) {
      if (error == asio::error::eof) {
        Pieces tail;
        if (response_.sender_closed(tail) == BodyRelay::State::done) {
          if (!client_left_) client_->write(tail.data(), tail.size());
          return response_done();
        }
      }
      return upstream_failed(UpstreamFailure::truncated);
    }
    return;
  }
  const bool half_close = error == asio::error::eof;
  switch (state_) {
    case State::head:
      return finish();
    case State::exchange:
      // RFC 9112 9.6: a client may close its direction and still read the answer.
      if (half_close && (request_.done() || !connection.input().empty()) && !never_whole()) {
        if (!request_.done() || connection.input().empty() || want_tunnel_) {
          client_half_closed_ = true;
          keep_alive_ = false;
          if (request_.done() && !want_tunnel_ && server_.edge().on_client_half_closed(exchange_))
            return client_gone();
        }  // else pipelined requests wait: they are served before the end
        if (held_) return feed_held();
        if (!request_.done() && upstream_ && !upstream_->connection().blocked()) pump_request({});
        return;
      }
      return client_gone();
    case State::tunnel:
      if (!half_close) return finish();
      return relay_tunnel(connection);
    case State::feed:
    case State::dropped:
      return finish();
    case State::flushing:
      client_half_closed_ = half_close;
      if (!half_close) finish();
      return;
    case State::closing:
      if (!half_close || !connection.blocked()) finish();
      return;
    case State::over:
      return;
  }
}

void Session::client_gone() {
  if (client_left_) return;
  client_left_ = true;
  client_->close();
  server_.timeouts().set(*this, Wait::none);
  const bool keep = server_.edge().on_client_left(exchange_);
  // A request that will never be whole cannot be run to its end.
  if (!keep || !request_.done()) return finish();
  if (upstream_ && response_at_ == ResponseAt::body) pump_response({});
  if (upstream_ && response_at_ == ResponseAt::head)
    read_response_head();  // it may have waited for the client
}

void Session::on_writable(Connection& connection) {
  const SessionPtr self(this);
  if (state_ == State::over) return;
  if (state_ == State::tunnel) {
    // The other side had to wait for this one.
    Connection& from = is_client(connection) ? upstream_->connection() : *client_;
    return relay_tunnel(from);
  }
  if (!is_client(connection)) {
    if (held_) return feed_held();
    if (!request_.done() && state_ == State::exchange) pump_request({});
    return;
  }
  if (state_ == State::feed) return feed_->on_taken(*this);
  if (waiting() == Wait::stalled) server_.timeouts().set(*this, Wait::none);
  if (state_ == State::exchange && response_at_ == ResponseAt::body) return pump_response({});
  if (state_ == State::exchange && response_at_ == ResponseAt::head && upstream_) return read_response_head();
  if (state_ == State::flushing) return next_request();
  if (state_ == State::closing && client_->input_ended()) return finish();
}

void Session::on_output_broken(Connection& connection) {
  const SessionPtr self(this);
  if (state_ == State::over) return;
  if (is_client(connection)) {
    if (state_ == State::exchange) return client_gone();
    return finish();
  }
  if (state_ == State::tunnel) return finish();
  // The app takes no more of the body; its answer may still come (RFC 9112 9.5). Read on and throw the rest
  // away.
  upstream_deaf_ = true;
  if (held_ && !held_->settled) return hold_input();  // unless its answer is a dispatch
  held_.reset();
  if (!request_.done() && state_ == State::exchange) pump_request({});
}

void Session::on_timeout(Wait wait) {
  const SessionPtr self(this);
  switch (wait) {
    case Wait::head:
      if (!client_->input().empty())
        say(head_text()
                .append("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\nDate: ")
                .append(http_date())
                .append("\r\n\r\n"));
      client_->finish_writing();
      return finish();
    case Wait::body:
    case Wait::stalled:
      return client_gone();
    default:
      return finish();
  }
}

void Session::end_feed() {
  feed_ = nullptr;
  close_gently();
}

void Session::say(std::string_view response) { client_->write(response); }

void Session::answer(std::string_view response) {
  const SessionPtr self(this);
  exchange_ = 0;
  attempt_.reset();
  release_upstream(false);
  response_at_ = ResponseAt::none;
  if (client_left_) return finish();
  say(response);
  if (!may_keep_alive()) return close_gently();
  next_request();
}

void Session::next_request() {
  response_at_ = ResponseAt::none;
  if (client_->blocked()) {
    state_ = State::flushing;
    server_.timeouts().set(*this, Wait::drain);
    return;
  }
  state_ = State::head;
  server_.timeouts().set(*this, Wait::keep_alive);
  if (!reading_heads_) read_head();  // else the loop of read_head() goes on by itself
}

// Ends our direction and waits for the client's, so that a reset does not destroy what it has not read yet
// (RFC 9112 9.6).
void Session::close_gently() {
  if (state_ == State::over) return;
  state_ = State::closing;
  partial_head_.reset();
  server_.timeouts().set(*this, Wait::drain);
  client_->finish_writing();
  client_->consume(client_->input().size());
  if (client_->input_ended() && !client_->blocked()) return finish();
  client_->start_reading();
}

void Session::finish() {
  if (state_ == State::over) return;
  const SessionPtr self(this);
  if (exchange_ != 0) end_exchange();  // every exchange is ended, whatever brought us here
  state_ = State::over;
  if (feed_ != nullptr) std::exchange(feed_, nullptr)->on_gone(*this);
  server_.timeouts().set(*this, Wait::none);
  client_->set_owner(nullptr);
  client_->close();
  attempt_.reset();
  upstream_.reset();
  server_.forget(*this);
}

void Session::shut() {
  if (state_ == State::over) return;
  finish();
}

}  // namespace vsim::net
