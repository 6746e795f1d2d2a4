// An app that is a child of ours: what next dev and a command have in common. I/O thread only.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "app/app.hpp"
#include "app/app_process.hpp"
#include "app/exit_codes.hpp"

namespace vsim::app {

class ProcessApp : public App {
 public:
  void stop() override {
    if (process_) process_->stop();
  }
  void restart() override {
    if (process_) process_->restart();
  }
  void resize(process::WindowSize size) override {
    if (process_) process_->resize(size);
  }

 protected:
  // Once. From now on the host is told what becomes of it. `still_waiting` is said once when it takes long;
  // `answers` as in AppProcess::Callbacks.
  std::optional<Failure> launch(const Place& place, ProcessSpec spec, std::string still_waiting,
                                std::function<bool()> answers) {
    host_ = &place.host;
    AppProcess::Callbacks callbacks;
    callbacks.answers = std::move(answers);
    callbacks.ready = [this] {
      came();
      host_->app_ready();
      host_->app_answers();
    };
    callbacks.output = [this](std::string_view line) { host_->app_output({line}); };
    callbacks.died = [this](const process::ExitCause& cause, bool again) {
      leave();
      return host_->app_died(cause, again, process_->last_lines());
    };
    callbacks.restarting = [this](std::string_view when) { host_->app_restarts(when); };
    callbacks.gone = [this] { leave(); };
    callbacks.waiting = [this, still_waiting = std::move(still_waiting)] {
      host_->app_says(event::Level::warning, still_waiting, {}, {});
    };
    process_ = std::make_unique<AppProcess>(place.io, *place.children, std::move(spec), std::move(callbacks));
    const auto started = process_->start();
    if (started) return std::nullopt;
    return Failure{started.error(), kUsage};  // there is no command of that name
  }
  virtual void came() {}  // it is ready
  virtual void went() {}

  Host* host_ = nullptr;
  std::unique_ptr<AppProcess> process_;

 private:
  void leave() {
    host_->app_gone();
    went();
  }
};

}  // namespace vsim::app
