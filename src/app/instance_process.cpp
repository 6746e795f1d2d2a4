#include "app/instance_process.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <chrono>
#include <csignal>

namespace vsim::app {
namespace {

using namespace std::chrono_literals;

}  // namespace

InstanceProcess::InstanceProcess(boost::asio::io_context& io, InstanceSpec spec, Callbacks callbacks)
    : io_(io),
      spec_(std::move(spec)),
      callbacks_(std::move(callbacks)),
      out_([this](std::string_view text, process::OutputLines::End, bool) {
        on_line(process::OutputStream::out, text);
      }),
      err_([this](std::string_view text, process::OutputLines::End, bool) {
        on_line(process::OutputStream::err, text);
      }),
      quiet_(io) {}

Result<std::unique_ptr<InstanceProcess>> InstanceProcess::start(boost::asio::io_context& io,
                                                                process::Children& supervisor,
                                                                net::Timeouts& timeouts, InstanceSpec spec,
                                                                Callbacks callbacks) {
  std::unique_ptr<InstanceProcess> out(new InstanceProcess(io, std::move(spec), std::move(callbacks)));
  InstanceProcess* const self = out.get();
  const InstanceSpec& s = self->spec_;
  process::SpawnOptions options;
  options.argv = s.argv;
  options.env = s.env;
  options.cwd = s.cwd;
  options.own_tmp = s.own_tmp;
  options.descriptors = s.descriptors;
  options.input = process::SpawnOptions::Input::open;
  options.first_input = s.secret + "\n";
  auto child = supervisor.spawn(std::move(options), self->events());
  if (!child) return child.error();
  self->begin(timeouts, std::move(*child));
  return out;
}

Result<std::unique_ptr<InstanceProcess>> InstanceProcess::adopt(boost::asio::io_context& io,
                                                                process::Children& supervisor,
                                                                net::Timeouts& timeouts, InstanceSpec spec,
                                                                process::Coming coming, Callbacks callbacks) {
  std::unique_ptr<InstanceProcess> out(new InstanceProcess(io, std::move(spec), std::move(callbacks)));
  auto child = supervisor.adopt(std::move(coming), out->spec_.secret + "\n", out->events());
  if (!child) return child.error();
  out->begin(timeouts, std::move(*child));
  return out;
}

process::ChildCallbacks InstanceProcess::events() {
  process::ChildCallbacks events;
  events.output = [this](process::OutputStream stream, std::string_view bytes) { on_output(stream, bytes); };
  events.exit = [this](const process::ExitCause& cause) {
    ended_ = true;
    exit_ = cause;
    quiet_.cancel();
    out_.flush(true);
    err_.flush(true);
    pool_->close_idle();
    ::unlink(spec_.socket.c_str());
    callbacks_.ended();
  };
  return events;
}

void InstanceProcess::begin(net::Timeouts& timeouts, std::unique_ptr<process::Child> child) {
  child_ = std::move(child);
  const InstanceSpec& s = spec_;
  if (s.background) {
    child_->lower();
    lowered_ = true;
  }
  std::vector<net::UpstreamPool::Endpoint> endpoints;
  endpoints.emplace_back(boost::asio::local::stream_protocol::endpoint(s.socket));
  pool_ = std::make_shared<net::UpstreamPool>(io_, timeouts, std::move(endpoints), std::string());
}

InstanceProcess::~InstanceProcess() {
  if (!ended_) ::unlink(spec_.socket.c_str());
}

void InstanceProcess::on_output(process::OutputStream stream, std::string_view bytes) {
  process::OutputLines& lines = stream == process::OutputStream::out ? out_ : err_;
  lines.feed(bytes);
  if (!lines.pending()) return;
  quiet_.expires_after(100ms);
  quiet_.async_wait([this](boost::system::error_code error) {
    if (error) return;
    out_.flush();
    err_.flush();
  });
}

void InstanceProcess::on_line(process::OutputStream stream, std::string_view text) {
  // Words of V8 and of Node: deps/v8 api.cc, src/inspector_socket_server.cc.
  if (text.find("JavaScript heap out of memory") != std::string_view::npos) out_of_memory_ = true;
  if (text.find("Debugger attached.") != std::string_view::npos) callbacks_.debugger();
  const std::string line = fmt::format("[{}] {}\n", spec_.name, text);
  callbacks_.output({line, stream == process::OutputStream::err, spec_.name});
}

void InstanceProcess::foreground() {
  if (std::exchange(lowered_, false) && !ended_) child_->raise();
}

void InstanceProcess::last_words(std::string words) {
  if (last_words_.empty()) last_words_ = std::move(words);
}

instance::Death InstanceProcess::death() const {
  using Kind = instance::Death::Kind;
  if (out_of_memory_) return {Kind::out_of_memory, 0};
  if (const auto* e = std::get_if<process::Exited>(&exit_)) return {Kind::exited, e->code};
  if (const auto* s = std::get_if<process::Signaled>(&exit_)) return {Kind::signaled, s->signal};
  return {Kind::lost, 0};
}

std::string InstanceProcess::cause() const { return cause_if(exit_); }

std::string InstanceProcess::cause_if(const process::ExitCause& exit) const {
  std::string out = spec_.name + " ";
  if (out_of_memory_)
    out += "ran out of memory (JavaScript heap)";
  else
    out += process::describe(exit);
  const auto* s = std::get_if<process::Signaled>(&exit);
  if (!out_of_memory_ && !killed_ && s != nullptr && s->signal == SIGKILL)
    out += ", not by vercel-sim: the system may be short of memory";
  if (!last_words_.empty()) out += ": " + last_words_;
  return out;
}

}  // namespace vsim::app
