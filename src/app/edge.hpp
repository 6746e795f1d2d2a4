// Where the proxy meets the policy: turns each moment of a session into a call of the engine, and the
// engine's commands into calls of the session. Also answers /_vercel-sim/. I/O thread only.
#pragma once

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/clock.hpp"
#include "app/fleet.hpp"
#include "app/live.hpp"
#include "app/recorder.hpp"
#include "app/stream_watch.hpp"
#include "engine/door.hpp"
#include "engine/engine.hpp"
#include "engine/ticks.hpp"
#include "limits/broken_off.hpp"
#include "limits/instance_end.hpp"
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

class Edge final : public net::EdgePolicy, public FleetOwner {
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
  void fleet_broke(InvocationId) override;
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
  void fleet_made(InvocationId, agent::MadeReport) override;
  void fleet_revalidated() override;

 private:
  // A request that a function makes to its own app meets what only happens here: a compile, an instance that
  // must start. Meanwhile the clocks of its caller, and of that one's caller…, stand still.
  class CallersWait {
   public:
    CallersWait() = default;
    CallersWait(Edge& edge, InvocationId caller);
    CallersWait(CallersWait&& other) noexcept
        : edge_(std::exchange(other.edge_, nullptr)), callers_(std::move(other.callers_)) {}
    CallersWait& operator=(CallersWait&& other) noexcept {
      end();
      edge_ = std::exchange(other.edge_, nullptr);
      callers_ = std::move(other.callers_);
      return *this;
    }
    ~CallersWait() { end(); }
    explicit operator bool() const { return edge_ != nullptr; }
    void end();

   private:
    Edge* edge_ = nullptr;
    std::vector<InvocationId> callers_;
  };
  struct Exchange {
    net::Session* session = nullptr;
    RequestTag tag;
    bool internal = false;
    bool for_sockets = false;  // an upgrade, or `EIO=` in its target
    // With a fleet:
    bool placed = false;     // on an instance
    bool again = false;      // whose answer is "try the next route"
    bool head_seen = false;  // whose response has begun
    bool socket = false;     // by a 101
    InvocationId parent = InvocationId::none;
    bool queued = false;                       // asked the fleet for an instance
    CallersWait callers_wait;                  // while it is compiled, or queued
    std::string page, skip;                    // where it is, and the pages that have passed it on
    std::string head;                          // for the instance, until it is placed
    std::string secret;                        // of the instance
    std::optional<std::vector<Hanging>> done;  // told before its response was read
    std::optional<UpstreamFailure> failed;     // waits for the cause
    std::optional<limits::broken_off::Cause>
        broken_off;                                  // by the function; the connection may still be there
    std::optional<limits::instance_end::Loss> lost;  // the cause; the connection has not ended yet
    std::optional<ExchangeTotals> closed;            // a socket whose session is gone, waits for the cause
    std::unique_ptr<engine::Ticks> ticks;            // of what is open for a while, if somebody looks
    bool untold = false;                             // pages do not know the last of them
  };
  bool isolated(const Exchange& exchange) const { return fleet_ != nullptr && !exchange.internal; }
  void dispatch(net::Session&, net::ExchangeId, Exchange&, std::string_view text);
  void pass_on(net::Session&, net::ExchangeId, Exchange&);
  void add_headers(const net::http1::RequestHead&, const net::ClientInfo&, const Exchange&,
                   net::RequestDecision&);
  bool is_word_of_app(Exchange&, const net::http1::ResponseHead&);
  Exchange* begins(net::ExchangeId, Exchange&, const net::http1::ResponseHead&, engine::ResponseInfo&,
                   TimePoint at);
  void unexpected(net::Session&, Exchange&, net::ExchangeId, net::ResponseDecision&);
  // The answer of the platform, or a cut where it is too late for one. The exchange is over.
  void finish(net::ExchangeId, limits::Code);
  void settle(net::ExchangeId, Exchange&&);
  void socket_over(net::ExchangeId);
  void read_busy();
  void hold_callers(Exchange&);
  InvocationId known_caller(std::uint64_t named, net::ExchangeId own) const;
  // Whether a page of another site asks; then `decision` has the answer.
  bool turned_away(net::Session&, const net::http1::RequestHead&, net::RequestDecision&);
  void own_page(net::Session&, const net::http1::RequestHead&, const net::ClientInfo&, net::RequestDecision&);
  void look_at_streams(TimePoint at, unsigned watch);
  void tell_pages(TimePoint at);
  void tell_ticks(net::ExchangeId, const Exchange&);
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
  std::vector<engine::ExchangeCommand> commands_;
  boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                    boost::asio::wait_traits<std::chrono::steady_clock>,
                                    boost::asio::io_context::executor_type>
      timer_;
  TimePoint armed_for_ = TimePoint::max();
  void tell_lost_sockets();
  std::string sockets_;
  bool stopping_ = false, stopped_ = false, told_descriptors_ = false, watches_streams_ = false;
  StreamWatch watch_;
  net::ExchangeId told_until_ = 0;  // of the pages, where not all could be told at once
};

}  // namespace vsim::app
