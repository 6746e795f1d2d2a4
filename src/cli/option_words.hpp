// Words and small parsers that the command-line parsers of this module share. Private to it.
#pragma once

#include <fmt/format.h>

#include <charconv>
#include <span>
#include <string>
#include <string_view>

#include "base/text.hpp"
#include "cli/options.hpp"

namespace vsim::cli {

using ArgumentWords = std::span<const std::string_view>;
using ParsedOptions = Result<Options, UsageError>;

inline constexpr std::string_view kNoColor = "--no-color";
inline constexpr std::string_view kColor = "--color";
inline constexpr std::string_view kHelp = "--help";

inline bool is_help(std::string_view word) { return word == "--help" || word == "-h"; }

inline std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates) {
  const auto nearest = nearest_name(word, candidates);
  return nearest ? fmt::format(". Did you mean {}?", *nearest) : std::string();
}

// ". Did you mean fluid?" when `value` is nearly one of the words of "one of invocation, instance, fluid,
// none"; nothing for what is expected in other forms.
inline std::string nearest_word(std::string_view value, std::string_view expects) {
  constexpr std::string_view kList = "one of ";
  if (!expects.starts_with(kList)) return {};
  return did_you_mean(value, split(expects.substr(kList.size()), ", "));
}

// A value as the user would have to type it again.
inline std::string quoted(std::string_view text) { return fmt::format("\"{}\"", text); }

template <class T>
bool parse_number(std::string_view text, T& out) {
  const auto r = std::from_chars(text.data(), text.data() + text.size(), out);
  return r.ec == std::errc() && r.ptr == text.data() + text.size();
}

}  // namespace vsim::cli
