// What runs behind the edge: one class for each kind of it (next_app.cpp, server_app.cpp, upstream_app.cpp).
// The emulator starts it, asks it, and passes on what people want of it; it tells its host when requests can
// go there and when they no longer can. I/O thread only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "agent/control.hpp"
#include "app/output_line.hpp"
#include "base/result.hpp"
#include "engine/engine.hpp"
#include "event/event.hpp"
#include "net/upstream.hpp"
#include "process/children.hpp"
#include "profile/profile.hpp"
#include "routes/route_table.hpp"

namespace vsim::process {
class Guardian;
}

namespace vsim::app {

class CoreLoop;
class Edge;
class IsolationShell;
struct EmulatorOptions;
struct World;

// A child of ours.
struct ProcessSpec {
  std::vector<std::string> argv;
  std::string cwd;
  process::Environment env;  // whole
  std::string name;          // "next 16.4.6", or the command, for people
  bool pty = false;
  process::WindowSize window;
};
// The project's own `next dev`: argv without the port, environment without what the agent needs.
struct NextSpec : ProcessSpec {};
// A command that listens on PORT.
struct ServerSpec : ProcessSpec {};
// A server that runs already, and is nobody's here.
struct UpstreamSpec {
  std::string host;  // a name or an address
  std::uint16_t port = 80;
  std::string origin;  // "http://127.0.0.1:4000": a Location that starts so is rewritten
};
using AppSpec = std::variant<NextSpec, ServerSpec, UpstreamSpec>;
inline bool is_next(const AppSpec& spec) { return std::holds_alternative<NextSpec>(spec); }
// Null: it is no child of ours.
inline ProcessSpec* process_of(AppSpec& spec) {
  if (auto* next = std::get_if<NextSpec>(&spec)) return next;
  return std::get_if<ServerSpec>(&spec);
}

// What is said to people, beside what happened.
struct Saying {
  bool warning = false;
  std::string message, fix;
};

class App {
 public:
  // Who has it. Nothing here is called from inside start(), but app_is_at() and app_ready().
  class Host {
   public:
    // Where it is reached; `origin` as in UpstreamSpec. Once, before anything else.
    virtual net::UpstreamPool& app_is_at(std::vector<net::UpstreamPool::Endpoint>, std::string origin) = 0;
    virtual void app_ready() = 0;    // requests go to it from now on
    virtual void app_answers() = 0;  // so they are answered: who has waited for it may begin
    virtual void app_gone() = 0;     // requests do not reach it, until it is ready again
    // It has ended though nobody asked. `try_again`: it is started again unless this returns false.
    // `last_lines` is what it wrote before, without colours.
    virtual bool app_died(const process::ExitCause&, bool try_again,
                          const std::deque<std::string>& last_lines) = 0;
    virtual void app_restarts(std::string_view when) = 0;
    virtual void app_output(const OutputLine&) = 0;
    virtual void app_config(const agent::AppConfig&) = 0;
    virtual void app_says(event::Level, std::string_view message, std::string_view fix,
                          std::string_view file) = 0;
    virtual void app_instance(const event::InstanceChanged&) = 0;
    virtual void app_lacks_isolation() = 0;  // without which the run is worth nothing

   protected:
    ~Host() = default;
  };
  // What it is given of the run, all of which outlives it.
  struct Place {
    boost::asio::io_context& io;
    Host& host;
    const EmulatorOptions& options;
    process::Children* children;  // null: it had no need of them
    process::Guardian* guardian;
    net::Timeouts& timeouts;
    CoreLoop& loop;
    Edge& edge;
    std::uint16_t port;  // the public one
  };
  struct Failure {
    Error error;
    int exit_code;
  };

  virtual ~App() = default;
  // By what its agent and we know each other; empty: it has none. Asked before start(), as the next one.
  virtual std::string_view token() const { return {}; }
  virtual void describe(engine::EngineOptions&, const profile::Profile&) const {}
  virtual bool needs_children() const { return true; }
  // Once. nullopt: it starts, or is there.
  virtual std::optional<Failure> start(const Place&) = 0;
  // No restarts and no word to the host from now on. Its processes are ended by whoever ends all.
  virtual void stop() = 0;
  virtual void restart() {}
  virtual void resize(process::WindowSize) {}
  // The instances that its functions have; null: all requests share one process.
  virtual IsolationShell* instances() { return nullptr; }
  // What holds from now on. What people should know of it is said when the change itself has been told.
  virtual std::vector<Saying> set_profile(const profile::Profile& /*from*/, const profile::Profile& /*to*/) {
    return {};
  }
  virtual std::vector<Saying> set_time_scale(double) { return {}; }
  // Compiles these routes, if it can, `most` long at most; `done` is called once, or never if the app goes
  // meanwhile.
  virtual void warm_up(const routes::RouteTable*, Duration /*most*/, const std::function<void()>& done) {
    done();
  }
};

std::unique_ptr<App> make_next_app(NextSpec, const World&);
std::unique_ptr<App> make_server_app(ServerSpec);
std::unique_ptr<App> make_upstream_app(UpstreamSpec);

}  // namespace vsim::app
