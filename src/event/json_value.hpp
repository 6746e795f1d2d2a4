// A small strict JSON reader for event lines (RFC 8259). Pure; internal to this module. Numbers are kept as
// text, so that 64-bit counts and nanoseconds lose nothing.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace vsim::event {

struct JsonValue {
  enum class Type { null, boolean, number, string, array, object } type = Type::null;
  bool boolean = false;
  std::string text;  // of a string, unescaped; of a number, as written
  std::vector<JsonValue> items;
  std::vector<std::pair<std::string, JsonValue>> members;

  const JsonValue* find(std::string_view key) const;  // the last one of that name
};

// The whole text is one value. Nesting deeper than 16 is an error.
Result<JsonValue> parse_json(std::string_view text);

}  // namespace vsim::event
