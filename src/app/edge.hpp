// Where the proxy meets the policy: turns each moment of a session into a call of the core, and the core's
// commands into calls of the session and the fleet. Also answers /_vercel-sim/. I/O thread only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "app/clock.hpp"
#include "app/fleet.hpp"
#include "app/live.hpp"
#include "app/recorder.hpp"
#include "app/stream_watch.hpp"
#include "base/in_order.hpp"
#include "core/core.hpp"
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

class Edge final : public net::EdgePolicy, public FleetOwner, private OnClock {
 public:
  // `engine` must outlive the edge.
  Edge(boost::asio::io_context& io, engine::Engine& engine, EdgeOptions options);
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
  // Functions run on its instances from now on; null: in the app itself. Outlives the edge's last call.
  void set_fleet(Fleet* fleet) { fleet_ = fleet; }
  // Whole requests are kept by it; null: nobody records. Outlives the edge's last call.
  void set_recorder(Recorder* recorder) { recorder_ = recorder; }
  // The page at /_vercel-sim/; null: there is none. Outlives the edge's last call.
  void set_live(Live* live) { live_ = live; }
  // When bytes pass on what is open is looked at from now on, whether a page is open or not.
  void watch_streams() {
    watches_streams_ = true;
    watch_.start();
  }
  // What the agent tells of a request.
  void dispatched(InvocationId, const engine::Dispatch&);
  void compile_started(InvocationId);
  void compile_ended(InvocationId);
  void handler_started(InvocationId);
  void code_refused(InvocationId, const agent::Refused&);
  void not_traced(InvocationId, const agent::NotTraced&);
  void middleware_left(InvocationId, const std::vector<Hanging>&, bool stopped);
  void middleware_state(InvocationId, const StateReport&);
  // Next's words for kinds and runtimes, as the agent passes them on.
  static engine::Dispatch to_dispatch(std::string_view page, std::string_view kind, std::string_view runtime,
                                      bool is_static);
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

  // FleetOwner
  bool fleet_placed(InvocationId, const Placed&) override;
  void fleet_refused(InvocationId, limits::Code, Duration waited) override;
  void fleet_lost(InvocationId, limits::instance_end::Loss) override;
  void fleet_crashed(InvocationId, limits::instance_end::Loss) override;
  void fleet_broken_off(InvocationId, std::string_view message, std::string_view source) override;
  void fleet_handler(InvocationId) override;
  void fleet_identity(InvocationId, std::string_view page, std::string_view kind, std::string_view runtime,
                      bool is_static) override;
  void fleet_compile(InvocationId, bool ended) override;
  void fleet_answer_at(InvocationId id, std::string_view place) override {
    engine_.answer_made_at(id, place);
  }
  void fleet_code_refused(InvocationId id, const agent::Refused& told) override { code_refused(id, told); }
  void fleet_done(InvocationId, const std::vector<Hanging>&) override;
  void fleet_module_state(InvocationId, const StateReport&) override;
  void fleet_connections(InvocationId, const agent::Connections&) override;
  void fleet_machine(InvocationId, const agent::Machine&) override;
  void fleet_made(InvocationId, const agent::MadeReport&) override;
  void fleet_revalidated() override;

 private:
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
  bool isolated(const Exchange& exchange) const { return fleet_ != nullptr && !exchange.internal; }
  void dispatch(net::Session&, net::ExchangeId, Exchange&, std::string_view text);
  void pass_on(net::Session&, net::ExchangeId, Exchange&);
  void add_headers(const net::http1::RequestHead&, const net::ClientInfo&, const Exchange&,
                   net::RequestDecision&);
  bool is_word_of_app(net::ExchangeId, Exchange&, const net::http1::ResponseHead&);
  void read_meta(net::ExchangeId, const Exchange&, const net::http1::ResponseHead&, engine::ResponseInfo&,
                 TimePoint at);
  void unexpected(net::Session&, net::ExchangeId, net::ResponseDecision&);
  // The core is called and obeyed; what a session or the fleet does meanwhile calls it again, and is obeyed
  // afterwards, in order.
  template <class F>
  auto tell(F f) {
    if constexpr (std::is_void_v<decltype(f(commands_.asked()))>) {
      f(commands_.asked());
      carry_out();
    } else {
      const auto answer = f(commands_.asked());
      carry_out();
      return answer;
    }
  }
  void carry_out();
  void obey(const core::RequestCommand&);
  void forget(net::ExchangeId);
  // Its connection is of no use, and it waits for our word.
  void fail(net::ExchangeId, UpstreamFailure, const ExchangeTotals&);
  void read_busy();
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
  void schedule();
  void wake();
  Exchange* find(net::ExchangeId);

  engine::Engine& engine_;
  EdgeOptions options_;
  net::UpstreamPool* pool_ = nullptr;
  Fleet* fleet_ = nullptr;
  Recorder* recorder_ = nullptr;
  Live* live_ = nullptr;
  boost::unordered_flat_map<std::uint64_t, Exchange> exchanges_;
  std::string extra_, response_extra_, origin_;
  core::Core core_;
  InOrder<core::RequestCommand> commands_;
  Timer timer_;
  TimePoint armed_for_ = TimePoint::max();
  void tell_lost_sockets();
  std::string sockets_;
  bool stopping_ = false, stopped_ = false, told_descriptors_ = false, watches_streams_ = false;
  StreamWatch watch_;
  net::ExchangeId told_until_ = 0;  // of the pages, where not all could be told at once
};

}  // namespace vsim::app
