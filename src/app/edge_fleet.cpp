// The edge's part about instances: from next dev's dispatch to an instance, and what becomes of it there.
#include <algorithm>
#include <charconv>
#include <filesystem>

#include "agent/dispatch.hpp"
#include "agent/secrets.hpp"
#include "app/agent_words.hpp"
#include "app/clock.hpp"
#include "app/edge_impl.hpp"

namespace vsim::app {
namespace {

net::ExchangeId exchange_id(InvocationId id) { return static_cast<net::ExchangeId>(id); }

void number(std::string& out, std::uint64_t n) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, n).ptr);
}

}  // namespace

void Edge::on_dispatch(net::Session& session, net::ExchangeId id, std::string_view text) {
  Exchange* exchange = find(id);
  if (exchange == nullptr) return session.answer({});
  loop_.core().on_instance(invocation(id)) ? pass_on(session, id, *exchange)
                                           : dispatch(session, id, *exchange, text);
}

// Next's "no fallback": the router goes on behind the pages that have been tried.
void Edge::pass_on(net::Session& session, net::ExchangeId id, Exchange& exchange) {
  if (!exchange.skip.empty()) exchange.skip += ',';
  exchange.skip += agent::page_field(exchange.page);
  loop_.tell([&](core::Core& core, const core::Moment& m, auto&) { core.again(invocation(id), m.now); });
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
  loop_.tell([&](core::Core& core, const core::Moment& m, auto&) {
    core.engine().dispatched(
        invocation(id), to_dispatch(answer->page, answer->kind, answer->runtime, answer->is_static), m.now);
  });
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
  const bool left = session.client_half_closed();
  const core::Dispatched of{answer->page, answer->kind, answer->runtime, answer->head};
  loop_.tell([&](core::Core& core, const core::Moment& m, auto& out) {
    core.request(invocation(id), of, answer->generation, m, out);
    if (left) core.client_half_closed(invocation(id), m, out);
  });
}

void Edge::send(InvocationId id, const Placed& placed) {
  Exchange* exchange = find(exchange_id(id));
  if (exchange == nullptr)
    return loop_.tell([&](core::Core& core, const core::Moment& m, auto& out) { core.unsent(id, m, out); });
  exchange->secret = placed.secret;
  exchange->head.append("X-Vsim-Id: ").append(exchange->secret).append(".");
  number(exchange->head, exchange_id(id));
  exchange->head.append("\r\n");
  exchange->session->send_to(placed.pool, std::move(exchange->head));
}

void Edge::not_there(InvocationId id) {
  tell_lost_sockets();
  fail(exchange_id(id), UpstreamFailure::refused, {});
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

}  // namespace vsim::app
