// JSON as it is written to files and terminals: commas where they belong, texts escaped. Pure. Events have a
// writer of their own (event/json_encode.cpp), which is on the path of every request.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "base/text.hpp"
#include "base/time.hpp"

namespace vsim {

// One JSON object or array, open as long as this lives.
class JsonOut {
 public:
  JsonOut(std::string& out, char bracket) : out_(out), bracket_(bracket) { out_ += bracket; }
  ~JsonOut() { out_ += bracket_ == '{' ? '}' : ']'; }
  JsonOut(const JsonOut&) = delete;
  JsonOut& operator=(const JsonOut&) = delete;

  // Left out when it is empty.
  JsonOut& text(std::string_view key, std::string_view value) {
    return value.empty() ? *this : raw(key, json_string(value));
  }
  template <class Number>
  JsonOut& number(std::string_view key, Number value) {
    return raw(key, fmt::format("{}", value));
  }
  JsonOut& flag(std::string_view key, bool value) { return raw(key, value ? "true" : "false"); }
  JsonOut& ms(std::string_view key, Duration d) { return raw(key, exact_millis(d)); }
  JsonOut& raw(std::string_view key, std::string_view value) {
    name(key);
    out_ += value;
    return *this;
  }
  // Of each of a list what `tell` says, which is JSON.
  template <class List, class Tell>
  JsonOut& list(std::string_view key, const List& values, Tell tell) {
    JsonOut all = in(key, '[');
    for (const auto& value : values) {
      all.comma();
      out_ += tell(value);
    }
    return *this;
  }
  JsonOut in(std::string_view key, char bracket) {
    name(key);
    return JsonOut(out_, bracket);
  }
  // An object of an array; `before` stands in front of it.
  JsonOut item(std::string_view before = "\n") {
    comma();
    out_ += before;
    return JsonOut(out_, '{');
  }

 private:
  void comma() {
    if (std::exchange(any_, true)) out_ += ',';
  }
  void name(std::string_view key) {
    comma();
    out_ += fmt::format("\"{}\":", key);
  }
  std::string& out_;
  char bracket_;
  bool any_ = false;
};

}  // namespace vsim
