// A small matcher for the JavaScript regular expressions (no flags) that glob translation produces: literals,
// classes, groups, alternation, quantifiers, ^ $ \b, lookahead. Answers only whether the text matches, so it
// can remember every (step, position) it has tried and is never exponential. Works on UTF-16 code units, as
// JavaScript does without the u flag. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace vsim::routes {

class GlobRegex {
 public:
  // nullopt where JavaScript's `new RegExp` throws, and for groups nested deeper than kMaxDepth.
  static std::optional<GlobRegex> compile(std::u16string_view source);
  bool matches(std::u16string_view text) const;  // found anywhere; anchor with ^ and $

  static constexpr int kMaxDepth = 200;

  enum class Op : std::uint8_t {
    unit,      // one given code unit
    any,       // "."
    set,       // a class
    split,     // go on at +a, or else at +b
    jump,      // go on at +a
    begin,     // ^
    end,       // $
    word,      // \b
    not_word,  // \B
    look,      // (?= the body at +1 up to its accept; after it +b
    not_look,  // (?!
    accept,
  };
  struct Step {
    Op op = Op::accept;
    char16_t unit = 0;
    std::int32_t a = 0;  // targets are relative to the step; for `set` the index of the class
    std::int32_t b = 0;
  };
  struct Set {
    bool negated = false;
    std::vector<std::pair<char16_t, char16_t>> ranges;
  };

 private:
  bool run(std::size_t from, std::size_t at, std::u16string_view text,
           std::vector<std::vector<std::int8_t>>& looks) const;
  std::vector<Step> steps_;
  std::vector<Set> sets_;
  std::vector<std::int32_t> look_index_;  // step -> row of the memo, -1: not a lookahead
  std::size_t look_count_ = 0;
};

}  // namespace vsim::routes
