#include "agent/control.hpp"

#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <chrono>
#include <deque>
#include <limits>
#include <map>
#include <utility>

namespace vsim::agent {
namespace {

namespace json = boost::json;
using boost::asio::local::stream_protocol;

// The files that an instance of a large app has loaded: some thousand paths.
constexpr std::size_t kMaxLine = 4 * 1024 * 1024;
constexpr auto kRetry = std::chrono::milliseconds(100);
constexpr int kMostProblems = 5;  // told of one connection: it is a notice, not a log

std::string_view text(const json::object& o, std::string_view key) {
  const auto* v = o.if_contains(key);
  return v != nullptr && v->is_string() ? std::string_view(v->get_string()) : std::string_view{};
}
double number(const json::object& o, std::string_view key) {
  const auto* v = o.if_contains(key);
  if (v == nullptr || !v->is_number()) return 0;
  return v->to_number<double>();
}
bool flag(const json::object& o, std::string_view key) {
  const auto* v = o.if_contains(key);
  return v != nullptr && v->is_bool() && v->get_bool();
}
int pid(const json::object& o) {
  const double value = number(o, "pid");
  return value > 0 && value <= std::numeric_limits<int>::max() ? static_cast<int>(value) : 0;
}
// Ids are 64 bits, more than a JavaScript number holds: they travel as decimal text.
InvocationId id(const json::object& o) {
  const std::string_view digits = text(o, "id");
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  return error == std::errc{} && end == digits.data() + digits.size() ? static_cast<InvocationId>(out)
                                                                      : InvocationId::none;
}
std::vector<std::string> texts(const json::object& o, std::string_view key) {
  std::vector<std::string> out;
  const auto* v = o.if_contains(key);
  if (v != nullptr && v->is_array())
    for (const auto& item : v->get_array())
      if (item.is_string()) out.emplace_back(item.get_string());
  return out;
}

bool deliver_of_invocation(std::string_view type, const json::object& o, ControlHandler& handler) {
  const InvocationId of = id(o);  // none: nobody's, and ignored as one that has ended
  if (type == "dispatch") {
    handler.on_dispatch(of, text(o, "page"), text(o, "kind"), text(o, "runtime"), flag(o, "static"));
  } else if (type == "handler") {
    handler.on_handler(of);
  } else {
    const std::string_view phase = text(o, "phase");
    if (phase != "start" && phase != "end") return false;
    handler.on_compile(of, phase == "end");
  }
  return true;
}

std::optional<std::uint64_t> counter(const json::object& o, std::string_view key) {
  const double value = number(o, key);
  if (!(value >= 0) || value > 9e15) return std::nullopt;  // JavaScript's own bound for whole numbers
  return static_cast<std::uint64_t>(value);
}
std::vector<Hanging> hanging(const json::object& o) {
  constexpr std::size_t kMost = 64;  // nobody reads more
  std::vector<Hanging> out;
  const auto* v = o.if_contains("hanging");
  if (v == nullptr || !v->is_array()) return out;
  for (const auto& item : v->get_array()) {
    if (!item.is_object() || out.size() == kMost) continue;
    const json::object& h = item.get_object();
    const std::string_view source = text(h, "source");
    out.push_back({std::string(text(h, "kind")), std::string(source.empty() ? text(h, "at") : source),
                   number(h, "ms")});
  }
  return out;
}
Refused refused(const json::object& o) {
  const std::string_view source = text(o, "source");
  return {text(o, "what"), source.empty() ? text(o, "at") : source, flag(o, "failed"), flag(o, "middleware")};
}
StateReport state(const json::object& o) {
  constexpr std::size_t kMost = 64;
  StateReport out;
  out.method = text(o, "method");
  out.open = flag(o, "open");
  out.asked = texts(o, "asked");
  const auto* v = o.if_contains("seen");
  if (v == nullptr || !v->is_array()) return out;
  for (const auto& item : v->get_array()) {
    if (!item.is_object() || out.seen.size() == kMost) continue;
    const json::object& s = item.get_object();
    StateSeen seen;
    seen.name = text(s, "name");
    seen.at = text(s, "at");
    seen.kind = text(s, "kind");
    seen.before = static_cast<std::uint64_t>(number(s, "before"));
    seen.after = static_cast<std::uint64_t>(number(s, "after"));
    seen.changed = flag(s, "changed");
    seen.unread = flag(s, "unread");
    seen.counts = flag(s, "counts");
    seen.from_request = flag(s, "from_request");
    seen.by_client = flag(s, "by_client");
    seen.had = texts(s, "had");
    seen.wrote = texts(s, "wrote");
    out.seen.push_back(std::move(seen));
  }
  return out;
}
Hello hello(const json::object& o) {
  Hello out;
  out.pid = pid(o);
  out.next = text(o, "next");
  out.bundler = text(o, "bundler");
  out.missing = texts(o, "missing");
  out.exec = text(o, "exec");
  out.compile = flag(o, "compile");
  if (const auto* v = o.if_contains("isolation"); v != nullptr && v->is_object()) {
    const json::object& i = v->get_object();
    out.isolation = {flag(i, "ok"), texts(i, "missing"), flag(i, "grouped")};
  }
  return out;
}
std::optional<Precompiled> precompiled(const json::object& o) {
  using Status = Precompiled::Status;
  static constexpr std::pair<std::string_view, Status> kWords[] = {
      {"ok", Status::ok}, {"missing", Status::missing}, {"failed", Status::failed}, {"left", Status::left}};
  const std::string_view word = text(o, "status");
  for (const auto& [name, status] : kWords)
    if (name == word)
      return Precompiled{text(o, "page"), text(o, "kind"), number(o, "ms"), status, text(o, "error")};
  return std::nullopt;
}
bool parse(std::string_view line, json::value& out) {
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = 16;
  out = json::parse(json::string_view(line.data(), line.size()), error, {}, options);
  return !error && out.is_object();
}

bool deliver(std::string_view line, ControlHandler& handler, bool& booted) {
  json::value value;
  if (!parse(line, value)) return false;
  const json::object& o = value.get_object();
  const std::string_view type = text(o, "t");
  if (type.empty()) return false;
  if (type == "hello") {
    handler.on_hello(hello(o));
  } else if (type == "listening") {
    handler.on_listening();
  } else if (type == "config") {
    AppConfig config;
    if (o.contains("basePath")) config.base_path = text(o, "basePath");
    if (o.contains("pageExtensions")) config.page_extensions = texts(o, "pageExtensions");
    handler.on_config(config);
  } else if (type == "compiled") {
    handler.on_compiled(text(o, "page"), number(o, "ms"));
  } else if (type == "precompiled") {
    const auto done = precompiled(o);
    if (!done) return false;
    handler.on_precompiled(*done);
  } else if (type == "boot") {
    if (text(o, "file").empty()) return false;
    booted = true;
    handler.on_boot(text(o, "file"));
  } else if (type == "changed") {
    const auto generation = counter(o, "generation");
    if (!generation) return false;
    handler.on_changed({*generation, flag(o, "all"), flag(o, "environment"), texts(o, "files")});
  } else if (type == "refused") {
    handler.on_refused(id(o), refused(o));
  } else if (type == "left") {
    handler.on_left(id(o), hanging(o), flag(o, "stopped"));
  } else if (type == "state") {
    handler.on_state(id(o), state(o));
  } else if (type == "dispatch" || type == "compile" || type == "handler") {
    return deliver_of_invocation(type, o, handler);
  }
  return true;
}

}  // namespace

bool deliver(std::string_view line, ControlHandler& handler) {
  bool ignored = false;
  return deliver(line, handler, ignored);
}

bool deliver(std::string_view line, std::uint64_t n, InstanceHandler& handler) {
  json::value value;
  if (!parse(line, value)) return false;
  const json::object& o = value.get_object();
  const std::string_view type = text(o, "t");
  if (type.empty()) return false;
  if (type == "ready") {
    handler.on_ready(n, number(o, "ms"));
  } else if (type == "bound") {
    handler.on_bound(n, text(o, "page"), texts(o, "files"));
  } else if (type == "handler") {
    handler.on_handler(n, id(o));
  } else if (type == "dispatch") {
    handler.on_dispatch(n, id(o), text(o, "page"), text(o, "kind"), text(o, "runtime"), flag(o, "static"));
  } else if (type == "compile") {
    const std::string_view phase = text(o, "phase");
    if (phase != "start" && phase != "end") return false;
    handler.on_compile(n, id(o), phase == "end");
  } else if (type == "call") {
    handler.on_call(n, flag(o, "open"));
  } else if (type == "done") {
    std::optional<std::vector<std::string>> files;
    if (o.contains("files")) files = texts(o, "files");
    handler.on_done(n, id(o), std::move(files), hanging(o));
  } else if (type == "state") {
    handler.on_state(n, id(o), state(o));
  } else if (type == "pong") {
    handler.on_pong(n);
  } else if (type == "answer") {
    handler.on_answer_at(n, id(o), text(o, "source"));
  } else if (type == "refused") {
    handler.on_refused(n, id(o), refused(o));
  } else if (type == "missing") {
    handler.on_missing(n, texts(o, "names"));
  } else if (type == "connections") {
    handler.on_connections(
        n, id(o), {text(o, "to"), text(o, "at"), text(o, "refusal"), counter(o, "count").value_or(0)});
  } else if (type == "socket_failed") {
    handler.on_socket_failed(n, id(o));
  } else if (type == "broken_off") {
    handler.on_broken_off(n, id(o), text(o, "message"), text(o, "source"));
  } else if (type == "crashed") {
    handler.on_crashed(n, id(o), static_cast<int>(number(o, "code")));
  } else if (type == "dying") {
    handler.on_dying(n, text(o, "why"), text(o, "message"), text(o, "stack"));
  }
  return true;
}

std::string compile_line(std::string_view page, std::string_view kind) {
  return json::serialize(
      json::object{{"t", "compile"}, {"page", json::string_view(page)}, {"kind", json::string_view(kind)}});
}
std::string bind_line(std::string_view page, std::string_view kind, std::string_view runtime,
                      std::string_view head) {
  json::object o{{"t", "bind"},
                 {"page", json::string_view(page)},
                 {"kind", json::string_view(kind)},
                 {"runtime", json::string_view(runtime)}};
  if (!head.empty()) o["head"] = json::string_view(head);
  return json::serialize(o);
}
std::string ping_line() { return R"({"t":"ping"})"; }
std::string expire_line(InvocationId of) {
  return R"({"t":"expire","id":")" + std::to_string(static_cast<std::uint64_t>(of)) + "\"}";
}
std::string bye_line() { return R"({"t":"bye"})"; }
std::string last_line(std::span<const InvocationId> placed) {
  std::string line = R"({"t":"last","ids":[)";
  for (const InvocationId of : placed) {
    if (line.back() != '[') line += ',';
    line += '"' + std::to_string(static_cast<std::uint64_t>(of)) + '"';
  }
  return line + "]}";
}

namespace {

class Peer;

}  // namespace

struct ControlChannel::Impl : std::enable_shared_from_this<ControlChannel::Impl> {
  Impl(boost::asio::io_context& io, ControlHandler& h, std::string t)
      : acceptor(io), retry(io), handler(&h), token(std::move(t)) {}
  void accept();
  stream_protocol::acceptor acceptor;
  boost::asio::steady_timer retry;
  ControlHandler* handler;  // null: the channel is gone
  InstanceHandler* instances = nullptr;
  std::string token;
  std::vector<std::weak_ptr<Peer>> peers;
  std::map<std::uint64_t, std::weak_ptr<Peer>> by_number;  // 0: the agent that came last
};

namespace {

using Shared = ControlChannel::Impl;

// 0: not known.
pid_t peer_of(int socket) {
  ucred who{};
  socklen_t size = sizeof who;
  return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 ? who.pid : 0;
}

bool lives(pid_t pid) { return pid > 0 && (::kill(pid, 0) == 0 || errno == EPERM); }

class Peer : public std::enable_shared_from_this<Peer> {
 public:
  Peer(stream_protocol::socket s, std::shared_ptr<Shared> of)
      : socket_(std::move(s)), shared_(std::move(of)), pid_(peer_of(socket_.native_handle())) {}

  void read() {
    socket_.async_read_some(boost::asio::buffer(buffer_),
                            [self = shared_from_this()](boost::system::error_code error, std::size_t n) {
                              if (self->gone()) return;
                              if (error) return self->ended();
                              self->feed({self->buffer_.data(), n});
                              if (!self->gone()) self->read();
                            });
  }

  void send(std::string line) {
    line += '\n';
    out_.push_back(std::move(line));
    if (out_.size() == 1) write();
  }

  void close() {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

 private:
  bool gone() const { return shared_->handler == nullptr || !socket_.is_open(); }

  void ended() {
    close();
    const std::uint64_t n = std::exchange(number_, 0);
    if (n != 0) {
      shared_->by_number.erase(n);
      if (shared_->instances != nullptr) shared_->instances->on_closed(n);
    } else if (trusted_) {
      shared_->handler->on_closed(booted_);
    }
  }

  void feed(std::string_view bytes) {
    while (!bytes.empty() && !gone()) {
      const std::size_t end = bytes.find('\n');
      line_.append(bytes.substr(0, end));
      if (trusted_ ? line_.size() > kMaxLine : !may_be_introduction()) {
        if (trusted_) problem("is too long");
        return trusted_ ? ended() : close();
      }
      if (end == std::string_view::npos) return;
      bytes.remove_prefix(end + 1);
      take();
      line_.clear();
    }
  }

  void take() {
    if (!trusted_) return introduce();
    if (number_ != 0) {
      if (shared_->instances != nullptr && !deliver(line_, number_, *shared_->instances))
        problem("was not understood: " + line_.substr(0, kShown));
      return;
    }
    if (!deliver(line_, *shared_->handler, booted_))
      problem("was not understood: " + line_.substr(0, kShown));
  }

  bool may_be_introduction() const { return line_.size() <= kLongestSecret + kInstance.size() + 20; }

  // The first line is "<token>", of the agent in next dev, or "<secret> instance <n>"; all others are nobody.
  void introduce() {
    const std::string_view line = line_;
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos) {
      if (line != shared_->token || !may_be_agent()) return close();
      trusted_ = true;
      shared_->by_number[0] = weak_from_this();
      return;
    }
    std::string_view rest = line.substr(space);
    std::uint64_t n = 0;
    if (!rest.starts_with(kInstance)) return close();
    rest.remove_prefix(kInstance.size());
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), n);
    if (error != std::errc{} || end != rest.data() + rest.size() || n == 0) return close();
    if (shared_->instances == nullptr || shared_->by_number.contains(n) ||
        !shared_->instances->on_instance(n, line.substr(0, space), pid_))
      return close();
    trusted_ = true;
    number_ = n;
    shared_->by_number[n] = weak_from_this();
  }

  // The token stands in the environment of next dev, where a function can read it: what runs in an instance,
  // and whoever comes while the process of an agent that has come lives, is not believed.
  bool may_be_agent() const {
    if (shared_->instances != nullptr && shared_->instances->is_of_instance(pid_)) return false;
    const auto found = shared_->by_number.find(0);
    const auto before = found == shared_->by_number.end() ? nullptr : found->second.lock();
    return !before || !before->socket_.is_open() || before->pid_ == pid_ || !lives(before->pid_);
  }

  void problem(const std::string& what) {
    if (problems_++ >= kMostProblems) return;
    shared_->handler->on_problem(
        (number_ != 0 ? "a line of instance i" + std::to_string(number_) : "a line on the agent's channel") +
        " " + what);
  }

  void write() {
    boost::asio::async_write(socket_, boost::asio::buffer(out_.front()),
                             [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                               if (error || self->gone()) return;  // the reader tells of its end
                               self->out_.pop_front();
                               if (!self->out_.empty()) self->write();
                             });
  }

  static constexpr std::string_view kInstance = " instance ";
  static constexpr std::size_t kLongestSecret = 32;
  static constexpr std::size_t kShown = 120;
  stream_protocol::socket socket_;
  std::shared_ptr<Shared> shared_;
  const pid_t pid_;
  std::string line_;
  std::deque<std::string> out_;
  std::uint64_t number_ = 0;  // of an instance
  bool trusted_ = false, booted_ = false;
  int problems_ = 0;
  std::array<char, 16 * 1024> buffer_;
};

}  // namespace

void ControlChannel::Impl::accept() {
  acceptor.async_accept(
      [self = shared_from_this()](boost::system::error_code error, stream_protocol::socket socket) {
        if (self->handler == nullptr || error == boost::asio::error::operation_aborted) return;
        if (error == boost::asio::error::connection_aborted) return self->accept();
        // No descriptor is left, most likely: who waits is taken when there is one again.
        if (error) {
          self->retry.expires_after(kRetry);
          return self->retry.async_wait([self](boost::system::error_code stopped) {
            if (!stopped && self->handler != nullptr) self->accept();
          });
        }
        auto peer = std::make_shared<Peer>(std::move(socket), self);
        peer->read();
        std::erase_if(self->peers, [](const auto& weak) { return weak.expired(); });
        self->peers.push_back(peer);
        self->accept();
      });
}

ControlChannel::ControlChannel(boost::asio::io_context& io, ControlHandler& handler, std::string token)
    : impl_(std::make_shared<Impl>(io, handler, std::move(token))) {}

ControlChannel::~ControlChannel() {
  impl_->handler = nullptr;
  impl_->instances = nullptr;
  boost::system::error_code ignored;
  impl_->acceptor.close(ignored);
  impl_->retry.cancel();
  for (const auto& weak : impl_->peers)
    if (const auto peer = weak.lock()) peer->close();
}

Result<bool> ControlChannel::listen(const std::string& socket_path) {
  boost::system::error_code error;
  const stream_protocol::endpoint endpoint(socket_path);
  impl_->acceptor.open(endpoint.protocol(), error);
  if (!error) impl_->acceptor.bind(endpoint, error);
  if (!error) impl_->acceptor.listen(128, error);
  if (error) return Error{"cannot open the agent's channel at " + socket_path + ": " + error.message()};
  impl_->accept();
  return true;
}

void ControlChannel::set_instances(InstanceHandler* instances) { impl_->instances = instances; }

bool ControlChannel::send(std::uint64_t n, std::string line) {
  const auto found = impl_->by_number.find(n);
  if (found == impl_->by_number.end()) return false;
  const auto peer = found->second.lock();
  if (!peer) return false;
  peer->send(std::move(line));
  return true;
}

void ControlChannel::forget(std::uint64_t n) {
  const auto found = impl_->by_number.find(n);
  if (found == impl_->by_number.end()) return;
  const auto peer = found->second.lock();
  impl_->by_number.erase(found);
  if (peer) peer->close();
}

}  // namespace vsim::agent
