// The edge's part about instances: from next dev's dispatch to an instance, and what becomes of it there.
#include <algorithm>
#include <charconv>
#include <filesystem>

#include "agent/dispatch.hpp"
#include "agent/secrets.hpp"
#include "app/clock.hpp"
#include "app/edge_impl.hpp"

namespace vsim::app {
namespace {

net::ExchangeId exchange_id(InvocationId id) { return static_cast<net::ExchangeId>(id); }

void number(std::string& out, std::uint64_t n) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, n).ptr);
}

std::string_view word(instance::Start start) {
  switch (start) {
    case instance::Start::warm:
      return "warm";
    case instance::Start::bound:
      return "bound";
    case instance::Start::spare:
      return "spare";
    case instance::Start::cold:
      return "cold";
  }
  return {};
}

}  // namespace

void Edge::on_dispatch(net::Session& session, net::ExchangeId id, std::string_view text) {
  Exchange* exchange = find(id);
  if (exchange == nullptr) return session.answer({});
  core_.on_instance(invocation(id)) ? pass_on(session, id, *exchange)
                                    : dispatch(session, id, *exchange, text);
}

// Next's "no fallback": the router goes on behind the pages that have been tried.
void Edge::pass_on(net::Session& session, net::ExchangeId id, Exchange& exchange) {
  if (!exchange.skip.empty()) exchange.skip += ',';
  exchange.skip += agent::page_field(exchange.page);
  core_.again(invocation(id), now());
  fleet_->again(invocation(id));
  schedule();
  if (pool_ == nullptr) return fail(id, UpstreamFailure::refused, {});
  session.resend(*pool_, "X-Vsim-Skip: " + exchange.skip + "\r\n");
}

void Edge::dispatch(net::Session& session, net::ExchangeId id, Exchange& exchange, std::string_view text) {
  const std::string of_head = std::move(exchange.head);
  const auto answer = agent::parse_dispatch(of_head.empty() ? text : std::string_view(of_head));
  if (!answer)
    return fail(
        id, UpstreamFailure::garbage,
        session.totals().bytes_in == 0 ? ExchangeTotals{} : ExchangeTotals{session.totals().bytes_in, 0});
  exchange.page = answer->page;
  engine_.dispatched(invocation(id),
                     to_dispatch(answer->page, answer->kind, answer->runtime, answer->is_static), now());
  schedule();
  const auto function = engine_.function(invocation(id));
  if (!function) return;  // the engine has ended it meanwhile: its command is on the way

  exchange.head.assign(answer->head);
  exchange.head.append("X-Vsim-Call: ").append(agent::call_mark(options_.token, id)).append("\r\n");
  if (function->deadline != kForever && !function->is_static) {
    exchange.head.append("X-Vsim-Limit: ");
    number(exchange.head,
           static_cast<std::uint64_t>(
               std::chrono::duration_cast<std::chrono::milliseconds>(function->deadline).count()));
    exchange.head.append("\r\n");
  }
  if (function->supports_cancellation && session.client_half_closed()) return session.client_gone();
  FunctionRef ref{answer->page, answer->kind, answer->runtime, answer->head, {}};
  ref.config.max_duration = function->max_duration;
  ref.config.edge = function->edge;
  ref.config.supports_cancellation = function->supports_cancellation;
  ref.config.prerender = function->is_static;
  core_.queued(invocation(id), now());
  const bool left = session.client_half_closed();
  if (left) engine_.client_half_closed(invocation(id));
  fleet_->request(invocation(id), ref, core_.caller_of(invocation(id)),
                  answer->generation);  // may end the exchange
  if (left) fleet_->client_left(invocation(id));
}

bool Edge::fleet_placed(InvocationId id, const Placed& placed) {
  const bool wanted = tell([&](auto& out) {
    return core_.placed(id, placed.instance, word(placed.start), placed.waited, now(), out);
  });
  Exchange* exchange = find(exchange_id(id));
  if (!wanted || exchange == nullptr) return false;
  exchange->secret = placed.secret;
  exchange->head.append("X-Vsim-Id: ").append(exchange->secret).append(".");
  number(exchange->head, exchange_id(id));
  exchange->head.append("\r\n");
  exchange->session->send_to(placed.pool, std::move(exchange->head));
  return true;
}

// What is connected goes on, nothing new can come: the verdicts of what follows are no fault of the app.
void Edge::tell_lost_sockets() {
  std::error_code error;
  if (sockets_.empty() || stopping_ || std::filesystem::exists(sockets_, error) || error) return;
  const std::string message =
      "the directory of this run's sockets is gone, something has removed it: " + std::exchange(sockets_, {});
  event::Notice notice;
  notice.level = event::Level::error;
  notice.message = message;
  notice.fix =
      "restart vercel-sim; what ends with NO_RESPONSE_FROM_FUNCTION until then is no fault of the app. Set "
      "XDG_RUNTIME_DIR to a directory that nothing clears";
  engine_.announce(notice, now(), wall_now());
}

void Edge::fleet_refused(InvocationId id, limits::Code code, Duration waited) {
  tell_lost_sockets();
  tell([&](auto& out) { core_.refused(id, code, waited, now(), wall_now(), out); });
}

void Edge::fleet_lost(InvocationId id, limits::instance_end::Loss loss) {
  tell([&](auto& out) { core_.lost(id, loss, now(), wall_now(), out); });
}

void Edge::fleet_crashed(InvocationId id, limits::instance_end::Loss loss) {
  tell([&](auto& out) { core_.crashed(id, loss, now(), wall_now(), out); });
}

void Edge::fleet_broken_off(InvocationId id, std::string_view message, std::string_view source) {
  limits::broken_off::Cause cause{std::string(message), std::string(source)};
  tell([&](auto& out) { core_.broken_off(id, std::move(cause), now(), wall_now(), out); });
}

void Edge::fleet_handler(InvocationId id) { handler_started(id); }

void Edge::fleet_identity(InvocationId id, std::string_view page, std::string_view kind,
                          std::string_view runtime, bool is_static) {
  dispatched(id, to_dispatch(page, kind, runtime, is_static));
}

void Edge::fleet_compile(InvocationId id, bool ended) { ended ? compile_ended(id) : compile_started(id); }

void Edge::code_refused(InvocationId id, const agent::Refused& told) {
  engine_.code_refused(id, {told.what, told.at, told.failed, told.middleware}, now(), wall_now());
}

void Edge::middleware_left(InvocationId id, const std::vector<Hanging>& told, bool stopped) {
  engine_.middleware_left(id, told, stopped, now(), wall_now());
}

void Edge::fleet_connections(InvocationId id, const agent::Connections& c) {
  engine_.connections(
      id, {std::string(c.to), static_cast<std::size_t>(c.count), std::string(c.at), std::string(c.refusal)},
      now(), wall_now());
}

void Edge::middleware_state(InvocationId id, const StateReport& report) {
  engine_.middleware_state(id, report, now(), wall_now());
}

void Edge::fleet_machine(InvocationId id, const agent::Machine& m) {
  const auto kind = limits::machine::kind_of(m.kind);
  const auto doubt = limits::machine::doubt_of(m.doubt);
  if (!kind || !doubt) return;
  engine_.machine(id, {*kind, m.what, m.to, m.at, m.variable, *doubt, m.refused, m.by}, now(), wall_now());
}

void Edge::fleet_made(InvocationId id, const agent::MadeReport& m) {
  // A day is enough for what lasts longer than any run.
  const bool ends = m.every > 0 && m.every < 1e6;
  const Duration every = ends ? Duration(static_cast<std::int64_t>(m.every * 1e9)) : kForever;
  engine_.made_at_build(id, {m.key, m.digest, m.by, m.kind, every, m.read, m.files}, now(), wall_now());
}

void Edge::fleet_revalidated() { engine_.revalidated(now()); }

void Edge::not_traced(InvocationId id, const agent::NotTraced& t) {
  engine_.not_traced(id, to_dispatch(t.page, t.kind, {}, false),
                     {t.what, t.path, t.at, t.route, t.directory, t.excluded}, now(), wall_now());
}

void Edge::fleet_done(InvocationId id, const std::vector<Hanging>& told) {
  tell([&](auto& out) { core_.done(id, told, now(), wall_now(), out); });
}

void Edge::fleet_module_state(InvocationId id, const StateReport& report) {
  engine_.module_state(id, report, now(), wall_now());
}

}  // namespace vsim::app
