// Where the proxy meets the policy: turns each moment of a session into a call of the core, and what the core
// wants done to a client's connection into calls of its session. Also answers /_vercel-sim/. I/O thread only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/clock.hpp"
#include "app/core_loop.hpp"
#include "app/live.hpp"
#include "app/recorder.hpp"
#include "app/stream_watch.hpp"
#include "engine/door.hpp"
#include "engine/engine.hpp"
#include "engine/ticks.hpp"
#include "net/edge.hpp"
#include "net/session.hpp"
#include "net/upstream.hpp"

namespace vsim::app {

struct EdgeOptions {
  std::string token;       // of the agent; empty: none is loaded
  std::string region;      // first part of x-vercel-id
  std::uint16_t port = 0;  // public
  bool https = false;
  profile::StreamCut stream_cut = profile::StreamCut::abrupt;
  int websocket_close_code = 1006;
  engine::Door door;  // who may come in
};

class Edge final : public net::EdgePolicy, private CoreLoop::Requests, private OnClock {
 public:
  // `loop` must outlive the edge.
  Edge(boost::asio::io_context& io, CoreLoop& loop, EdgeOptions options);
  ~Edge();

  // Where requests go; null while the app is not ready (they get 503).
  void set_upstream(net::UpstreamPool* pool) { pool_ = pool; }
  // How streams and sockets that are cut from now on end.
  void set_cuts(profile::StreamCut stream, int close_code) {
    options_.stream_cut = stream;
    options_.websocket_close_code = close_code;
  }
  void set_port(std::uint16_t port) { options_.port = port; }
  bool ready() const { return pool_ != nullptr; }
  // Whole requests are kept by it; null: nobody records. Outlives the edge's last call.
  void set_recorder(Recorder* recorder) { recorder_ = recorder; }
  // The page at /_vercel-sim/; null: there is none. Outlives the edge's last call.
  void set_live(Live* live) { live_ = live; }
  // When bytes pass on what is open is looked at from now on, whether a page is open or not.
  void watch_streams() {
    watches_streams_ = true;
    watch_.start();
  }
  // Where the sockets of the run stand: it is said once that somebody has removed them.
  void set_sockets(std::string directory) { sockets_ = std::move(directory); }
  // The run ends: what is open now and closed after this was broken off by it.
  void stopping();
  void stop();

  // net::EdgePolicy
  void on_request(net::Session&, const net::http1::RequestHead&, const net::ClientInfo&,
                  net::RequestDecision&) override;
  std::string on_malformed(const net::http1::RequestHead&, net::http1::HeadError, std::string_view reason,
                           const net::ClientInfo&) override;
  void on_response_head(net::Session&, net::ExchangeId, const net::http1::ResponseHead&,
                        net::ResponseDecision&) override;
  void on_dispatch(net::Session&, net::ExchangeId, std::string_view text) override;
  std::string on_body_over(net::Session&, net::ExchangeId) override;
  bool on_client_left(net::ExchangeId) override;
  bool on_client_half_closed(net::ExchangeId) override;
  net::FailureDecision on_upstream_failed(net::Session&, net::ExchangeId, UpstreamFailure,
                                          ExchangeTotals) override;
  void on_no_descriptor() override;
  void on_end(net::ExchangeId, ExchangeTotals) override;
  bool https() const override { return options_.https; }

 private:
  // CoreLoop::Requests
  void end(const core::EndExchange&) override;
  void send(InvocationId, const Placed&) override;
  void not_there(InvocationId) override;
  ExchangeTotals totals(InvocationId) const override;

  // What it takes to carry out what is decided of a request; where that is, core/ knows.
  struct Exchange {
    net::Session* session = nullptr;
    RequestTag tag;
    bool internal = false;
    bool for_sockets = false;  // an upgrade, or `EIO=` in its target
    // With a fleet:
    std::string asked;                     // by next dev, for middleware: what names the question there
    std::string page, skip;                // where it is, and the pages that have passed it on
    std::string head;                      // for the instance, until it is placed
    std::string secret;                    // of the instance
    std::unique_ptr<engine::Ticks> ticks;  // of what is open for a while, if somebody looks
    bool untold = false;                   // pages do not know the last of them
  };
  bool isolated(const Exchange& exchange) const { return loop_.core().isolates() && !exchange.internal; }
  void dispatch(net::Session&, net::ExchangeId, Exchange&, std::string_view text);
  void pass_on(net::Session&, net::ExchangeId, Exchange&);
  void add_headers(const net::http1::RequestHead&, const net::ClientInfo&, const Exchange&,
                   net::RequestDecision&);
  bool is_word_of_app(net::ExchangeId, Exchange&, const net::http1::ResponseHead&);
  void read_meta(net::ExchangeId, const Exchange&, const net::http1::ResponseHead&, engine::ResponseInfo&,
                 TimePoint at);
  void unexpected(net::Session&, net::ExchangeId, net::ResponseDecision&);
  void forget(net::ExchangeId);
  // Its connection is of no use, and it waits for our word.
  void fail(net::ExchangeId, UpstreamFailure, const ExchangeTotals&);
  // Whether a page of another site asks; then `decision` has the answer.
  bool turned_away(net::Session&, const net::http1::RequestHead&, net::RequestDecision&);
  void own_page(net::Session&, const net::http1::RequestHead&, const net::ClientInfo&, net::RequestDecision&);
  void look_at_streams(TimePoint at, unsigned watch);
  void tell_pages(TimePoint at);
  void tell_ticks(net::ExchangeId, const engine::Ticks&);
  // error_text for an exchange, whose story has it too.
  std::string answer_text(net::ExchangeId, const net::Session&, const Exchange&, limits::Code);
  // `session` is null for a head that could not be read.
  std::string error_text(const net::Session* session, limits::Code, int status, std::string_view tag,
                         bool keep_alive, bool head_only = false);
  Exchange* find(net::ExchangeId);
  const Exchange* find(net::ExchangeId) const;

  CoreLoop& loop_;
  engine::Engine& engine_;
  EdgeOptions options_;
  net::UpstreamPool* pool_ = nullptr;
  Recorder* recorder_ = nullptr;
  Live* live_ = nullptr;
  boost::unordered_flat_map<std::uint64_t, Exchange> exchanges_;
  std::string extra_, response_extra_, origin_;
  void tell_lost_sockets();
  std::string sockets_;
  bool stopping_ = false, stopped_ = false, told_descriptors_ = false, watches_streams_ = false;
  StreamWatch watch_;
  net::ExchangeId told_until_ = 0;  // of the pages, where not all could be told at once
};

}  // namespace vsim::app
