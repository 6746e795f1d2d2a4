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
    : OnClock(io),
      engine_(engine),
      options_(std::move(options)),
      core_(engine),
      timer_(io),
      watch_(
          io, engine::Ticks::kEach,
          [this] { return watches_streams_ || (live_ != nullptr && live_->is_read()); },
          [this](TimePoint at, unsigned watch) { look_at_streams(at, watch); }) {
  core_.set_totals_reader(
      [](void* self, InvocationId id) {
        const Exchange* exchange = static_cast<Edge*>(self)->find(static_cast<net::ExchangeId>(id));
        return exchange != nullptr ? exchange->session->totals() : ExchangeTotals{};
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

  bool of_function = false;  // its code has made this request
  if (isolated(exchange)) {
    decision.hold_body = true;
    auto caller = InvocationId::none;
    std::string_view asked;
    for (const auto& h : head.headers) {
      if (h.field != Field::x_vsim) continue;
      if (iequals(h.name, "x-vsim-parent")) caller = invocation(agent::parse_call(h.value, options_.token));
      if (iequals(h.name, "x-vsim-middleware")) asked = h.value;
    }
    of_function =
        asked.empty() ? core_.called_by(admission.id, caller) : core_.middleware_of(admission.id, caller);
    if (of_function) exchange.asked.assign(asked);
  }
  if (recorder_ != nullptr) {
    if (internal || of_function)
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
      if (!exchange.asked.empty()) line(extra_, "X-Vsim-Middleware", exchange.asked);
    }
  }
  decision.extra = extra_;
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
  net::FailureDecision out;
  const TimePoint at = now();
  const auto failed = tell([&](auto& commands) {
    return core_.connection_failed(invocation(id), failure, totals, at, wall_at(at), commands);
  });
  if (failed.waits) {
    out.kind = net::FailureDecision::Kind::wait;
    return out;
  }
  const Exchange* exchange = find(id);
  if (exchange != nullptr && failed.code != limits::Code::none)
    out.response = answer_text(id, session, *exchange, failed.code);
  forget(id);
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
  Exchange* found = find(id);
  if (found == nullptr) return;
  const TimePoint at = now();
  const std::unique_ptr<engine::Ticks> ticks = std::move(found->ticks);
  exchanges_.erase(id);
  tell([&](auto& out) { core_.ended(invocation(id), totals, at, wall_at(at), out); });
  if (!ticks) return;
  ticks->look(at, totals, watch_.number());
  tell_ticks(id, *ticks);
}

void Edge::dispatched(InvocationId id, const engine::Dispatch& dispatch) {
  engine_.dispatched(id, dispatch, now());
  schedule();
}
void Edge::compile_started(InvocationId id) { core_.compile_started(id, now()); }
void Edge::compile_ended(InvocationId id) {
  core_.compile_ended(id, now());
  schedule();
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
  out.kind = kind == "APP_ROUTE"    ? routes::Kind::app_route
             : kind == "APP_PAGE"   ? routes::Kind::app_page
             : kind == "PAGES_API"  ? routes::Kind::pages_api
             : kind == "PAGES"      ? routes::Kind::pages
             : kind == "MIDDLEWARE" ? routes::Kind::middleware
                                    : routes::Kind::unknown;
  return out;
}

// One timer for all deadlines. It is moved only when an earlier one appears: a stream of requests with equal
// limits never touches it.
void Edge::schedule() {
  const auto next = core_.next_wakeup();
  if (stopped_ || !next || *next >= armed_for_) return;
  armed_for_ = *next;
  timer_.expires_at(*next);
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error) wake();
  });
}

void Edge::wake() {
  armed_for_ = TimePoint::max();
  tell([&](auto& out) { core_.wake(now(), wall_now(), out); });
}

void Edge::carry_out() {
  if (commands_.carry_out([this](const core::RequestCommand& command) { obey(command); })) schedule();
}

void Edge::obey(const core::RequestCommand& command) {
  using Kind = core::RequestCommand::Kind;
  const bool to_fleet = command.kind == Kind::begin || command.kind == Kind::expire ||
                        command.kind == Kind::take_back || command.kind == Kind::withdraw;
  if (to_fleet) {
    if (fleet_ == nullptr) return;
    if (command.kind == Kind::begin) return fleet_->responding(command.id);
    if (command.kind == Kind::expire) return fleet_->expire(command.id);
    if (command.kind == Kind::take_back) return fleet_->timed_out(command.id);
    return fleet_->withdraw(command.id);
  }
  const auto id = static_cast<net::ExchangeId>(command.id);
  Exchange* found = find(id);
  if (found == nullptr) return;
  const Exchange exchange = std::move(*found);
  exchanges_.erase(id);
  if (exchange.ticks) tell_ticks(id, *exchange.ticks);
  net::Session& session = *exchange.session;
  if (command.kind == Kind::answer) return session.answer(answer_text(id, session, exchange, command.code));
  if (command.kind == Kind::cut) return session.cut(false);
  if (command.kind == Kind::limit) return session.cut(options_.stream_cut == profile::StreamCut::clean);
  std::string farewell;
  if (options_.websocket_close_code != 1006) {  // 1006: no close frame at all (docs/platform.md)
    const auto code = static_cast<unsigned>(options_.websocket_close_code);
    farewell = {'\x88', '\x02', static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  }
  session.cut_tunnel(farewell);
}

// Its connection is over, and nobody asks for it any more.
void Edge::forget(net::ExchangeId id) {
  Exchange* found = find(id);
  if (found == nullptr) return;
  const Exchange over = std::move(*found);
  exchanges_.erase(id);
  if (over.ticks) tell_ticks(id, *over.ticks);
}

void Edge::fail(net::ExchangeId id, UpstreamFailure failure, const ExchangeTotals& totals) {
  using Kind = core::RequestCommand::Kind;
  const TimePoint at = now();
  const auto failed = tell([&](auto& out) {
    return core_.connection_failed(invocation(id), failure, totals, at, wall_at(at), out);
  });
  obey({failed.code == limits::Code::none ? Kind::cut : Kind::answer, invocation(id), failed.code});
}

void Edge::stopping() {
  stopping_ = true;
  core_.stopping();
}

void Edge::stop() {
  stopped_ = true;
  timer_.cancel();
  watch_.stop();
}

}  // namespace vsim::app
