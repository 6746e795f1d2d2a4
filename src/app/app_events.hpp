// What the agent inside `next dev` tells, passed on: what is about a request to the core, the rest to the
// emulator. I/O thread only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/control.hpp"
#include "app/agent_words.hpp"
#include "app/core_loop.hpp"

namespace vsim::app {

class AppEvents final : private agent::ControlHandler {
 public:
  class Owner {
   public:
    virtual void app_hello(const agent::Hello&) {}
    virtual void app_listens() = 0;
    virtual void app_config(const agent::AppConfig&) = 0;
    virtual void app_warns(std::string_view what, std::string_view fix) = 0;
    virtual void app_lacks(const std::vector<std::string>& /*hooks*/) {}
    virtual void app_precompiled(const agent::Precompiled&) {}
    virtual void app_boot(const agent::Boot&) {}
    virtual void app_changed(const agent::Changed&) {}
    virtual void app_gone() {}  // the agent that had said boot

   protected:
    ~Owner() = default;
  };

  AppEvents(boost::asio::io_context& io, CoreLoop& loop, Owner& owner, std::string token)
      : loop_(loop), owner_(owner), channel_(io, *this, std::move(token)) {}
  Result<bool> listen(const std::string& socket_path) { return channel_.listen(socket_path); }
  agent::ControlChannel& channel() { return channel_; }

 private:
  void on_hello(const agent::Hello& hello) override {
    owner_.app_hello(hello);
    owner_.app_lacks(hello.missing);
  }
  void on_listening() override { owner_.app_listens(); }
  void on_config(const agent::AppConfig& config) override { owner_.app_config(config); }
  void on_dispatch(InvocationId id, std::string_view page, std::string_view kind, std::string_view runtime,
                   bool is_static) override {
    tell([&](auto& core, auto& m) {
      core.engine().dispatched(id, to_dispatch(page, kind, runtime, is_static), m.now);
    });
  }
  void on_compile(InvocationId id, bool ended) override {
    tell([&](auto& core, auto& m) {
      ended ? core.compile_ended(id, m.now) : core.compile_started(id, m.now);
    });
  }
  void on_handler(InvocationId id) override {
    tell([&](auto& core, auto& m) { core.engine().handler_started(id, m.now); });
  }
  void on_refused(InvocationId id, const agent::Refused& told) override {
    tell([&](auto& core, auto& m) { core.engine().code_refused(id, to_refused(told), m.now, m.wall); });
  }
  void on_not_traced(InvocationId id, const agent::NotTraced& t) override {
    tell([&](auto& core, auto& m) {
      core.engine().not_traced(id, to_dispatch(t.page, t.kind, {}, false), to_read(t), m.now, m.wall);
    });
  }
  void on_left(InvocationId id, const std::vector<Hanging>& told, bool stopped) override {
    tell([&](auto& core, auto& m) { core.engine().middleware_left(id, told, stopped, m.now, m.wall); });
  }
  void on_state(InvocationId id, const StateReport& report) override {
    tell([&](auto& core, auto& m) { core.engine().middleware_state(id, report, m.now, m.wall); });
  }
  void on_precompiled(const agent::Precompiled& done) override { owner_.app_precompiled(done); }
  void on_problem(std::string_view message) override { owner_.app_warns(message, {}); }
  void on_boot(const agent::Boot& boot) override { owner_.app_boot(boot); }
  void on_changed(const agent::Changed& changed) override { owner_.app_changed(changed); }
  void on_closed(bool booted) override {
    if (booted) owner_.app_gone();
  }

  template <class F>
  void tell(F f) {
    loop_.tell([&](core::Core& core, const core::Moment& m, auto&) { f(core, m); });
  }

  CoreLoop& loop_;
  Owner& owner_;
  agent::ControlChannel channel_;
};

}  // namespace vsim::app
