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

Edge::Edge(boost::asio::io_context& io, CoreLoop& loop, EdgeOptions options)
    : OnClock(io),
      loop_(loop),
      engine_(loop.engine()),
      options_(std::move(options)),
      watch_(
          io, engine::Ticks::kEach,
          [this] { return watches_streams_ || (live_ != nullptr && live_->is_read()); },
          [this](TimePoint at, unsigned watch) { look_at_streams(at, watch); }) {
  loop_.serve(static_cast<CoreLoop::Requests*>(this));
}

Edge::~Edge() {
  loop_.serve(static_cast<CoreLoop::Requests*>(nullptr));
  exchanges_.clear();
}

Edge::Exchange* Edge::find(net::ExchangeId id) {
  const auto it = exchanges_.find(id);
  return it == exchanges_.end() ? nullptr : &it->second;
}

const Edge::Exchange* Edge::find(net::ExchangeId id) const {
  const auto it = exchanges_.find(id);
  return it == exchanges_.end() ? nullptr : &it->second;
}

ExchangeTotals Edge::totals(InvocationId id) const {
  const Exchange* exchange = find(static_cast<net::ExchangeId>(id));
  return exchange != nullptr ? exchange->session->totals() : ExchangeTotals{};
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
  const engine::Admission admission = loop_.tell(at, [&](core::Core& core, const core::Moment& m, auto&) {
    return core.engine().admit(info, m.now, m.wall);
  });

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
    of_function = loop_.tell(at, [&](core::Core& core, auto&, auto&) {
      return asked.empty() ? core.called_by(admission.id, caller) : core.middleware_of(admission.id, caller);
    });
    if (of_function) exchange.asked.assign(asked);
  }
  if (recorder_ != nullptr) {
    if (internal || of_function)
      recorder_->forget();
    else
      decision.copy = recorder_->admitted(admission.id);
  }

  add_headers(head, client, exchange, decision);
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
  const TimePoint at = now();
  if (recorder_ != nullptr) recorder_->client_left(invocation(id), at);
  return loop_.tell(at, [&](core::Core& core, const core::Moment& m, auto& out) {
    return core.client_left(invocation(id), m, out);
  });
}

bool Edge::on_client_half_closed(net::ExchangeId id) {
  return loop_.tell([&](core::Core& core, const core::Moment& m, auto& out) {
    return core.client_half_closed(invocation(id), m, out);
  });
}

net::FailureDecision Edge::on_upstream_failed(net::Session& session, net::ExchangeId id,
                                              UpstreamFailure failure, ExchangeTotals totals) {
  if (failure == UpstreamFailure::no_descriptor) on_no_descriptor();
  if (failure == UpstreamFailure::refused) tell_lost_sockets();
  net::FailureDecision out;
  const auto failed = loop_.tell([&](core::Core& core, const core::Moment& m, auto& commands) {
    return core.connection_failed(invocation(id), failure, totals, m, commands);
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
  loop_.tell(at, [&](core::Core& core, const core::Moment& m, auto& out) {
    core.ended(invocation(id), totals, m, out);
  });
  if (!ticks) return;
  ticks->look(at, totals, watch_.number());
  tell_ticks(id, *ticks);
}

void Edge::end(const core::EndExchange& command) {
  using How = core::EndExchange::How;
  const auto id = static_cast<net::ExchangeId>(command.id);
  Exchange* found = find(id);
  if (found == nullptr) return;
  const Exchange exchange = std::move(*found);
  exchanges_.erase(id);
  if (exchange.ticks) tell_ticks(id, *exchange.ticks);
  net::Session& session = *exchange.session;
  if (command.how == How::answer && command.code != limits::Code::function_invocation_timeout)
    tell_lost_sockets();
  if (command.how == How::answer) return session.answer(answer_text(id, session, exchange, command.code));
  if (command.how == How::cut) return session.cut(false);
  if (command.how == How::limit) return session.cut(options_.stream_cut == profile::StreamCut::clean);
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
  using How = core::EndExchange::How;
  const auto failed = loop_.tell([&](core::Core& core, const core::Moment& m, auto& out) {
    return core.connection_failed(invocation(id), failure, totals, m, out);
  });
  if (!failed.waits)
    end({failed.code == limits::Code::none ? How::cut : How::answer, invocation(id), failed.code});
}

void Edge::stopping() {
  stopping_ = true;
  loop_.tell([](core::Core& core, auto&, auto&) { core.stopping(); });
}

void Edge::stop() {
  loop_.stop();
  watch_.stop();
}

}  // namespace vsim::app
