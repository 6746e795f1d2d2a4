// A ControlHandler that writes down what it is told, one line a call.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "agent/control.hpp"

namespace vsim::agent::test {

struct Recorder final : ControlHandler {
  std::vector<std::string> said;

  static std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (const std::string& word : words) out += (out.empty() ? "" : ",") + word;
    return "[" + out + "]";
  }
  static std::string text(InvocationId id) { return std::to_string(static_cast<std::uint64_t>(id)); }
  void say(std::string line) { said.push_back(std::move(line)); }

  void on_hello(const Hello& h) override {
    std::string line = "hello " + std::to_string(h.pid) + " " + std::string(h.next) + " " +
                       std::string(h.bundler) + " " + joined(h.missing);
    if (h.isolation)
      line += " " + std::string(h.exec) + (h.isolation->ok ? " ok " : " no ") + joined(h.isolation->missing) +
              (h.isolation->grouped ? " grouped" : "");
    if (h.compile) line += " compile";
    say(std::move(line));
  }
  void on_precompiled(const Precompiled& done) override {
    static constexpr const char* kWords[] = {"ok", "missing", "failed", "left"};
    say("precompiled " + std::string(done.page) + " " + std::string(done.kind) + " " +
        kWords[static_cast<int>(done.status)] + " " + std::to_string(static_cast<int>(done.ms)) + " " +
        std::string(done.error));
  }
  void on_listening() override { say("listening"); }
  void on_config(const AppConfig& config) override {
    say("config " + config.base_path.value_or("-") + " " +
        (config.page_extensions ? joined(*config.page_extensions) : "-"));
  }
  void on_dispatch(InvocationId id, std::string_view page, std::string_view kind, std::string_view runtime,
                   bool is_static) override {
    say("dispatch " + text(id) + " " + std::string(page) + " " + std::string(kind) + " " +
        std::string(runtime) + (is_static ? " static" : " dynamic"));
  }
  void on_compile(InvocationId id, bool ended) override {
    say("compile " + text(id) + (ended ? " end" : " start"));
  }
  void on_handler(InvocationId id) override { say("handler " + text(id)); }
  void on_refused(InvocationId id, const Refused& r) override {
    say("refused " + text(id) + " " + std::string(r.what) + " at " + std::string(r.at) +
        (r.failed ? " failed" : "") + (r.middleware ? " middleware" : ""));
  }
  void on_left(InvocationId id, const std::vector<Hanging>& left, bool stopped) override {
    std::string line = "left " + text(id);
    for (const Hanging& h : left) line += " " + h.kind + "@" + h.at;
    say(line + (stopped ? " stopped" : ""));
  }
  void on_state(InvocationId id, const StateReport& report) override {
    say("state " + text(id) + " " + report.method + " " + std::to_string(report.seen.size()));
  }
  void on_problem(std::string_view message) override { say("problem " + std::string(message)); }
  void on_boot(const Boot& boot) override { say("boot " + boot.file); }
  void on_changed(const Changed& c) override {
    say("changed " + std::to_string(c.generation) + (c.all ? " all" : "") +
        (c.environment ? " environment" : "") + " " + joined(c.files));
  }
  void on_closed(bool booted) override { say(booted ? "closed booted" : "closed"); }
};

}  // namespace vsim::agent::test
