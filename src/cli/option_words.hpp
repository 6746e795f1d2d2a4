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

using Words = std::span<const std::string_view>;
using Outcome = Result<Options, UsageError>;

inline constexpr std::string_view kRecord = "--record";
inline constexpr std::string_view kNoColor = "--no-color";
inline constexpr std::string_view kHelp = "--help";

inline bool is_help(std::string_view word) { return word == "--help" || word == "-h"; }

inline std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates) {
  const auto nearest = nearest_name(word, candidates);
  return nearest ? fmt::format(". Did you mean {}?", *nearest) : std::string();
}

inline std::string not_yet(std::string_view what) {
  return fmt::format("{} is not in this version yet", what);
}

// A value as the user would have to type it again.
inline std::string quoted(std::string_view text) { return fmt::format("\"{}\"", text); }

template <class T>
bool parse_number(std::string_view text, T& out) {
  const auto r = std::from_chars(text.data(), text.data() + text.size(), out);
  return r.ec == std::errc() && r.ptr == text.data() + text.size();
}

}  // namespace vsim::cli
