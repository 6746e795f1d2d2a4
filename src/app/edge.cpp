#include "app/edge.hpp"

#include <boost/asio/ip/address.hpp>
#include <charconv>

#include "agent/dispatch.hpp"
#include "agent/secrets.hpp"
#include "app/clock.hpp"
#include "app/edge_impl.hpp"
#include "base/text.hpp"
#include "engine/classify.hpp"

namespace vsim::app {
namespace {

using net::http1::Field;

// "localhost:3000" → "localhost", "[::1]:3000" → "::1".
std::string_view host_name(std::string_view authority) {
  if (authority.starts_with('[')) return authority.substr(1, authority.find(']') - 1);
  return authority.substr(0, authority.find(':'));
}

// The site that asks, as browsers write it; empty: none, or something else.
std::string_view origin_of(const net::http1::RequestHead& head) {
  constexpr std::size_t kLongest = 300;
  for (const auto& h : head.headers) {
    if (h.field != Field::origin) continue;
    const std::size_t scheme = h.value.find("://");
    const bool is_origin = scheme != std::string_view::npos && h.value.size() <= kLongest &&
                           h.value.find_first_of("/?#@ ", scheme + 3) == std::string_view::npos;
    return is_origin ? h.value : std::string_view();
  }
  return {};
}

bool is_ip_literal(std::string_view host) {
  boost::system::error_code error;
  boost::asio::ip::make_address(host, error);
  return !error;
}

}  // namespace

Edge::Edge(boost::asio::io_context& io, engine::Engine& engine, EdgeOptions options)
    : engine_(engine),
      options_(std::move(options)),
      timer_(io),
      watch_(
          io, engine::Ticks::kEach,
          [this] { return watches_streams_ || (live_ != nullptr && live_->is_read()); },
          [this](TimePoint at, unsigned watch) { look_at_streams(at, watch); }) {
  engine_.set_totals_reader(
      [](void* self, InvocationId id) {
        const Exchange* exchange = static_cast<Edge*>(self)->find(static_cast<net::ExchangeId>(id));
        if (exchange == nullptr) return ExchangeTotals{};
        if (exchange->closed) return *exchange->closed;
        return exchange->session != nullptr ? exchange->session->totals() : ExchangeTotals{};
      },
      this);
  read_busy();
}

void Edge::read_busy() {
  engine_.set_busy_reader(
      [](void* self, InvocationId id) {
        const Fleet* fleet = static_cast<Edge*>(self)->fleet_;
        return fleet != nullptr && fleet->busy(id);
      },
      this);
  engine_.set_unserved_reader(
      [](void* self, InvocationId id) {
        const Fleet* fleet = static_cast<Edge*>(self)->fleet_;
        return fleet != nullptr ? fleet->unserved(id) : Duration::zero();
      },
      this);
}

Edge::~Edge() {
  stopped_ = true;  // no timer any more
  exchanges_.clear();
}

Edge::Exchange* Edge::find(net::ExchangeId id) {
  const auto it = exchanges_.find(id);
  return it == exchanges_.end() ? nullptr : &it->second;
}

void Edge::on_request(net::Session& session, const net::http1::RequestHead& head,
                      const net::ClientInfo& client, net::RequestDecision& decision) {
  if (turned_away(session, head, decision)) return;
  if (head.path.starts_with("/_vercel-sim") && (head.path.size() == 12 || head.path[12] == '/'))
    return own_page(session, head, client, decision);
  if (pool_ == nullptr) {
    Rng rng(static_cast<std::uint64_t>(now().time_since_epoch().count()));
    decision.response = error_text(&session, limits::Code::sim_not_ready, 0,
                                   make_request_tag(rng, wall_now()).view(), session.may_keep_alive());
    return;
  }

  engine::RequestInfo info{limits_head(head)};
  info.path = head.path;
  info.accept = head.accept;
  info.client_address = client.address;
  info.websocket_upgrade = head.websocket;
  if (head.websocket) info.origin = origin_of(head);
  if (head.body.kind == net::http1::BodyKind::length) info.content_length = head.body.length;
  info.chunked = head.body.kind == net::http1::BodyKind::chunked;
  const TimePoint at = now();
  if (recorder_ != nullptr) recorder_->arrived(head, at);
  const engine::Admission admission = engine_.admit(info, at, wall_at(at));

  if (admission.action == engine::Action::refuse) {
    decision.response = error_text(&session, admission.error, admission.error_status, admission.tag.view(),
                                   session.may_keep_alive());
    return;
  }
  decision.id = static_cast<net::ExchangeId>(admission.id);
  const bool internal = admission.action == engine::Action::passthrough;
  Exchange& exchange = exchanges_[decision.id];
  exchange = {};
  exchange.session = &session;
  exchange.tag = admission.tag;
  exchange.internal = internal;
  if (live_ != nullptr && !internal) live_->request_head(admission.id, at, head.headers);
  exchange.for_sockets = head.upgrade || head.target.find("EIO=") != std::string_view::npos;
  if (admission.action == engine::Action::drop) {
    decision.kind = net::RequestDecision::Kind::drop;
    if (recorder_ != nullptr) recorder_->admitted(admission.id);
    return;
  }
  decision.kind = net::RequestDecision::Kind::forward;
  decision.pool = pool_;
  decision.body_limit = admission.body_limit;
  decision.tunnel = head.websocket && admission.action != engine::Action::as_get &&
                    admission.action != engine::Action::forward;

  if (isolated(exchange)) {
    decision.hold_body = true;
    for (const auto& h : head.headers)
      if (h.field == Field::x_vsim && iequals(h.name, "x-vsim-parent"))
        exchange.parent = known_caller(agent::parse_call(h.value, options_.token), decision.id);
  }
  if (recorder_ != nullptr) {
    if (internal || exchange.parent != InvocationId::none)
      recorder_->forget();
    else
      decision.copy = recorder_->admitted(admission.id);
  }

  add_headers(head, client, exchange, decision);
  schedule();
}

// What the platform adds to a request on its way.
void Edge::add_headers(const net::http1::RequestHead& head, const net::ClientInfo& client,
                       const Exchange& exchange, net::RequestDecision& decision) {
  extra_.clear();
  line(extra_, "X-Forwarded-Host", head.host);
  line(extra_, "X-Forwarded-Proto", options_.https ? "https" : "http");
  line(extra_, "X-Forwarded-For", client.address);
  if (exchange.internal) {
    // Next refuses dev-internal requests whose Origin is not localhost. A page opened under the address
    // itself is as much its own (docs/next-dev.md); only addresses, since a name could be an attacker's that
    // resolves to this machine.
    for (const auto& h : head.headers) {
      if (h.field != Field::origin) continue;
      const std::size_t scheme = h.value.find("://");
      const std::string_view authority =
          scheme == std::string_view::npos ? h.value : h.value.substr(scheme + 3);
      if (authority == head.host && is_ip_literal(host_name(authority))) {
        origin_ =
            (options_.https ? "https://localhost:" : "http://localhost:") + std::to_string(options_.port);
        decision.origin = origin_;
      }
      break;
    }
  } else {
    line(extra_, "X-Real-Ip", client.address);
    line(extra_, "X-Vercel-Forwarded-For", client.address);
    line(extra_, "X-Vercel-Deployment-Url", head.host);
    extra_.append("X-Vercel-Id: ")
        .append(options_.region)
        .append("::")
        .append(exchange.tag.view())
        .append("\r\n");
    if (!options_.token.empty()) {
      char number[20];
      const auto end = std::to_chars(number, number + sizeof number, decision.id).ptr;
      extra_.append("X-Vsim-Id: ").append(options_.token).append(".").append(number, end).append("\r\n");
    }
  }
  decision.extra = extra_;
}

// An invocation that is under way, and so older than `own`: callers never make a circle.
InvocationId Edge::known_caller(std::uint64_t named, net::ExchangeId own) const {
  const auto caller = static_cast<InvocationId>(named);
  if (named == own || named == 0) return InvocationId::none;
  return exchanges_.contains(named) || (fleet_ != nullptr && fleet_->holds(caller)) ? caller
                                                                                    : InvocationId::none;
}

bool Edge::on_client_left(net::ExchangeId id) {
  if (recorder_ != nullptr) recorder_->client_left(invocation(id), now());
  const bool goes_on = engine_.client_left(invocation(id), now());
  if (fleet_ != nullptr) fleet_->client_left(invocation(id));
  schedule();
  return goes_on;
}

bool Edge::on_client_half_closed(net::ExchangeId id) {
  const auto function = engine_.function(invocation(id));
  if (function && function->supports_cancellation) return true;
  engine_.client_half_closed(invocation(id));
  if (fleet_ != nullptr) fleet_->client_left(invocation(id));  // it runs on, but not before those who wait
  return false;
}

net::FailureDecision Edge::on_upstream_failed(net::Session& session, net::ExchangeId id,
                                              UpstreamFailure failure, ExchangeTotals totals) {
  if (failure == UpstreamFailure::no_descriptor) on_no_descriptor();
  if (failure == UpstreamFailure::refused) tell_lost_sockets();
  Exchange* exchange = find(id);
  net::FailureDecision out;
  if (exchange == nullptr) return out;
  if (exchange->placed && !exchange->lost && !exchange->broken_off && fleet_ != nullptr &&
      fleet_->holds(invocation(id))) {
    exchange->failed = failure;
    fleet_->broke(invocation(id));
    out.kind = net::FailureDecision::Kind::wait;
    return out;
  }
  const limits::Code code =
      exchange->lost ? engine_.instance_lost(invocation(id), *exchange->lost, totals, now(), wall_now())
                     : engine_.upstream_failed(invocation(id), failure, totals, now(), wall_now(),
                                               exchange->broken_off ? &*exchange->broken_off : nullptr);
  if (code != limits::Code::none) out.response = answer_text(id, session, *exchange, code);
  Exchange over = std::move(*exchange);
  exchanges_.erase(id);
  over.lost.reset();
  settle(id, std::move(over));
  return out;
}

void Edge::on_no_descriptor() {
  if (std::exchange(told_descriptors_, true)) return;
  const limits::CodeInfo& info = limits::info(limits::Code::sim_out_of_descriptors);
  event::Notice notice;
  notice.level = event::Level::warning;
  notice.code = info.name;
  notice.message = "no file descriptor is left: clients wait, and requests are answered with 503";
  notice.fix = info.fix;
  engine_.announce(notice, now(), wall_now());
}

void Edge::on_end(net::ExchangeId id, ExchangeTotals totals) {
  Exchange* exchange = find(id);
  if (exchange == nullptr) return;
  if (exchange->socket && !stopping_) {
    // The end of its instance is the end of a socket too, and is told a moment later.
    exchange->session = nullptr;
    exchange->closed = totals;
    if (exchange->lost || fleet_ == nullptr || !fleet_->holds(invocation(id))) return socket_over(id);
    return fleet_->broke(invocation(id));
  }
  if (exchange->ticks) exchange->ticks->look(now(), totals, watch_.number());
  Exchange over = std::move(*exchange);
  exchanges_.erase(id);
  const TimePoint at = now();
  engine_.ended(invocation(id), totals, at, wall_at(at));
  settle(id, std::move(over));
}

void Edge::dispatched(InvocationId id, const engine::Dispatch& dispatch) {
  engine_.dispatched(id, dispatch, now());
  schedule();
}
void Edge::compile_started(InvocationId id) {
  engine_.compile_started(id, now());
  if (Exchange* exchange = find(static_cast<net::ExchangeId>(id))) hold_callers(*exchange);
}
void Edge::compile_ended(InvocationId id) {
  engine_.compile_ended(id, now());
  if (Exchange* exchange = find(static_cast<net::ExchangeId>(id)); exchange != nullptr && !exchange->queued)
    exchange->callers_wait.end();
  schedule();
}

Edge::CallersWait::CallersWait(Edge& edge, InvocationId caller) : edge_(&edge) {
  while (caller != InvocationId::none) {
    callers_.push_back(caller);
    edge.engine_.own_request_waits(caller, now());
    const Exchange* exchange = edge.find(static_cast<net::ExchangeId>(caller));
    caller = exchange != nullptr ? exchange->parent : InvocationId::none;  // always an older one
  }
}

void Edge::CallersWait::end() {
  Edge* const edge = std::exchange(edge_, nullptr);
  if (edge == nullptr) return;
  for (const InvocationId caller : std::exchange(callers_, {}))
    edge->engine_.own_request_goes_on(caller, now());
  edge->schedule();
}

void Edge::hold_callers(Exchange& exchange) {
  if (exchange.parent != InvocationId::none && !exchange.callers_wait)
    exchange.callers_wait = CallersWait(*this, exchange.parent);
}

void Edge::handler_started(InvocationId id) {
  engine_.handler_started(id, now());
  schedule();
}

engine::Dispatch Edge::to_dispatch(std::string_view page, std::string_view kind, std::string_view runtime,
                                   bool is_static) {
  engine::Dispatch out;
  out.page = page;
  out.is_static = is_static;
  out.runtime = runtime == "edge" ? routes::Runtime::edge : routes::Runtime::nodejs;
  out.kind = kind == "APP_ROUTE"   ? routes::Kind::app_route
             : kind == "APP_PAGE"  ? routes::Kind::app_page
             : kind == "PAGES_API" ? routes::Kind::pages_api
             : kind == "PAGES"     ? routes::Kind::pages
                                   : routes::Kind::unknown;
  return out;
}

// One timer for all deadlines. It is moved only when an earlier one appears: a stream of requests with equal
// limits never touches it.
void Edge::schedule() {
  const auto next = engine_.next_wakeup();
  if (stopped_ || !next || *next >= armed_for_) return;
  armed_for_ = *next;
  timer_.expires_at(to_steady(*next));
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error) wake();
  });
}

void Edge::wake() {
  armed_for_ = TimePoint::max();
  commands_.clear();
  engine_.wake(now(), wall_now(), commands_);
  for (const engine::ExchangeCommand& command : commands_) {
    const auto id = static_cast<net::ExchangeId>(command.id);
    if (command.kind == engine::ExchangeCommand::Kind::expire) {
      if (fleet_ != nullptr) fleet_->expire(command.id);
      continue;
    }
    Exchange* found = find(id);
    if (found == nullptr) continue;
    const Exchange exchange = std::move(*found);
    exchanges_.erase(id);
    tell_ticks(id, exchange);
    if (exchange.closed) {  // too late to cut
      fleet_->timed_out(command.id);
      continue;
    }
    net::Session& session = *exchange.session;
    switch (command.kind) {
      case engine::ExchangeCommand::Kind::answer_error:
        session.answer(answer_text(id, session, exchange, command.code));
        break;
      case engine::ExchangeCommand::Kind::cut:
        session.cut(options_.stream_cut == profile::StreamCut::clean);
        break;
      case engine::ExchangeCommand::Kind::cut_tunnel: {
        std::string farewell;
        if (options_.websocket_close_code != 1006) {  // 1006: no close frame at all (facts 4b)
          const auto code = static_cast<unsigned>(options_.websocket_close_code);
          farewell = {'\x88', '\x02', static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
        }
        session.cut_tunnel(farewell);
        break;
      }
      case engine::ExchangeCommand::Kind::expire:
        break;
    }
    if (isolated(exchange)) fleet_->timed_out(command.id);
  }
  schedule();
}

void Edge::stopping() {
  stopping_ = true;
  engine_.stopping();
}

void Edge::stop() {
  stopped_ = true;
  timer_.cancel();
  watch_.stop();
}

}  // namespace vsim::app
