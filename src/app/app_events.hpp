// What the agent inside `next dev` tells, passed on: what is about a request to the edge, the rest to the
// emulator. I/O thread only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/control.hpp"
#include "app/edge.hpp"

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

  AppEvents(boost::asio::io_context& io, Edge& edge, Owner& owner, std::string token)
      : edge_(edge), owner_(owner), channel_(io, *this, std::move(token)) {}
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
    edge_.dispatched(id, Edge::to_dispatch(page, kind, runtime, is_static));
  }
  void on_compile(InvocationId id, bool ended) override {
    ended ? edge_.compile_ended(id) : edge_.compile_started(id);
  }
  void on_handler(InvocationId id) override { edge_.handler_started(id); }
  void on_refused(InvocationId id, const agent::Refused& told) override { edge_.code_refused(id, told); }
  void on_not_traced(InvocationId id, const agent::NotTraced& t) override { edge_.not_traced(id, t); }
  void on_left(InvocationId id, const std::vector<Hanging>& told, bool stopped) override {
    edge_.middleware_left(id, told, stopped);
  }
  void on_state(InvocationId id, const StateReport& report) override { edge_.middleware_state(id, report); }
  void on_precompiled(const agent::Precompiled& done) override { owner_.app_precompiled(done); }
  void on_problem(std::string_view message) override { owner_.app_warns(message, {}); }
  void on_boot(const agent::Boot& boot) override { owner_.app_boot(boot); }
  void on_changed(const agent::Changed& changed) override { owner_.app_changed(changed); }
  void on_closed(bool booted) override {
    if (booted) owner_.app_gone();
  }

  Edge& edge_;
  Owner& owner_;
  agent::ControlChannel channel_;
};

}  // namespace vsim::app
