#include "app/recorder.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "replay/resend.hpp"

namespace vsim::app {
namespace {

using net::http1::BodyKind;
using net::http1::Field;

// Of one body. Above every plan's limit (4.5 MB); what is longer could only be sent where the limit is
// observed and not enforced, and is recorded as cut.
constexpr std::size_t kMostBody = 8u << 20;
constexpr std::size_t kRecent = 1024;

std::uint64_t number(InvocationId id) { return static_cast<std::uint64_t>(id); }

}  // namespace

void Recorder::arrived(const net::http1::RequestHead& head, TimePoint at) {
  Open& open = arriving_.emplace(Open());
  replay::RecordedRequest& r = open.request;
  open.arrived = at;
  if (zero_) r.at = std::max(at - *zero_, Duration::zero());
  r.method = head.method;
  r.target = head.target;
  r.upgrade = head.websocket;
  r.headers.reserve(head.headers.size());
  for (const auto& h : head.headers) {
    if (h.field != Field::x_vsim)
      r.headers.push_back({std::string(h.name), std::string(h.value)});
    else if (iequals(h.name, replay::kMark))
      open.mark = h.value;
  }
  if (head.body.kind == BodyKind::none || (head.body.kind == BodyKind::length && head.body.length == 0))
    return;
  r.body.whole = false;
  if (head.body.kind == BodyKind::length) r.body.size = head.body.length;
  if (bodies_) open.copy = std::make_shared<net::BodyCopy>(kMostBody);
}

std::shared_ptr<net::BodyCopy> Recorder::admitted(InvocationId id) {
  if (!arriving_) return nullptr;
  auto copy = arriving_->copy;
  arriving_->request.n = ++arrivals_;
  open_.insert_or_assign(number(id), std::move(*arriving_));
  arriving_.reset();
  return copy;
}

void Recorder::responds(InvocationId id, const net::http1::ResponseHead& head) {
  const auto found = open_.find(number(id));
  if (found == open_.end()) return;
  for (const auto& h : head.headers) {
    if (h.field != Field::set_cookie) continue;
    if (auto cookie = replay::parse_set_cookie(h.value))
      found->second.request.outcome.set_cookies.push_back(std::move(*cookie));
  }
}

void Recorder::client_left(InvocationId id, TimePoint at) {
  if (const auto found = open_.find(number(id)); found != open_.end())
    found->second.request.outcome.left = at - found->second.arrived;
}

void Recorder::end(Open&& open, const event::InvocationEnded& e) {
  replay::RecordedRequest& r = open.request;
  if (r.n == 0) r.n = ++arrivals_;
  r.id = e.request_id;
  if (open.copy) {
    r.body.whole = open.copy->whole();
    r.body.size = std::max(r.body.size, open.copy->seen);
    r.body.bytes = std::move(open.copy->bytes);
    open.copy->most = 0;  // what still passes is for nobody
  }
  replay::RecordedOutcome& x = r.outcome;
  x.ended_by = e.outcome.ended_by;
  x.phase = e.outcome.phase;
  x.traffic = e.traffic;
  x.status = e.status;
  x.route = e.route;
  x.file = e.file;
  x.kind = e.kind;
  x.total = e.total;
  x.charged = e.charged;
  const auto add = [&](limits::Code code) {
    if (code != limits::Code::none && std::find(x.codes.begin(), x.codes.end(), code) == x.codes.end())
      x.codes.push_back(code);
  };
  const bool warned = std::any_of(e.verdicts.begin(), e.verdicts.end(), [&](const limits::Verdict& v) {
    return v.code == e.outcome.code && !v.enforced;
  });
  // What strikes after the client has left, nobody sees: it counts where the engine gave a verdict.
  if (!warned && !x.left) add(e.outcome.code);
  for (const limits::Verdict& v : e.verdicts)
    if (v.enforced) add(v.code);
  if (!e.instance.empty()) {
    recent_.emplace_back(number(e.id), r.n);
    if (recent_.size() > kRecent) recent_.pop_front();
  }
  target_.ended(std::move(r), open.mark);
}

void Recorder::on_event(const event::Stamp& stamp, const event::Event& event) {
  if (const auto* e = std::get_if<event::InvocationEnded>(&event)) {
    if (e->id == InvocationId::none) {
      if (!arriving_) return;  // a head that could not be read
      Open open = std::move(*arriving_);
      arriving_.reset();
      return end(std::move(open), *e);
    }
    const auto found = open_.find(number(e->id));
    if (found == open_.end()) return;
    Open open = std::move(found->second);
    open_.erase(found);
    return end(std::move(open), *e);
  }
  if (const auto* e = std::get_if<event::BackgroundWork>(&event)) {
    const auto found = std::find_if(recent_.rbegin(), recent_.rend(),
                                    [id = number(e->id)](const auto& x) { return x.first == id; });
    if (found == recent_.rend()) return;
    for (const limits::Verdict& v : e->verdicts)
      if (v.enforced) target_.later(found->second, v.code);
    return;
  }
  if (const auto* e = std::get_if<event::RunStarted>(&event); e != nullptr && !zero_) {
    zero_ = stamp.at;
    replay::About about;
    about.version = e->version;
    about.profile = e->profile;
    about.profile_as_of = e->profile_as_of;
    about.isolation = e->isolation;
    about.app = e->app;
    about.url = e->url;
    about.time_scale = e->time_scale;
    about.started = stamp.wall;
    if (build_) about.build = build_();
    target_.began(about);
  }
}

}  // namespace vsim::app
