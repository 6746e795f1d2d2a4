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

// The value of a string field of a line that event::encode wrote; our own words need no unescaping.
std::string_view value_of(std::string_view line, std::string_view key) {
  const std::string name = fmt::format("\"{}\":\"", key);
  const std::size_t at = line.find(name);
  if (at == std::string_view::npos) return {};
  line.remove_prefix(at + name.size());
  return line.substr(0, line.find('"'));
}

struct Asked {
  std::string_view origin, site, mode, dest;
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

void answer_whole(net::RequestDecision& decision, std::string head, std::string_view body, bool head_only) {
  decision.response = std::move(head);
  decision.response += fmt::format("Content-Length: {}\r\n\r\n", body.size());
  if (!head_only) decision.response += body;
}

}  // namespace

Live::Live(TimePoint start) : start_(start), run_(random_name()) {}

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
  if (type != "instance_changed") return;
  const std::string_view instance = value_of(line, "instance");
  if (value_of(line, "to") == "dead") {
    if (const auto known = instances_.find(instance); known != instances_.end()) instances_.erase(known);
  } else {
    instances_.insert_or_assign(std::string(instance), std::string(line));
  }
}

std::string Live::hello() const {
  const std::uint64_t left_out = blocks_.empty() ? 0 : blocks_.front().first - 1;
  std::string out =
      fmt::format("retry: 1000\nevent: hello\ndata: {{\"run\":\"{}\",\"left_out\":{},\"at_ms\":{}}}\n\n",
                  run_, left_out, (now() - start_) / std::chrono::milliseconds(1));
  const auto add = [&](const std::string& line) {
    if (!line.empty()) out.append("event: kept\n").append(kData).append(line).append("\n\n");
  };
  add(run_started_);
  add(profile_changed_);
  add(app_changed_);
  for (const auto& [name, line] : instances_) add(line);
  return out;
}

// One block at a time: what a reader does not take is never more than that.
void Live::tell(Reader& r) {
  net::Session& session = *r.session;
  while (session.takes_more()) {
    if (r.block < first_block_) {
      const std::uint64_t lost = blocks_.front().first - 1 - r.seen;
      r.dropped += lost;
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
  const bool page = head.path == "/_vercel-sim/", events = head.path == "/_vercel-sim/events";
  constexpr std::string_view kText = "text/plain; charset=utf-8";
  const bool head_only = head.method == "HEAD";
  if (head.path == "/_vercel-sim")
    return answer_whole(decision,
                        head_of("308 Permanent Redirect", kText, session) + "Location: /_vercel-sim/\r\n", {},
                        head_only),
           true;
  if (!page && !events) return false;
  if (head.method != "GET" && !head_only) {
    answer_whole(decision, head_of("405 Method Not Allowed", kText, session) + "Allow: GET, HEAD\r\n",
                 "this is for reading only\n", false);
  } else if (const std::string_view why = refusal(head, client, page); !why.empty()) {
    answer_whole(decision, head_of("403 Forbidden", kText, session), why, head_only);
  } else if (page) {
    answer_whole(decision, head_of("200 OK", "text/html; charset=utf-8", session), page::live(), head_only);
  } else if (head_only) {
    answer_whole(decision, head_of("200 OK", "text/event-stream", session), {}, true);
  } else if (readers_.size() >= kMostReaders) {
    answer_whole(decision, head_of("503 Service Unavailable", kText, session),
                 "too many pages are open: close some\n", false);
  } else {
    Reader reader;
    reader.session = &session;
    reader.block = first_block_;
    reader.seen = blocks_.empty() ? 0 : blocks_.front().first - 1;
    readers_.push_back(reader);
    decision.kind = net::RequestDecision::Kind::feed;
    decision.feed = this;
    // Its end is the connection's: no length, no chunks.
    decision.response = head_of("200 OK", "text/event-stream", session);
    if (session.may_keep_alive()) decision.response += "Connection: close\r\n";
    decision.response += "\r\n" + hello();
  }
  return true;
}

}  // namespace vsim::app
