#include "agent/control.hpp"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <limits>

namespace vsim::agent {
namespace {

namespace json = boost::json;
using boost::asio::local::stream_protocol;

constexpr std::size_t kMaxLine = 256 * 1024;  // a dispatch of the longest file name is far below
constexpr int kMostProblems = 5;              // told of one connection: it is a notice, not a log

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

}  // namespace

bool deliver(std::string_view line, ControlHandler& handler) {
  boost::system::error_code error;
  const json::value value = json::parse(json::string_view(line.data(), line.size()), error);
  if (error || !value.is_object()) return false;
  const json::object& o = value.get_object();
  const std::string_view type = text(o, "t");
  if (type.empty()) return false;
  if (type == "hello") {
    handler.on_hello(pid(o), text(o, "next"), text(o, "bundler"), texts(o, "missing"));
  } else if (type == "listening") {
    handler.on_listening();
  } else if (type == "config") {
    AppConfig config;
    if (o.contains("basePath")) config.base_path = text(o, "basePath");
    if (o.contains("pageExtensions")) config.page_extensions = texts(o, "pageExtensions");
    handler.on_config(config);
  } else if (type == "compiled") {
    handler.on_compiled(text(o, "page"), number(o, "ms"));
  } else if (type == "dispatch" || type == "compile" || type == "handler") {
    return deliver_of_invocation(type, o, handler);
  }
  return true;
}

namespace {

struct Peer : std::enable_shared_from_this<Peer> {
  Peer(stream_protocol::socket s, ControlHandler* h, std::string t)
      : socket(std::move(s)), handler(h), token(std::move(t)) {}

  void read() {
    socket.async_read_some(boost::asio::buffer(buffer),
                           [self = shared_from_this()](boost::system::error_code error, std::size_t n) {
                             if (self->handler == nullptr) return;
                             if (error) {
                               if (self->trusted) self->handler->on_closed();
                               return;
                             }
                             self->feed({self->buffer.data(), n});
                             if (self->socket.is_open()) self->read();
                           });
  }

  void feed(std::string_view bytes) {
    while (!bytes.empty() && socket.is_open()) {
      const std::size_t end = bytes.find('\n');
      line.append(bytes.substr(0, end));
      if (line.size() > (trusted ? kMaxLine : token.size())) {
        if (trusted) problem("a line on the agent's channel is too long");
        return close();
      }
      if (end == std::string_view::npos) return;
      bytes.remove_prefix(end + 1);
      take();
      line.clear();
    }
  }

  void take() {
    if (!trusted) {  // the first line is the token; whoever does not know it is nobody
      trusted = line == token;
      if (!trusted) close();
      return;
    }
    if (!deliver(line, *handler))
      problem("a line on the agent's channel was not understood: " + line.substr(0, 120));
  }

  void problem(const std::string& message) {
    if (handler != nullptr && problems++ < kMostProblems) handler->on_problem(message);
  }

  void close() {
    boost::system::error_code ignored;
    socket.close(ignored);
  }

  stream_protocol::socket socket;
  ControlHandler* handler;
  std::string token, line;
  bool trusted = false;
  int problems = 0;
  std::array<char, 16 * 1024> buffer;
};

}  // namespace

struct ControlChannel::Impl : std::enable_shared_from_this<ControlChannel::Impl> {
  Impl(boost::asio::io_context& io, ControlHandler& h, std::string t)
      : acceptor(io), handler(&h), token(std::move(t)) {}
  void accept() {
    acceptor.async_accept(
        [self = shared_from_this()](boost::system::error_code error, stream_protocol::socket socket) {
          if (self->handler == nullptr || error == boost::asio::error::operation_aborted) return;
          if (error == boost::asio::error::connection_aborted) return self->accept();
          if (error) return self->handler->on_problem("the agent's channel is closed: " + error.message());
          auto peer = std::make_shared<Peer>(std::move(socket), self->handler, self->token);
          peer->read();
          std::erase_if(self->peers, [](const auto& weak) { return weak.expired(); });
          self->peers.push_back(peer);
          self->accept();
        });
  }
  stream_protocol::acceptor acceptor;
  ControlHandler* handler;
  std::string token;
  std::vector<std::weak_ptr<Peer>> peers;
};

ControlChannel::ControlChannel(boost::asio::io_context& io, ControlHandler& handler, std::string token)
    : impl_(std::make_shared<Impl>(io, handler, std::move(token))) {}

ControlChannel::~ControlChannel() {
  impl_->handler = nullptr;
  boost::system::error_code ignored;
  impl_->acceptor.close(ignored);
  for (const auto& weak : impl_->peers) {
    if (const auto peer = weak.lock()) {
      peer->handler = nullptr;
      peer->close();
    }
  }
}

Result<bool> ControlChannel::listen(const std::string& socket_path) {
  boost::system::error_code error;
  const stream_protocol::endpoint endpoint(socket_path);
  impl_->acceptor.open(endpoint.protocol(), error);
  if (!error) impl_->acceptor.bind(endpoint, error);
  if (!error) impl_->acceptor.listen(16, error);
  if (error) return Error{"cannot open the agent's channel at " + socket_path + ": " + error.message()};
  impl_->accept();
  return true;
}

}  // namespace vsim::agent
