#include "app/live.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <random>
#include <span>
#include <utility>

#include "app/clock.hpp"
#include "base/text.hpp"
#include "engine/door.hpp"
#include "event/json_codec.hpp"
#include "net/forward.hpp"
#include "net/session.hpp"
#include "page/page.hpp"
#include "profile/schema.hpp"

namespace vsim::app {
namespace {

constexpr std::string_view kData = "data: ", kJson = "application/json; charset=utf-8";
constexpr Duration kGather = std::chrono::milliseconds(30);
// Blocks that are sent to one reader before requests have their turn again.
constexpr int kAtOnce = 8;

std::string random_name() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}", device(), device());
}

bool is_loopback(std::string_view address) {
  if (address.starts_with("::ffff:")) address.remove_prefix(7);
  return is_loopback_host(address);
}

// What can be POSTed: with one of `names` in its query, or with none.
struct PostedAction {
  std::string_view what;
  std::span<const std::string_view> names;
  std::string_view expects, example;
};
constexpr std::string_view kSwitches[] = {"profile", "set", "time_scale"}, kOne[] = {"instance"};
constexpr PostedAction kActions[] = {
    {"plan", kSwitches, "one of profile, set, time_scale in its query",
     "POST /_vercel-sim/api/plan?profile=pro"},
    {"kill", kOne, "instance in its query", "POST /_vercel-sim/api/kill?instance=i3"},
    {"retire", {}, "no query", "POST /_vercel-sim/api/retire"},
    {"deploy", {}, "no query", "POST /_vercel-sim/api/deploy"},
};

// Null: it is none.
const PostedAction* action_of(std::string_view what) {
  const auto found = std::find_if(std::begin(kActions), std::end(kActions),
                                  [&](const PostedAction& a) { return a.what == what; });
  return found == std::end(kActions) ? nullptr : found;
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
  if (!is_loopback(client.address) || !is_loopback_host(engine::Door::host_of(head.host)))
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

std::string head_of(std::string_view status, std::string_view type, bool keep_alive) {
  return fmt::format(
      "HTTP/1.1 {}\r\nContent-Type: {}\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
      "Referrer-Policy: no-referrer\r\nCross-Origin-Resource-Policy: same-origin\r\n"
      "X-Frame-Options: DENY\r\nContent-Security-Policy: frame-ancestors 'none'\r\nDate: {}\r\n{}",
      status, type, net::http_date(), keep_alive ? "" : "Connection: close\r\n");
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
    case 503:
      return "503 Service Unavailable";
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

void Live::Block::append(TimePoint start, const event::Stamp& stamp, const event::Event& event) {
  if (text_->empty()) text_->reserve(kBlock + kBlock / 16);  // or it would end with twice as much
  *text_ += kData;
  event::encode(*text_, stamp, event, start);
  *text_ += '\n';
}

void Live::Block::append_left_out(std::uint64_t count) {
  fmt::format_to(std::back_inserter(*text_), "event: left_out\n{}{{\"events\":{}}}\n\n", kData, count);
}

std::shared_ptr<const std::string> Live::Block::picture(bool grows) const {
  return grows ? std::make_shared<const std::string>(*text_) : text_;
}

void Live::on_event(const event::Stamp& stamp, const event::Event& event) {
  metrics_.on_event(event);
  if (std::holds_alternative<event::RunStopped>(event)) {  // no timer comes any more
    gather_.reset();
    gathers_ = false;
  }
  if (flood_.leaves_out(stamp, event)) {  // behind those of its second that are shown
    ++left_out_;
    ++blocks_.back().left_out;
    blocks_.back().last = stamp.seq;
    return;
  }
  mark_left_out();
  if (blocks_.empty() || blocks_.back().text().size() >= kBlock) {
    if (blocks_.size() == kMostBlocks) forget_oldest();
    blocks_.emplace_back(stamp.seq);
  }
  blocks_.back().last = stamp.seq;
  blocks_.back().append(start_, stamp, event);
}

void Live::mark_left_out() {
  if (left_out_ > 0) blocks_.back().append_left_out(std::exchange(left_out_, 0));
}

// A page draws thirty times a second: what comes within that time goes out in one piece.
void Live::on_pause() {
  if (readers_.empty() || gathers_) return;
  const TimePoint due = told_at_ + kGather, at = now();
  if (at >= due || !gather_) return tell_all();
  gathers_ = true;
  gather_->expires_at(to_steady(due));
  gather_->async_wait([this](boost::system::error_code error) {
    if (!error) tell_all();
  });
}

void Live::tell_all() {
  gathers_ = false;
  told_at_ = now();
  // A reader may leave while it is told: backwards, since on_gone() then takes it out.
  for (std::size_t i = readers_.size(); i-- > 0;)
    if (readers_[i].session->takes_more()) tell(readers_[i]);
}

// The store gives up its oldest events, but not the word on what still is there.
void Live::forget_oldest() {
  each_event_line(blocks_.front().text(), [&](std::string_view line) { keep_line(line); });
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

template <class Take>
void Live::each_kept(Take take) const {
  for (const auto* line : {&run_started_, &profile_changed_, &app_changed_, &deployed_})
    if (!line->empty()) take(*line);
  for (const auto& [name, line] : instances_) take(line);
}

std::string Live::hello() const {
  std::string out =
      fmt::format("retry: 1000\nevent: hello\ndata: {{\"run\":\"{}\",\"left_out\":{},\"at_ms\":{}", run_,
                  forgotten(), (now() - start_) / std::chrono::milliseconds(1));
  if (!token_.empty())
    out += fmt::format(R"(,"takes_actions":true,"profiles":["{}"])",
                       fmt::join(profile::kBuiltinProfiles, "\",\""));
  out += "}\n\n";
  each_kept([&](const std::string& line) {
    out.append("event: kept\n").append(kData).append(line).append("\n\n");
  });
  return out;
}

// As it is now.
void Live::picture(const Question& question, ApiWorld& world) {
  world.run = run_;
  world.at = now() - start_;
  world.left_out = forgotten();
  for (const Block& block : blocks_) world.left_out += block.left_out;
  world.takes_actions = !token_.empty();
  if (question.path == "plan") world.profile = profile_();
  if (question.path.starts_with("invocations/")) world.notes = notes_.picture();
  each_kept([&](const std::string& line) { world.kept.push_back(line); });
  for (const Block& block : blocks_) world.events.push_back(block.picture(&block == &blocks_.back()));
}

void Live::request_head(InvocationId id, TimePoint at, std::span<const http::Header> headers) {
  if (flood_.has_left_out(id)) return notes_.leave_out();
  notes_.head(Note::Kind::request, id, at - start_, headers);
}

void Live::response_head(InvocationId id, TimePoint at, std::span<const http::Header> headers,
                         std::string_view more, bool drop_server) {
  if (flood_.has_left_out(id)) return notes_.leave_out();
  notes_.head(Note::Kind::response, id, at - start_, headers, more, drop_server);
}

void Live::answered(InvocationId id, TimePoint at, std::string_view response) {
  if (flood_.has_left_out(id)) return notes_.leave_out();
  notes_.answer(id, at - start_, response);
}

void Live::printed(TimePoint at, const OutputLine& line) {
  std::string_view text = line.text;
  if (!line.instance.empty()) text.remove_prefix(std::min(line.instance.size() + 3, text.size()));  // "[i3] "
  notes_.line(at - start_, line.instance, text, line.error);
}

void Live::passing(TimePoint at, const event::BytesPassed& passed) {
  std::string text = "event: passing\n";
  text += kData;
  event::encode(text, {0, at, wall_at(at)}, passed, start_);
  text += '\n';
  for (const Reader& r : readers_)
    if (r.session->takes_more()) r.session->say_more(text);
}

void Live::answer_on(boost::asio::io_context* io) {
  io_ = io;
  questions_.reset();
  gather_.reset();
  gathers_ = false;
  if (io == nullptr) return;
  gather_.emplace(*io);
  questions_ = std::make_unique<Questions>(
      *io, [this](const Question& question, ApiWorld& out) { picture(question, out); },
      [](int status, std::size_t size) {
        return head_of(reason_of(status), kJson, false) + fmt::format("Content-Length: {}\r\n\r\n", size);
      });
}

// What changes the run: POST, with the token of the terminal, and all there is to say in the query. 200:
// done, and what `run` says then is the answer.
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
  const PostedAction& action = *action_of(what);
  const auto& names = action.names;
  const bool is_one = std::find(names.begin(), names.end(), name) != names.end() && !value.empty() &&
                      query.find('&') == std::string_view::npos;
  if (names.empty() ? !query.empty() : !is_one)
    return {400, api_error(fmt::format("POST {} expects {}", what, action.expects), action.example)};
  const std::string why = act_(what == "plan" ? name : what, value);
  if (!why.empty()) return {409, api_error(why)};
  return {};
}

// One block at a time: what a reader does not take is never more than that.
void Live::tell(Reader& r) {
  net::Session& session = *r.session;
  mark_left_out();
  for (int sent = 0; session.takes_more(); ++sent) {
    if (sent == kAtOnce) return tell_on();
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
    const std::string_view text = block.text();
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

// Who takes all that is written gets more when requests have had their turn.
void Live::tell_on() {
  if (io_ == nullptr || std::exchange(telling_on_, true)) return;
  boost::asio::post(*io_, [this] {
    telling_on_ = false;
    tell_all();
  });
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
  const bool head_only = head.method == "HEAD", keep_alive = session.may_keep_alive();
  if (head.path == "/_vercel-sim")
    return answer_whole(decision,
                        head_of("308 Permanent Redirect", kText, keep_alive) + "Location: /_vercel-sim/\r\n",
                        {}, head_only),
           true;
  if (!page && !events && !metrics && !api) return false;
  const std::string_view what = api ? head.path.substr(kApi.size()) : std::string_view();
  const bool is_action = action_of(what) != nullptr;
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
                                    : ApiAnswer{};
    if (answer.status == 200)
      return ask(session, {std::string(acts ? "run" : what), acts ? "" : std::string(query), head_only},
                 decision),
             true;
    std::string top = head_of(reason_of(answer.status), kJson, keep_alive);
    if (answer.status == 405) top += fmt::format("Allow: {}\r\n", allowed);
    answer_whole(decision, std::move(top), answer.body, head_only);
  } else if (!may) {
    answer_whole(decision, head_of("405 Method Not Allowed", kText, keep_alive) + "Allow: GET, HEAD\r\n",
                 "this is for reading only\n", false);
  } else if (!why.empty()) {
    answer_whole(decision, head_of("403 Forbidden", kText, keep_alive), why, head_only);
  } else if (metrics) {
    answer_whole(decision, head_of("200 OK", Metrics::kType, keep_alive), metrics_.text(dropped_), head_only);
  } else if (page) {
    answer_whole(decision, head_of("200 OK", "text/html; charset=utf-8", keep_alive), page::live(),
                 head_only);
  } else if (head_only) {
    answer_whole(decision, head_of("200 OK", "text/event-stream", keep_alive), {}, true);
  } else if (readers_.size() >= kMostReaders) {
    answer_whole(decision, head_of("503 Service Unavailable", kText, keep_alive),
                 "too many pages are open: close some\n", false);
  } else {
    follow(session, decision);
  }
  return true;
}

void Live::ask(net::Session& session, Question question, net::RequestDecision& decision) {
  if (!questions_ || !questions_->ask(session, std::move(question)))
    return answer_whole(decision, head_of(reason_of(503), kJson, session.may_keep_alive()),
                        api_error("too many ask at once", "ask one after the other"), false);
  decision.kind = net::RequestDecision::Kind::feed;
  decision.feed = questions_.get();
}

void Live::follow(net::Session& session, net::RequestDecision& decision) {
  Reader reader;
  reader.session = &session;
  reader.block = first_block_;
  reader.seen = forgotten();
  readers_.push_back(reader);
  has_new_reader_ = true;
  decision.kind = net::RequestDecision::Kind::feed;
  decision.feed = this;
  // Its end is the connection's: no length, no chunks.
  decision.response = head_of("200 OK", "text/event-stream", false) + "\r\n" + hello();
}

}  // namespace vsim::app
