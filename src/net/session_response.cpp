// The app's side of an exchange: response heads, bodies, tunnels and failures.
#include <boost/asio/error.hpp>

#include "net/server.hpp"
#include "net/session.hpp"

namespace vsim::net {
namespace {

http1::ResponseParser& shared_parser() {
  static thread_local http1::ResponseParser parser;
  return parser;
}
std::string& head_text() {
  static thread_local std::string text;
  text.clear();
  return text;
}

}  // namespace

void Session::read_response_head() {
  Connection& app = upstream_->connection();
  for (;;) {
    if (app.input().empty()) {
      if (app.input_ended()) return upstream_failed(UpstreamFailure::reset);
      return app.start_reading();
    }
    http1::ResponseParser& parser = partial_response_ ? *partial_response_ : shared_parser();
    if (!partial_response_) parser.reset(head_method_);
    const auto parsed = parser.parse(app.input());
    if (parsed == http1::ParseState::error) return upstream_failed(UpstreamFailure::garbage);
    if (parsed == http1::ParseState::need_more) {
      if (app.input_ended()) return upstream_failed(UpstreamFailure::reset);
      if (!partial_response_) {
        partial_response_ = std::make_unique<http1::ResponseParser>();
        partial_response_->reset(head_method_);
        partial_response_->parse(app.input());
      }
      if (!app.grow_input(kMaxHeadBuffer)) return upstream_failed(UpstreamFailure::garbage);
      return app.start_reading();
    }
    const auto keep = std::move(partial_response_);
    const http1::ResponseHead& head = parser.head();
    if (head.status == 101) {
      if (!want_tunnel_) return upstream_failed(UpstreamFailure::garbage);  // nobody asked for it
      return begin_response(head);
    }
    if (head.status >= 200) return begin_response(head);
    if (held_ && head.status == 100) {
      app.consume(head.size);
      body_wanted();
      if (state_ != State::exchange || response_at_ != ResponseAt::head || !upstream_) return;
      continue;
    }
    // Interim: passed on at once, except to HTTP/1.0, which knows none (RFC 9110 15.2).
    // One answer has few of them: an app that floods is cut off before a client that reads slowly fills our
    // memory.
    if (++interim_ > kMostInterim) return upstream_failed(UpstreamFailure::garbage);
    if (minor_ > 0 && !client_left_) {
      std::string& text = head_text();
      append_interim_head(text, head);
      client_->write(text);
    }
    app.consume(head.size);
    if (!client_left_ && client_->blocked()) return;  // on_writable goes on
  }
}

void Session::begin_response(const http1::ResponseHead& head) {
  const SessionPtr self(this);
  ResponseDecision decision;
  server_.edge().on_response_head(*this, exchange_, head, decision);
  if (!decision.replace.empty()) return answer(decision.replace);
  if (decision.dispatch) return begin_dispatch(head);
  if (held_ && !settle_held()) return;
  if (head.status == 101 && client_left_) return finish();  // a tunnel to nobody

  ResponseForward how;
  how.client_minor = minor_;
  how.upgrade = head.status == 101;
  how.bodiless = (head_method_ || head.status == 304) && head.body.kind == http1::BodyKind::none;
  how.drop_server = decision.drop_server;
  how.extra = decision.extra;
  how.date = http_date();
  how.app_origin = pool_->origin();
  how.public_scheme = server_.edge().https() ? "https" : "http";
  how.public_host = host_;
  switch (head.body.kind) {
    case http1::BodyKind::none:
      how.framing = ClientFraming::none;
      break;
    case http1::BodyKind::length:
      how.framing = ClientFraming::length;
      break;
    default:
      how.framing = minor_ > 0 ? ClientFraming::chunked : ClientFraming::close;
  }
  // Only a request that is whole leaves a connection on which the next one can be found.
  if (how.framing == ClientFraming::close || !request_.done() || client_half_closed_ || server_.stopping())
    keep_alive_ = false;
  how.keep_alive = keep_alive_;
  framing_ = how.framing;
  upstream_reusable_ = head.keep_alive && head.body.kind != http1::BodyKind::until_close;
  response_.start(head.body, framing_ == ClientFraming::chunked);
  head_forwarded_ = true;
  response_at_ = ResponseAt::body;

  std::string& text = head_text();
  append_response_head(text, head, how);
  upstream_->connection().consume(head.size);
  if (how.upgrade) {
    client_->write(text);
    return start_tunnel();
  }
  pump_response(text);
}

void Session::pump_response(std::string_view prefix) {
  Connection& app = upstream_->connection();
  bool failed = false;
  do {
    Pieces pieces;
    pieces.add(prefix);
    prefix = {};
    if (!response_.done() && !app.input().empty()) {
      std::string_view data = app.take_bulk();
      for (;;) {
        std::size_t consumed = 0;
        const auto state = response_.relay(data, pieces, consumed);
        data.remove_prefix(consumed);
        failed = state == BodyRelay::State::error;
        if (failed || state == BodyRelay::State::done || !pieces.full()) break;
        if (!client_left_) client_->write(pieces.data(), pieces.size());
        pieces.clear();
      }
      app.unread(data);  // after the end: bytes nobody asked for, which make the connection unusable
    }
    if (!client_left_ && !pieces.empty()) client_->write(pieces.data(), pieces.size());
    if (failed) return upstream_failed(UpstreamFailure::truncated);
    if (response_.done()) return response_done();
    if (app.input_ended() && app.input().empty()) return;  // on_input_end tells the rest
    if (!client_left_ && client_->blocked()) {             // on_writable goes on
      if (waiting() == Wait::none) server_.timeouts().set(*this, Wait::stalled);
      return;
    }
  } while (!app.input().empty());
  app.start_reading();
}

void Session::response_done() {
  const SessionPtr self(this);
  const ExchangeId id = exchange_;
  exchange_ = 0;
  response_at_ = ResponseAt::none;
  // Whether it had only closed its direction, or was gone, is seen by what becomes of the answer.
  if (client_half_closed_ && !client_left_ && client_->peer_reset()) server_.edge().on_client_left(id);
  server_.edge().on_end(id, totals());
  release_upstream(upstream_reusable_ && request_.done() && !upstream_deaf_ && !held_);
  if (client_left_) return finish();
  if (!keep_alive_ || !request_.done()) return close_gently();
  next_request();
}

void Session::drop_upstream(bool reusable) {
  if (upstream_) {
    partial_response_.reset();
    if (reusable)
      pool_->give_back(std::move(upstream_));
    else
      pool_->retire(std::move(upstream_));
  }
  pool_keep_.reset();
}

void Session::release_upstream(bool reusable) {
  drop_upstream(reusable);
  held_.reset();
}

void Session::upstream_failed(UpstreamFailure failure) {
  const SessionPtr self(this);
  const ExchangeId id = exchange_;
  exchange_ = 0;
  if (response_at_ == ResponseAt::collect) response_.start({}, false);  // nothing of it was for the client
  const FailureDecision decision = server_.edge().on_upstream_failed(
      *this, id, head_forwarded_ ? UpstreamFailure::truncated : failure, totals());
  if (decision.kind == FailureDecision::Kind::wait) {
    exchange_ = id;
    drop_upstream(false);
    return wait_for_edge();
  }
  release_upstream(false);
  response_at_ = ResponseAt::none;
  if (client_left_) return finish();
  if (head_forwarded_) return cut(false);
  if (decision.response.empty()) return close_gently();
  answer(decision.response);
}

void Session::cut(bool clean) {
  const SessionPtr self(this);
  exchange_ = 0;
  response_at_ = ResponseAt::none;
  release_upstream(false);
  if (client_left_) return finish();
  if (clean && framing_ == ClientFraming::chunked) {
    client_->write("0\r\n\r\n");
    if (keep_alive_ && request_.done()) return next_request();
  } else if (!clean && framing_ == ClientFraming::close) {
    // Only a reset tells a close-delimited reader that this is not all.
    client_->abort();
    return finish();
  }
  close_gently();
}

void Session::start_tunnel() {
  state_ = State::tunnel;
  response_at_ = ResponseAt::none;
  relay_tunnel(upstream_->connection());
  if (state_ == State::tunnel) relay_tunnel(*client_);
}

void Session::relay_tunnel(Connection& from) {
  const bool from_client = is_client(from);
  Connection& to = from_client ? upstream_->connection() : *client_;
  while (!from.input().empty() && !to.blocked()) {
    const std::string_view data = from.take_bulk();
    (from_client ? tunnel_in_ : tunnel_out_) += data.size();
    to.write(data);
  }
  if (!from.input().empty()) return;  // on_writable goes on
  if (!from.input_ended()) {
    if (!to.blocked()) from.start_reading();
    return;
  }
  to.finish_writing();
  Connection& app = upstream_->connection();
  if (!client_->input_ended() || !app.input_ended()) return;
  // Both sides have ended their direction; what one of them has not taken yet is still delivered, in bounded
  // time.
  if (!client_->blocked() && !app.blocked()) return finish();
  if (waiting() == Wait::none) server_.timeouts().set(*this, Wait::drain);
}

void Session::cut_tunnel(std::string_view farewell) {
  const SessionPtr self(this);
  exchange_ = 0;
  release_upstream(false);
  if (client_left_) return finish();
  if (!farewell.empty() && state_ == State::tunnel) client_->write(farewell);
  close_gently();  // or a reset could overtake the farewell
}

ExchangeTotals Session::totals() const {
  return {request_.bytes() + tunnel_in_, response_.bytes() + tunnel_out_};
}

void Session::end_exchange() {
  const ExchangeId id = exchange_;
  exchange_ = 0;
  const ExchangeTotals so_far = totals();
  attempt_.reset();
  release_upstream(false);
  response_at_ = ResponseAt::none;
  if (id != 0) server_.edge().on_end(id, so_far);
}

}  // namespace vsim::net
