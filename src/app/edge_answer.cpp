// Edge: what goes back to a client. The app's answer with what the platform adds to it, or an answer of our
// own: errors of the platform, the page and the health of this program.
#include "agent/dispatch.hpp"
#include "agent/meta.hpp"
#include "agent/secrets.hpp"
#include "app/agent_words.hpp"
#include "app/clock.hpp"
#include "app/edge_impl.hpp"
#include "base/text.hpp"
#include "engine/classify.hpp"
#include "limits/platform_error.hpp"
#include "net/forward.hpp"

namespace vsim::app {
namespace {

using net::http1::Field;
using net::http1::HeadError;

struct Refusal {
  limits::Code code;
  int status;
};
Refusal refusal(HeadError error) {
  switch (error) {
    case HeadError::uri_too_long:
      return {limits::Code::url_too_long, 0};
    case HeadError::head_too_large:
      return {limits::Code::request_header_too_large, 0};
    case HeadError::method:
      return {limits::Code::invalid_request_method, 0};
    case HeadError::not_implemented:
      return {limits::Code::bad_request, 501};
    case HeadError::version:
      return {limits::Code::bad_request, 505};
    case HeadError::expectation:
      return {limits::Code::bad_request, 417};
    default:
      return {limits::Code::bad_request, 0};
  }
}

}  // namespace

bool Edge::turned_away(net::Session& session, const net::http1::RequestHead& head,
                       net::RequestDecision& decision) {
  engine::Visit visit;
  visit.authority = head.host;
  visit.upgrade = head.websocket;
  visit.dev_internal = engine::is_dev_internal(head.path);
  if (visit.upgrade || visit.dev_internal) {
    for (const auto& h : head.headers) {
      if (h.field == Field::origin)
        visit.origin = h.value;
      else if (h.field == Field::other && iequals(h.name, "sec-fetch-site"))
        visit.sec_fetch_site = h.value;
      else if (h.field == Field::other && iequals(h.name, "sec-fetch-mode"))
        visit.sec_fetch_mode = h.value;
    }
  }
  const engine::Door::Answer answer = options_.door.ask(visit);
  if (answer == engine::Door::Answer::enter) return false;
  const limits::Code code = answer == engine::Door::Answer::host_not_allowed
                                ? limits::Code::sim_host_not_allowed
                                : limits::Code::sim_origin_not_allowed;
  const RequestTag tag = engine_.reject_malformed(code, limits_head(head), now(), wall_now());
  decision.response = error_text(&session, code, 0, tag.view(), session.may_keep_alive());
  return true;
}

void Edge::own_page(net::Session& session, const net::http1::RequestHead& head, const net::ClientInfo& client,
                    net::RequestDecision& decision) {
  if (live_ != nullptr && live_->answer(session, head, client, decision)) {
    if (live_->is_read()) watch_.start();
    return;
  }
  const bool health = head.path == "/_vercel-sim/health" && (head.method == "GET" || head.method == "HEAD");
  const std::string body = health ? (ready() ? "{\"status\":\"ready\"}\n" : "{\"status\":\"starting\"}\n")
                                  : "{\"error\":\"not found\"}\n";
  std::string& out = decision.response;
  out = !health   ? "HTTP/1.1 404 Not Found\r\n"
        : ready() ? "HTTP/1.1 200 OK\r\n"
                  : "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n";
  line(out, "Content-Type", "application/json; charset=utf-8");
  line(out, "Cache-Control", "no-store");
  line(out, "Date", net::http_date());
  line(out, "Content-Length", std::to_string(body.size()));
  if (!session.may_keep_alive()) line(out, "Connection", "close");
  out += "\r\n";
  if (head.method != "HEAD") out += body;
}

std::string Edge::error_text(const net::Session* session, limits::Code code, int status, std::string_view tag,
                             bool keep_alive, bool head_only) {
  const std::string id = options_.region + "::" + std::string(tag);
  limits::PlatformErrorRequest request;
  request.code = code;
  request.status = status;
  request.id = id;
  request.date = net::http_date();
  request.https = options_.https;
  request.keep_alive = keep_alive;
  request.head_only = head_only || (session != nullptr && session->head_method());
  if (session != nullptr) {
    request.accept = session->accept();
    request.host = session->host();
  }
  return limits::render_platform_error(request);
}

std::string Edge::answer_text(net::ExchangeId id, const net::Session& session, const Exchange& exchange,
                              limits::Code code) {
  std::string text = error_text(&session, code, 0, exchange.tag.view(), session.may_keep_alive());
  if (live_ != nullptr) live_->answered(invocation(id), now(), text);
  return text;
}

std::string Edge::on_malformed(const net::http1::RequestHead& head, HeadError error, std::string_view,
                               const net::ClientInfo&) {
  const Refusal why = refusal(error);
  const RequestTag tag = engine_.reject_malformed(why.code, limits_head(head), now(), wall_now(), why.status);
  return error_text(nullptr, why.code, why.status, tag.view(), false, head.method == "HEAD");
}

void Edge::on_response_head(net::Session& session, net::ExchangeId id, const net::http1::ResponseHead& head,
                            net::ResponseDecision& decision) {
  Exchange* exchange = find(id);
  if (exchange == nullptr) return;
  engine::ResponseInfo info;
  info.status = head.status;
  if (head.body.kind == net::http1::BodyKind::length) info.content_length = head.body.length;
  if (exchange->for_sockets)
    for (const auto& h : head.headers) {
      if (iequals(h.name, "content-type")) info.content_type = h.value;
      if (iequals(h.name, "location")) info.location = h.value;
    }
  const TimePoint at = now();
  if (isolated(*exchange) && is_word_of_app(id, *exchange, head)) {
    decision.dispatch = true;
    return;
  }
  const bool of_instance = loop_.core().on_instance(invocation(id));
  if (of_instance && head.status != 100 && head.status != 103) read_meta(id, *exchange, head, info, at);
  if (!options_.token.empty() && !exchange->internal && !of_instance) {
    info.direct = true;
    for (const auto& h : head.headers) {
      if (h.field != Field::x_vsim) continue;
      // Nobody has asked where this function is to be run: what it holds is not for a client.
      if (agent::dispatch_field(h.name, h.value, options_.token)) return unexpected(session, id, decision);
      // The answer may overtake the control channel: the head itself says which function it comes from.
      if (const auto meta = agent::parse_meta(h.name, h.value, options_.token)) {
        info.direct = false;
        info.unseen = meta->unseen;
        engine_.dispatched(invocation(id),
                           to_dispatch(meta->page, meta->kind, meta->runtime, meta->is_static), at);
      }
    }
  }
  const limits::Code replaced = loop_.tell(at, [&](core::Core& core, const core::Moment& m, auto& out) {
    return core.response_head(invocation(id), info, m, out);
  });
  exchange = find(id);
  if (exchange == nullptr) return;
  if (replaced != limits::Code::none) {
    decision.replace = answer_text(id, session, *exchange, replaced);
    forget(id);
    return;
  }
  if (recorder_ != nullptr) recorder_->responds(invocation(id), head);
  const bool is_final = head.status >= 200 || head.status == 101;
  if (exchange->internal) return;
  if (info.direct || head.status == 101) {
    if (live_ != nullptr && is_final) live_->response_head(invocation(id), at, head.headers, {}, false);
    return;
  }
  decision.drop_server = true;
  response_extra_.assign("Server: Vercel\r\nX-Vercel-Cache: MISS\r\nX-Vercel-Id: ");
  response_extra_.append(options_.region)
      .append("::")
      .append(options_.region)
      .append("::")
      .append(exchange->tag.view())
      .append("\r\n");
  decision.extra = response_extra_;
  if (live_ != nullptr && is_final)
    live_->response_head(invocation(id), at, head.headers, response_extra_, true);
}

// No answer yet: where next dev wants the request to run, or an instance that passes it on.
bool Edge::is_word_of_app(net::ExchangeId id, Exchange& exchange, const net::http1::ResponseHead& head) {
  const bool of_instance = loop_.core().on_instance(invocation(id));
  for (const auto& h : head.headers) {
    if (h.field != Field::x_vsim) continue;
    if (of_instance) {
      if (!agent::is_ours(h.name, h.value, "x-vsim-again", exchange.secret)) continue;
      loop_.tell([&](core::Core& core, auto&, auto&) { core.passed_on(invocation(id)); });
    } else {
      auto text = agent::dispatch_field(h.name, h.value, options_.token);
      if (!text) continue;
      exchange.head = std::move(*text);
    }
    return true;
  }
  return false;
}

// What the agent of an instance says of its answer, in its head.
void Edge::read_meta(net::ExchangeId id, const Exchange& exchange, const net::http1::ResponseHead& head,
                     engine::ResponseInfo& info, TimePoint at) {
  for (const auto& h : head.headers) {
    if (h.field != Field::x_vsim) continue;
    const auto says = [&](std::string_view key) { return h.value.find(key) != std::string_view::npos; };
    if (!says(";kept=") && !says(";at=") && !says(";unseen=")) continue;
    const auto meta = agent::parse_meta(h.name, h.value, exchange.secret);
    if (!meta) continue;
    info.unseen = meta->unseen;
    for (const std::string& name : meta->kept) engine_.kept_on_server(invocation(id), name, at, wall_at(at));
    if (!meta->at.empty()) engine_.answer_made_at(invocation(id), meta->at);
  }
}

void Edge::unexpected(net::Session& session, net::ExchangeId id, net::ResponseDecision& decision) {
  const auto failed = loop_.tell([&](core::Core& core, const core::Moment& m, auto& out) {
    return core.connection_failed(invocation(id), UpstreamFailure::garbage, session.totals(), m, out);
  });
  const Exchange* exchange = find(id);
  if (exchange == nullptr) return;
  decision.replace = answer_text(id, session, *exchange, failed.code);
  forget(id);
}

std::string Edge::on_body_over(net::Session& session, net::ExchangeId id) {
  const limits::Code code = loop_.tell([&](core::Core& core, const core::Moment& m, auto& out) {
    return core.request_body_over(invocation(id), m, out);
  });
  if (code == limits::Code::none) return {};
  const Exchange* exchange = find(id);
  std::string out = exchange != nullptr ? answer_text(id, session, *exchange, code)
                                        : error_text(&session, code, 0, {}, session.may_keep_alive());
  forget(id);
  return out;
}

}  // namespace vsim::app
