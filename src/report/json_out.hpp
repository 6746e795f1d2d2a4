// How json.cpp and otlp.cpp write JSON. Private to the module.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "report/words.hpp"

namespace vsim::report {

// One JSON object or array, with commas where they belong. Empty texts are left out.
class Out {
 public:
  Out(std::string& out, char bracket) : out_(out), bracket_(bracket) { out_ += bracket; }
  ~Out() { out_ += bracket_ == '{' ? '}' : ']'; }
  Out(const Out&) = delete;
  Out& operator=(const Out&) = delete;

  Out& text(std::string_view key, std::string_view value) {
    if (!value.empty()) raw(key, json(value));
    return *this;
  }
  template <class Int>
  Out& number(std::string_view key, Int value) {
    return raw(key, fmt::format("{}", value));
  }
  Out& flag(std::string_view key, bool value) { return raw(key, value ? "true" : "false"); }
  Out& ms(std::string_view key, Duration d) { return raw(key, millis(d)); }
  Out& raw(std::string_view key, std::string_view value) {
    name(key);
    out_ += value;
    return *this;
  }
  Out in(std::string_view key, char bracket) {
    name(key);
    return Out(out_, bracket);
  }
  Out item() {
    out_ += first_ ? "\n" : ",\n";
    first_ = false;
    return Out(out_, '{');
  }

 private:
  void name(std::string_view key) {
    if (!first_) out_ += ',';
    first_ = false;
    out_ += fmt::format("\"{}\":", key);
  }
  std::string& out_;
  char bracket_;
  bool first_ = true;
};

}  // namespace vsim::report
