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

  void on_hello(int pid, std::string_view version, std::string_view bundler,
                const std::vector<std::string>& missing) override {
    say("hello " + std::to_string(pid) + " " + std::string(version) + " " + std::string(bundler) + " " +
        joined(missing));
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
  void on_compiled(std::string_view page, double ms) override {
    say("compiled " + std::string(page) + " " + std::to_string(static_cast<int>(ms)));
  }
  void on_problem(std::string_view message) override { say("problem " + std::string(message)); }
  void on_closed() override { say("closed"); }
};

}  // namespace vsim::agent::test
