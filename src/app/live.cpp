#include "app/live.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "app/clock.hpp"
#include "base/text.hpp"
#include "engine/door.hpp"
#include "event/json_codec.hpp"
#include "net/forward.hpp"
#include "net/session.hpp"
#include "page/page.hpp"

namespace vsim::app {
namespace {

constexpr std::string_view kData = "data: ";

std::string random_name() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}", device(), device());
}

bool is_loopback(std::string_view address) {
  if (address.starts_with("::ffff:")) address.remove_prefix(7);
  return address.starts_with("127.") || address == "::1";
}

bool is_loopback_name(std::string_view authority) {
  const std::string host = engine::Door::host_of(authority);
  return host == "localhost" || host.ends_with(".localhost") || is_loopback(host);
}

struct Asked {
  std::string_view origin, site, mode, dest, token;
};

Asked asked_by(const net::http1::RequestHead& head) {
  Asked out;
  for (const auto& h : head.headers) {
    if (h.field == net::http1::Field::origin)
      out.origin = h.value;
    else if (iequals(h.name, "sec-fetch-site"))
      out.site = h.value;
    else if (iequals(h.name, "sec-fetch-mode"))
      out.mode = h.value;
    else if (iequals(h.name, "sec-fetch-dest"))
      out.dest = h.value;
    else if (iequals(h.name, "x-vercel-sim-token"))
      out.token = h.value;
  }
  return out;
}

// Why it is not shown; empty: it is.
std::string_view refusal(const net::http1::RequestHead& head, const net::ClientInfo& client, bool page) {
  if (!is_loopback(client.address) || !is_loopback_name(head.host))
    return "this page is for a browser on the machine that vercel-sim runs on: open it at localhost\n";
  const Asked by = asked_by(head);
  const std::size_t scheme = by.origin.find("://");
  const bool own_origin =
      by.origin.empty() || (scheme != std::string_view::npos && by.origin.substr(scheme + 3) == head.host);
  const bool own_site = by.site.empty() || by.site == "none" || by.site == "same-origin";
  const bool followed_link = page && by.mode == "navigate" && by.dest == "document";
  if (!own_origin || !(own_site || followed_link)) return "a page of another site asked for this\n";
  return {};
}

std::string head_of(std::string_view status, std::string_view type, const net::Session& session) {
  return fmt::format(
      "HTTP/1.1 {}\r\nContent-Type: {}\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
      "Referrer-Policy: no-referrer\r\nCross-Origin-Resource-Policy: same-origin\r\n"
      "X-Frame-Options: DENY\r\nContent-Security-Policy: frame-ancestors 'none'\r\nDate: {}\r\n{}",
      status, type, net::http_date(), session.may_keep_alive() ? "" : "Connection: close\r\n");
}

// In a time that does not tell how much of it is right.
bool is_same(std::string_view a, std::string_view b) {
  unsigned char different = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i)
    different = static_cast<unsigned char>(different | (a[i] ^ b[i]));
  return different == 0;
}

std::string_view reason_of(int status) {
  switch (status) {
    case 200:
      return "200 OK";
    case 400:
      return "400 Bad Request";
    case 403:
      return "403 Forbidden";
    case 405:
      return "405 Method Not Allowed";
    case 409:
      return "409 Conflict";
    default:
      return "404 Not Found";
  }
}

void answer_whole(net::RequestDecision& decision, std::string head, std::string_view body, bool head_only) {
  decision.response = std::move(head);
  decision.response += fmt::format("Content-Length: {}\r\n\r\n", body.size());
  if (!head_only) decision.response += body;
}

}  // namespace

Live::Live(TimePoint start, std::function<const profile::Profile&()> profile, Act act)
    : start_(start),
      run_(random_name()),
      profile_(std::move(profile)),
      act_(std::move(act)),
      token_(act_ ? random_name() : std::string()) {}

void Live::Block::own(std::string_view& word) {
  if (word.empty()) return;
  char* copy = static_cast<char*>(words_.allocate(word.size(), 1));
  std::copy(word.begin(), word.end(), copy);
  word = {copy, word.size()};
  waiting_size_ += word.size();
}

bool Live::Block::keep(const event::Stamp& stamp, const event::Event& event) {
  constexpr std::size_t kNames = 300;  // what JSON adds to the words, about
  const auto* said = std::get_if<event::InvocationEnded>(&event);
  if (said == nullptr ? !std::holds_alternative<event::InvocationStarted>(event) : !said->verdicts.empty())
    return false;
  event::Event& kept = waiting_.emplace_back(stamp, event).second;
  if (auto* started = std::get_if<event::InvocationStarted>(&kept))
    for (auto* word : {&started->request_id, &started->method, &started->target}) own(*word);
  if (auto* ended = std::get_if<event::InvocationEnded>(&kept))
    for (auto* word : {&ended->request_id, &ended->method, &ended->target, &ended->route, &ended->file,
                       &ended->kind, &ended->runtime, &ended->instance, &ended->start})
      own(*word);
  waiting_size_ += kNames;
  return true;
}

std::string& Live::Block::written(TimePoint start) {
  for (const auto& [stamp, event] : waiting_) {
    text_ += kData;
    event::encode(text_, stamp, event, start);
    text_ += '\n';
  }
  waiting_.clear();
  words_.release();
  waiting_size_ = 0;
  return text_;
}

void Live::on_event(const event::Stamp& stamp, const event::Event& event) {
  metrics_.on_event(event);
  if (blocks_.empty() || blocks_.back().size() >= kBlock) {
    if (blocks_.size() == kMostBlocks) forget_oldest();
    blocks_.emplace_back(stamp.seq);
  }
  Block& block = blocks_.back();
  block.last = stamp.seq;
  if (readers_.empty() && block.keep(stamp, event)) return;
  std::string& text = block.written(start_);
  text += kData;
  event::encode(text, stamp, event, start_);
  text += '\n';
}

void Live::on_pause() {
  // A reader may leave while it is told: backwards, since on_gone() then takes it out.
  for (std::size_t i = readers_.size(); i-- > 0;)
    if (readers_[i].session->takes_more()) tell(readers_[i]);
}

// The store gives up its oldest events, but not the word on what still is there.
void Live::forget_oldest() {
  std::string_view text = blocks_.front().written_before();  // what waits behind it is of requests only
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    keep_line(text.substr(kData.size(), end - kData.size()));
    text.remove_prefix(end + 2);
  }
  blocks_.pop_front();
  ++first_block_;
}

void Live::keep_line(std::string_view line) {
  const std::string_view type = value_of(line.substr(0, 40), "t");
  if (type == "run_started") run_started_ = line;
  if (type == "profile_changed") profile_changed_ = line;
  if (type == "app_changed") app_changed_ = line;
  if (type == "deployed") deployed_ = line;
  if (type != "instance_changed") return;
  const std::string_view instance = value_of(line, "instance");
  if (value_of(line, "to") == "dead") {
    if (const auto known = instances_.find(instance); known != instances_.end()) instances_.erase(known);
  } else {
    instances_.insert_or_assign(std::string(instance), std::string(line));
  }
}

void Live::each_kept(const ApiWorld::Take& take) const {
  for (const auto* line : {&run_started_, &profile_changed_, &app_changed_, &deployed_})
    if (!line->empty()) take(*line);
  for (const auto& [name, line] : instances_) take(line);
}

std::string Live::hello() const {
  std::string out =
      fmt::format("retry: 1000\nevent: hello\ndata: {{\"run\":\"{}\",\"left_out\":{},\"at_ms\":{}}}\n\n",
                  run_, left_out(), (now() - start_) / std::chrono::milliseconds(1));
  each_kept(
      [&](std::string_view line) { out.append("event: kept\n").append(kData).append(line).append("\n\n"); });
  return out;
}

ApiAnswer Live::ask(std::string_view path, std::string_view query) {
  ApiWorld world;
  world.run = run_;
  world.at = now() - start_;
  world.left_out = left_out();
  world.takes_actions = !token_.empty();
  world.profile = &profile_();
  world.kept = [this](const ApiWorld::Take& take) { each_kept(take); };
  world.events = [this](const ApiWorld::Take& take) {
    for (Block& block : blocks_)
      for (std::string_view text = block.written(start_); !text.empty();) {
        const std::size_t end = text.find('\n');
        take(text.substr(kData.size(), end - kData.size()));
        text.remove_prefix(end + 2);
      }
  };
  return ask_api(path, query, world);
}

// What changes the run: POST, with the token of the terminal, and all there is to say in the query.
ApiAnswer Live::act(const net::http1::RequestHead& head, std::string_view what, std::string_view query) {
  if (token_.empty()) return {403, api_error("nothing can be changed in this run", "vercel-sim run")};
  if (!is_same(asked_by(head).token, token_))
    return {403,
            api_error("this changes the run, and needs its token",
                      "the field X-Vercel-Sim-Token: what stands behind # in the link of the live page, in "
                      "the terminal")};
  const std::size_t equals = std::min(query.find('='), query.size());
  const std::string name = query_decoded(query.substr(0, equals));
  const std::string value = query_decoded(query.substr(std::min(equals + 1, query.size())));
  const bool is_switch = what == "plan";
  if (is_switch ? (name != "profile" && name != "set" && name != "time_scale") || value.empty() ||
                      query.find('&') != std::string_view::npos
                : !query.empty())
    return {400,
            api_error(fmt::format("POST {} expects {}", what,
                                  is_switch ? "one of profile, set, time_scale in its query" : "no query"),
                      "POST /_vercel-sim/api/plan?profile=pro")};
  const std::string why = act_(is_switch ? name : what, value);
  if (!why.empty()) return {409, api_error(why)};
  return ask("run", {});
}

// One block at a time: what a reader does not take is never more than that.
void Live::tell(Reader& r) {
  net::Session& session = *r.session;
  while (session.takes_more()) {
    if (r.block < first_block_) {
      const std::uint64_t lost = blocks_.front().first - 1 - r.seen;
      r.dropped += lost;
      dropped_ += lost;
      r.seen += lost;
      r.block = first_block_;
      r.at = 0;
      session.say_more(
          fmt::format("event: dropped\ndata: {{\"events\":{},\"all\":{}}}\n\n", lost, r.dropped));
      continue;
    }
    const std::size_t index = r.block - first_block_;
    if (index >= blocks_.size()) return;
    Block& block = blocks_[index];
    const std::string_view text = block.written(start_);
    if (r.at < text.size()) {
      const std::string_view more = text.substr(r.at);
      r.at = text.size();
      r.seen = block.last;
      session.say_more(more);
    }
    if (index + 1 == blocks_.size()) return;
    ++r.block;
    r.at = 0;
  }
}

void Live::on_taken(net::Session& session) {
  for (Reader& r : readers_)
    if (r.session == &session) return tell(r);
}

void Live::on_gone(net::Session& session) {
  std::erase_if(readers_, [&](const Reader& r) { return r.session == &session; });
}

bool Live::answer(net::Session& session, const net::http1::RequestHead& head, const net::ClientInfo& client,
                  net::RequestDecision& decision) {
  constexpr std::string_view kApi = "/_vercel-sim/api/", kText = "text/plain; charset=utf-8";
  const bool page = head.path == "/_vercel-sim/", events = head.path == "/_vercel-sim/events",
             metrics = head.path == "/_vercel-sim/metrics", api = head.path.starts_with(kApi);
  const bool head_only = head.method == "HEAD";
  if (head.path == "/_vercel-sim")
    return answer_whole(decision,
                        head_of("308 Permanent Redirect", kText, session) + "Location: /_vercel-sim/\r\n", {},
                        head_only),
           true;
  if (!page && !events && !metrics && !api) return false;
  const std::string_view what = api ? head.path.substr(kApi.size()) : std::string_view();
  const bool is_action = what == "plan" || what == "retire" || what == "deploy";
  const bool acts = head.method == "POST" && is_action;
  const std::string_view allowed = !is_action ? "GET, HEAD" : what == "plan" ? "GET, HEAD, POST" : "POST";
  const bool may = acts || ((head.method == "GET" || head_only) && allowed != "POST");
  const std::string_view why = refusal(head, client, page);
  const std::string_view query = head.target.substr(std::min(head.path.size() + 1, head.target.size()));
  if (api) {
    const ApiAnswer answer = !why.empty() ? ApiAnswer{403, api_error(why.substr(0, why.size() - 1))}
                             : !may
                                 ? ApiAnswer{405, api_error(fmt::format("{} is for {}", head.path, allowed))}
                             : acts ? act(head, what, query)
                                    : ask(what, query);
    std::string top = head_of(reason_of(answer.status), "application/json; charset=utf-8", session);
    if (answer.status == 405) top += fmt::format("Allow: {}\r\n", allowed);
    answer_whole(decision, std::move(top), answer.body, head_only);
  } else if (!may) {
    answer_whole(decision, head_of("405 Method Not Allowed", kText, session) + "Allow: GET, HEAD\r\n",
                 "this is for reading only\n", false);
  } else if (!why.empty()) {
    answer_whole(decision, head_of("403 Forbidden", kText, session), why, head_only);
  } else if (metrics) {
    answer_whole(decision, head_of("200 OK", Metrics::kType, session), metrics_.text(dropped_), head_only);
  } else if (page) {
    answer_whole(decision, head_of("200 OK", "text/html; charset=utf-8", session), page::live(), head_only);
  } else if (head_only) {
    answer_whole(decision, head_of("200 OK", "text/event-stream", session), {}, true);
  } else if (readers_.size() >= kMostReaders) {
    answer_whole(decision, head_of("503 Service Unavailable", kText, session),
                 "too many pages are open: close some\n", false);
  } else {
    follow(session, decision);
  }
  return true;
}

void Live::follow(net::Session& session, net::RequestDecision& decision) {
  Reader reader;
  reader.session = &session;
  reader.block = first_block_;
  reader.seen = left_out();
  readers_.push_back(reader);
  decision.kind = net::RequestDecision::Kind::feed;
  decision.feed = this;
  // Its end is the connection's: no length, no chunks.
  decision.response = head_of("200 OK", "text/event-stream", session);
  if (session.may_keep_alive()) decision.response += "Connection: close\r\n";
  decision.response += "\r\n" + hello();
}

}  // namespace vsim::app
