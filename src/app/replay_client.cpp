#include "app/replay_client.hpp"

#include <fmt/format.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include "app/clock.hpp"
#include "base/text.hpp"
#include "net/http1.hpp"

namespace vsim::app {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// Above every limit of the edge's own parser.
constexpr std::size_t kMostHead = 256UL * 1024;

Duration scaled(Duration d, double factor) {
  const double ns = static_cast<double>(d.count()) * factor;
  return ns < 1e18 ? Duration(static_cast<Duration::rep>(ns)) : Duration(static_cast<Duration::rep>(1e18));
}

std::string cookie_field(const replay::RecordedRequest& request) {
  std::string out;
  for (const replay::RecordedHeader& h : request.headers) {
    if (!iequals(h.name, "cookie")) continue;
    if (!out.empty()) out += "; ";
    out += h.value;
  }
  return out;
}

}  // namespace

struct ReplayClient::Exchange : std::enable_shared_from_this<Exchange> {
  Exchange(ReplayClient& of, std::size_t step_of, std::size_t index_of, std::string text)
      : client(of), step(step_of), index(index_of), request(std::move(text)), stream(of.io_, of.tls_) {}

  // The socket itself, or TLS on it.
  template <class Use>
  void with(Use use) {
    if (client.https_)
      use(stream);
    else
      use(stream.next_layer());
  }

  void start(Duration give_up, std::optional<Duration> stay) {
    timer.expires_after(stay && *stay < give_up ? *stay : give_up);
    timer.async_wait([self = shared_from_this(), leaves = stay && *stay < give_up](error_code error) {
      if (error || self->is_over) return;
      Sent& sent = self->client.sent_[self->index];
      (leaves ? sent.left : sent.gave_up) = true;
      self->finish();
    });
    parser.reset(client.recording_.requests[index].method == "HEAD");
    const unsigned short port = static_cast<unsigned short>(std::stoi(client.port_));
    stream.next_layer().async_connect(
        tcp::endpoint(asio::ip::address_v4::loopback(), port), [self = shared_from_this()](error_code error) {
          if (error || self->is_over) return self->finish();
          error_code ignored;
          self->stream.next_layer().set_option(tcp::no_delay(true), ignored);
          if (!self->client.https_) return self->talk();
          self->stream.async_handshake(asio::ssl::stream_base::client, [self](error_code failed) {
            failed || self->is_over ? self->finish() : self->talk();
          });
        });
  }

  void talk() {
    with([this](auto& s) {
      // An error is none: the answer may come before the request was read.
      asio::async_write(s, asio::buffer(request), [self = shared_from_this()](error_code, std::size_t) {});
    });
    read();
  }

  void read() {
    with([this](auto& s) {
      s.async_read_some(asio::buffer(buffer), [self = shared_from_this()](error_code error, std::size_t n) {
        if (self->is_over) return;
        if (n > 0 && !self->head_done) self->take(n);
        if (error) return self->finish();
        self->read();
      });
    });
  }

  void take(std::size_t n) {
    head.append(buffer.data(), n);
    while (!head_done) {
      const auto state = parser.parse(head);
      if (state == net::http1::ParseState::need_more && head.size() < kMostHead) return;
      head_done = state != net::http1::ParseState::complete || parser.head().status >= 200;
      if (state != net::http1::ParseState::complete) return;
      if (!head_done) {
        head.erase(0, parser.head().size);
        parser.reset(client.recording_.requests[index].method == "HEAD");
        continue;
      }
      client.sent_[index].status = parser.head().status;
      std::vector<replay::RecordedHeader> set;
      for (const auto& h : parser.head().headers) {
        if (h.field != net::http1::Field::set_cookie) continue;
        if (auto cookie = replay::parse_set_cookie(h.value)) set.push_back(std::move(*cookie));
      }
      client.cookies_.answered(index, std::move(set));
    }
  }

  void finish() {
    if (is_over) return;
    is_over = true;
    client.sent_[index].took = now() - began;
    error_code ignored;
    timer.cancel();
    stream.next_layer().close(ignored);
    client.over(step);
  }

  ReplayClient& client;
  const std::size_t step, index;
  const std::string request;
  const TimePoint began = now();
  asio::ssl::stream<tcp::socket> stream;
  asio::steady_timer timer{client.io_};
  std::array<char, 16UL * 1024> buffer;
  std::string head;
  net::http1::ResponseParser parser;
  bool head_done = false, is_over = false;
};

ReplayClient::ReplayClient(const replay::Recording& recording, replay::Destination to, ReplaySpeed speed,
                           std::string mark, std::function<void()> done)
    : recording_(recording),
      to_(std::move(to)),
      speed_(speed),
      mark_(std::move(mark)),
      done_(std::move(done)),
      sent_(recording.requests.size()),
      cookies_(recording.requests),
      tls_(asio::ssl::context::tls_client) {
  tls_.set_verify_mode(asio::ssl::verify_none);  // our own certificate, on this machine
  https_ = to_.url.starts_with("https://");
  port_ = to_.url.substr(to_.url.rfind(':') + 1);
  std::vector<replay::Span> spans;
  for (std::size_t i = 0; i < recording.requests.size(); ++i) {
    const replay::RecordedRequest& r = recording.requests[i];
    if (auto why = replay::obstacle(r, recording.about, to_)) {
      sent_[i].why_not = std::move(*why);
      continue;
    }
    steps_.push_back(i);
    // A client that left was free to go on then, whatever its function still did.
    spans.push_back({r.at, r.outcome.left ? r.at + *r.outcome.left : r.end()});
  }
  schedule_ = std::make_unique<replay::Schedule>(spans);
}

ReplayClient::~ReplayClient() { stop(); }

void ReplayClient::stop() {
  interrupt();
  if (thread_.joinable()) thread_.join();
}

void ReplayClient::start() {
  asio::post(io_, [this] { pump(); });
  thread_ = std::thread([this] { io_.run(); });
}

void ReplayClient::interrupt() {
  asio::post(io_, [this] {
    if (stopped_) return;
    stopped_ = true;
    const auto all = exchanges_;
    for (const auto& [step, exchange] : all) exchange->finish();
    finish();
  });
}

void ReplayClient::finish() {
  timer_.cancel();
  if (const auto done = std::exchange(done_, nullptr)) done();
}

void ReplayClient::pump() {
  if (stopped_) return;
  while (const auto step = schedule_->take(now()))
    if (!send(*step)) schedule_->ended(*step, now());
  if (schedule_->done()) {
    stopped_ = true;
    return finish();
  }
  const auto next = schedule_->next();
  if (!next) return;  // an end will tell
  timer_.expires_at(to_steady(*next));
  timer_.async_wait([this](error_code error) {
    if (!error) pump();
  });
}

// False: it cannot be sent, and sent_ says why.
bool ReplayClient::send(std::size_t step) {
  const std::size_t index = steps_[step];
  const replay::RecordedRequest& r = recording_.requests[index];
  Sent& sent = sent_[index];
  auto cookie = cookies_.field(index, cookie_field(r));
  if (!cookie.missing.empty()) {
    sent.why_not = std::move(cookie.missing);
    return false;
  }
  sent.sent = true;
  sent.renewed = std::move(cookie.renewed);
  std::string text =
      replay::head_of(r, recording_.about, to_, cookie.value, fmt::format("{}{}", mark_, index));
  text += "\r\n";
  text += replay::body_of(r);
  std::optional<Duration> stay;
  if (r.outcome.left)
    stay = scaled(*r.outcome.left, speed_.stay);
  else if (r.outcome.ended_by == event::EndedBy::emulator)
    stay = scaled(r.outcome.total, speed_.stay);
  const Duration give_up = 2 * scaled(r.outcome.total, std::max(1.0, speed_.stay)) + speed_.give_up_after;
  const auto exchange = std::make_shared<Exchange>(*this, step, index, std::move(text));
  exchanges_.emplace(step, exchange);
  exchange->start(give_up, stay);
  return true;
}

void ReplayClient::over(std::size_t step) {
  exchanges_.erase(step);
  schedule_->ended(step, now());
  pump();
}

}  // namespace vsim::app
