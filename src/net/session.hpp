// One client connection and the exchange it is in. Serves pipelined requests one after the other; pumps bytes
// with back-pressure in both directions; keeps an exchange alive after its client left. Decides nothing about
// limits: it asks the EdgePolicy. I/O thread only.
//
//   head ──► exchange: [connect] ─► request body ─┐            ┌► head (keep-alive)
//     ▲                           response head ──┴► body ─────┼► closing (linger, then close)
//     │                                └► tunnel (101) ────────┘
//     └──────── answered by the edge ◄──┘     dropped: never answered; feed: until the client leaves
//
// With RequestDecision::hold_body a response head may turn out to be a dispatch (session_dispatch.cpp):
//   response head ─► collect ─► waiting (no app) ─► send_to / resend: response head of another app
//                                  ▲                 └─ answer, cut: over
//                                  └─ an app failed and the edge wants to wait
#pragma once

#include <boost/intrusive/list.hpp>
#include <memory>
#include <string>

#include "net/body_relay.hpp"
#include "net/connection.hpp"
#include "net/edge.hpp"
#include "net/forward.hpp"
#include "net/held_request.hpp"
#include "net/timeouts.hpp"
#include "net/upstream.hpp"

namespace vsim::net {

class Server;

class Session final
    : public boost::intrusive_ref_counter<Session, boost::thread_unsafe_counter>,
      public boost::intrusive::list_base_hook<boost::intrusive::tag<Server>,
                                              boost::intrusive::link_mode<boost::intrusive::auto_unlink>>,
      private ConnectionOwner,
      private Waiter {
 public:
  Session(Server& server, ConnectionPtr client, std::string address);
  ~Session() override;
  void start();

  // Orders of the edge about the exchange under way. Each ends it without on_end.
  void answer(std::string_view response);      // no head was forwarded
  void cut(bool clean);                        // a head was forwarded
  void cut_tunnel(std::string_view farewell);  // bytes for the client first, may be empty
  // After on_dispatch, or after a failure that was answered with `wait` while no head was forwarded: the
  // request goes to an app of this pool. `head` is the whole request head but for the body's framing and the
  // empty line.
  void send_to(UpstreamPool& pool, std::string head);
  // The same, with the head that the first app got and further lines (each with CRLF) at its end.
  void resend(UpstreamPool& pool, std::string_view extra_lines);
  // The client has left: what on_client_left answers decides the rest.
  void client_gone();
  ExchangeTotals totals() const;
  // Of a feed: more of its body. Where the client does not take it, it waits here: wait for Feed::on_taken.
  void say_more(std::string_view text) { client_->write(text); }
  // The body of a feed is whole and taken: the connection ends.
  void end_feed();
  bool takes_more() const { return !client_->blocked() && !client_->output_broken(); }
  bool client_half_closed() const { return client_half_closed_; }
  bool head_forwarded() const { return head_forwarded_; }
  // The emulator ends: drop everything.
  void shut();

  // About the request under way, for the edge's answers.
  bool may_keep_alive() const { return keep_alive_ && request_.done() && !client_half_closed_; }
  bool head_method() const { return head_method_; }
  const std::string& accept() const { return accept_; }
  const std::string& host() const { return host_; }

 private:
  // A head may be longer than any platform limit, so that the platform's answer strikes and not ours.
  static constexpr std::size_t kMaxHeadBuffer = 160UL * 1024;
  static constexpr int kMostInterim = 64;  // 1xx before one answer
  enum class State : std::uint8_t { head, exchange, tunnel, feed, dropped, flushing, closing, over };
  enum class ResponseAt : std::uint8_t {
    none,
    head,
    body,
    collect,  // a dispatch's body
    waiting   // for the edge's word; no app
  };

  void on_input(Connection&) override;
  void on_input_end(Connection&, ErrorCode) override;
  void on_writable(Connection&) override;
  void on_output_broken(Connection&) override;
  void on_timeout(Wait) override;
  bool is_client(const Connection& c) const { return &c == client_.get(); }

  // session.cpp: the client's side
  void read_head();
  bool read_one_head();
  void handle(const http1::RequestHead&);
  void refuse_head(const http1::RequestHead&, http1::HeadError, std::string_view reason);
  void forward(const http1::RequestHead&, const RequestDecision&, long max_forwards);
  void connect(UpstreamPool& pool);
  void attach(std::unique_ptr<Upstream>);
  void send_first(Pieces&);
  void send_to_app(Pieces&, bool first);
  void bad_request_body();
  void pump_request(std::string_view prefix);
  void next_request();
  void close_gently();
  void finish();
  void say(std::string_view response);

  // session_response.cpp: the app's side
  void read_response_head();
  void begin_response(const http1::ResponseHead&);
  void pump_response(std::string_view prefix);
  void response_done();
  void upstream_failed(UpstreamFailure);
  void start_tunnel();
  void relay_tunnel(Connection& from);
  void end_exchange();
  void drop_upstream(bool reusable);
  void release_upstream(bool reusable);

  // session_dispatch.cpp: requests that may be dispatched
  void hold(const http1::RequestHead&, std::string_view text);
  void send_again(UpstreamPool&, std::string_view text);
  void send_held(std::string_view head);
  void feed_held();
  void hold_input();
  void body_wanted();
  bool never_whole() const;
  bool settle_held();
  void begin_dispatch(const http1::ResponseHead&);
  void collect_dispatch();
  void wait_for_edge();

  Server& server_;
  ConnectionPtr client_;
  std::shared_ptr<UpstreamPool> pool_keep_;  // of an instance, which may end before its last response does
  std::unique_ptr<Upstream> upstream_;
  std::shared_ptr<UpstreamPool::Attempt> attempt_;
  UpstreamPool* pool_ = nullptr;
  std::unique_ptr<http1::RequestParser> partial_head_;  // only while a head arrives in pieces
  std::unique_ptr<http1::ResponseParser> partial_response_;
  std::shared_ptr<BodyCopy> copy_;     // what request_ keeps of a body that is recorded
  std::unique_ptr<HeldRequest> held_;  // until an answer for the client begins
  Feed* feed_ = nullptr;               // in State::feed
  BodyRelay request_, response_;
  ExchangeId exchange_ = 0;
  std::uint64_t body_limit_ = UINT64_MAX;
  std::string address_, accept_, host_;
  std::string first_bytes_;  // what the app gets once connected
  State state_ = State::head;
  ResponseAt response_at_ = ResponseAt::none;
  ClientFraming framing_ = ClientFraming::none;
  int minor_ = 1;
  int interim_ = 0;  // 1xx answers passed on in this exchange
  bool keep_alive_ = true, head_method_ = false, want_tunnel_ = false;
  bool reading_heads_ = false;  // read_head() is on the stack
  bool client_left_ = false, client_half_closed_ = false;
  bool head_forwarded_ = false, upstream_deaf_ = false, upstream_reusable_ = false;
  std::uint64_t tunnel_in_ = 0, tunnel_out_ = 0;
};

using SessionPtr = boost::intrusive_ptr<Session>;

}  // namespace vsim::net
