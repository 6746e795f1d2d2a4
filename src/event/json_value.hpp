// A small strict JSON reader for lines of events and of recordings (RFC 8259). Pure; called by this module
// and by replay. Numbers are kept as text, so that 64-bit counts and nanoseconds lose nothing.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace vsim::event {

struct JsonValue {
  enum class Type { null, boolean, number, string, array, object } type = Type::null;
  bool boolean = false;
  std::size_t at = 0;  // where in the text it begins, in bytes
  std::string text;    // of a string, unescaped; of a number, as written
  std::vector<JsonValue> items;
  struct Member;  // no std::pair: clang wants one of an incomplete type whole
  std::vector<Member> members;

  const JsonValue* find(std::string_view key) const;  // the last one of that name
};
struct JsonValue::Member {
  std::string name;
  JsonValue value;
};

// The whole text is one value. Nesting deeper than 16 is an error. `failed_at`: where it is wrong, in bytes.
Result<JsonValue> parse_json(std::string_view text, std::size_t* failed_at = nullptr);

}  // namespace vsim::event
