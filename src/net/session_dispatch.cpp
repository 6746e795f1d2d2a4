// Requests that the app may hand back with a dispatch, to be sent to another app. The body stays with the
// client until an app says 100 (Continue) or the request is sent on: a route step that does not read it never
// gets it.
#include <cassert>

#include "net/server.hpp"
#include "net/session.hpp"

namespace vsim::net {
namespace {

constexpr std::size_t kReplay = 128UL * 1024;  // of the kept body at a time: the app's pace decides
constexpr std::size_t kSmall = 16UL * 1024;    // goes out together with the head

}  // namespace

void Session::hold(const http1::RequestHead& head, std::string_view text) {
  const SessionPtr self(this);
  held_ = std::make_unique<HeldRequest>();
  held_->framing = head.body;
  held_->client_waits = head.expect_continue;
  held_->head = text.substr(0, text.size() - 2);
  send_again(*pool_, text);
}

void Session::send_to(UpstreamPool& pool, std::string head) {
  assert(response_at_ == ResponseAt::waiting && held_ && !head_forwarded_);
  const SessionPtr self(this);
  HeldRequest& h = *held_;
  append_framing(head, h.framing);
  head += "\r\n";
  h.sent = 0;
  if (h.body.size() <= kSmall) {
    head += h.body;
    h.sent = h.body.size();
  }
  h.flowing = true;
  if (h.client_waits && !client_left_) client_->write("HTTP/1.1 100 Continue\r\n\r\n");
  h.client_waits = false;
  send_again(pool, head);
}

void Session::resend(UpstreamPool& pool, std::string_view extra_lines) {
  assert(response_at_ == ResponseAt::waiting && held_ && !head_forwarded_);
  const SessionPtr self(this);
  held_->sent = 0;
  held_->flowing = false;
  send_again(pool, held_->head + std::string(extra_lines) + "\r\n");
}

void Session::send_again(UpstreamPool& pool, std::string_view text) {
  pool_ = &pool;
  pool_keep_ = pool.weak_from_this().lock();
  response_at_ = ResponseAt::head;
  upstream_deaf_ = false;
  if (auto idle = pool.take_idle()) {
    attach(std::move(idle));
    return send_held(text);
  }
  first_bytes_ = text;
  connect(pool);
  hold_input();
}

void Session::send_held(std::string_view head) {
  Pieces pieces;
  pieces.add(head);
  send_first(pieces);
  feed_held();
}

// As much of the body as the app wants and takes: first what was kept, then what the client sends.
void Session::feed_held() {
  HeldRequest& h = *held_;
  if (!h.flowing || !upstream_ || upstream_deaf_) return hold_input();
  Connection& app = upstream_->connection();
  while (h.sent < h.body.size()) {
    if (app.blocked()) return;  // on_writable goes on
    const auto slice = std::string_view(h.body).substr(h.sent, kReplay);
    app.write(slice);
    h.sent += slice.size();
  }
  if (h.settled) held_.reset();
  if (request_.done()) {
    client_->start_reading();
  } else if (!app.blocked()) {
    pump_request({});
  }
}

// Nobody wants more of the body now; the client may still leave.
void Session::hold_input() {
  if (waiting() == Wait::body) server_.timeouts().set(*this, Wait::none);
  if (!request_.done()) client_->grow_input(HeldRequest::kMostInput);
  client_->start_reading();
}

// The app said 100 (Continue).
void Session::body_wanted() {
  HeldRequest& h = *held_;
  if (h.flowing) return;
  h.flowing = true;
  if (h.client_waits && !client_left_) client_->write("HTTP/1.1 100 Continue\r\n\r\n");
  h.client_waits = false;
  feed_held();
}

// The client ended its direction, and the withheld body is not all there.
bool Session::never_whole() const {
  return held_ && !request_.done() && held_->framing.kind == http1::BodyKind::length &&
         request_.bytes() + client_->input().size() < held_->framing.length;
}

// An answer for the client begins: no other app will get this request. False: the exchange ended in here.
bool Session::settle_held() {
  HeldRequest& h = *held_;
  if (h.flowing && !upstream_deaf_ && h.sent < h.body.size()) {
    h.settled = true;
    return true;
  }
  const bool unwanted = !request_.done() && (!h.flowing || upstream_deaf_);
  const bool drain = !h.client_waits;  // a client that still waits for a 100 may never send it
  held_.reset();
  if (!unwanted) return true;
  // Nobody reads it, so that no limit applies: what is here already is thrown away, and the rest as it comes.
  upstream_deaf_ = true;
  body_limit_ = UINT64_MAX;
  if (drain) pump_request({});
  return state_ == State::exchange && response_at_ == ResponseAt::head;
}

void Session::begin_dispatch(const http1::ResponseHead& head) {
  const http1::BodyFraming body = head.body;  // none for HEAD: the edge finds the dispatch in the head
  if (!held_ || held_->lost || head.status == 101 || body.kind == http1::BodyKind::until_close ||
      (body.kind == http1::BodyKind::length && body.length > HeldRequest::kMostDispatch))
    return upstream_failed(UpstreamFailure::garbage);
  Connection& app = upstream_->connection();
  // An app that did not get the whole request may take the next one for the rest of it. After an upgrade its
  // parser is gone.
  upstream_reusable_ = head.keep_alive && request_.done() && held_->sent == held_->body.size() &&
                       !app.blocked() && !upstream_deaf_ && !want_tunnel_;
  held_->flowing = false;
  held_->text.clear();
  response_.start(body, false);
  response_at_ = ResponseAt::collect;
  app.consume(head.size);
  hold_input();
  collect_dispatch();
}

void Session::collect_dispatch() {
  const SessionPtr self(this);
  Connection& app = upstream_->connection();
  while (!response_.done() && !app.input().empty()) {
    std::string_view data = app.take_bulk();
    for (bool more = true; more;) {
      Pieces pieces;
      std::size_t consumed = 0;
      const auto state = response_.relay(data, pieces, consumed);
      data.remove_prefix(consumed);
      for (int i = 0; i < pieces.size(); ++i)
        held_->text.append(static_cast<const char*>(pieces.data()[i].iov_base), pieces.data()[i].iov_len);
      if (state == BodyRelay::State::error || held_->text.size() > HeldRequest::kMostDispatch)
        return upstream_failed(UpstreamFailure::garbage);
      more = state == BodyRelay::State::more && pieces.full();
    }
    app.unread(data);
  }
  if (!response_.done()) return app.start_reading();
  response_.start({}, false);  // or totals() would count it
  const std::string text = std::move(held_->text);
  held_->text.clear();
  drop_upstream(upstream_reusable_);
  wait_for_edge();
  server_.edge().on_dispatch(*this, exchange_, text);
}

void Session::wait_for_edge() {
  response_at_ = ResponseAt::waiting;
  server_.timeouts().set(*this, Wait::none);
  if (held_) held_->flowing = false;
  if (!client_left_) hold_input();
}

}  // namespace vsim::net
