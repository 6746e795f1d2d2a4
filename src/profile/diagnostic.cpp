#include "profile/diagnostic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/plain_text.hpp"
#include "base/text.hpp"

namespace vsim::profile {
namespace {

constexpr std::size_t kShownWidth = 100;  // of a source line; longer ones are shown around the caret
constexpr std::size_t kShownBefore = 60;

// One string per character; broken bytes are one each.
std::vector<std::string_view> split_characters(std::string_view line) {
  std::vector<std::string_view> out;
  while (!line.empty()) {
    const std::size_t n = std::max<std::size_t>(utf8_length(line), 1);
    out.push_back(line.substr(0, n));
    line.remove_prefix(n);
  }
  return out;
}

}  // namespace

int characters(std::string_view text, std::size_t bytes) {
  const std::string_view part = text.substr(0, std::min(bytes, text.size()));
  return static_cast<int>(split_characters(part).size());
}

std::string shown(std::string_view text) {
  constexpr std::size_t kShown = 60;
  std::string out;
  append_json_string(out, text.substr(0, kShown));
  if (text.size() > kShown) out += "...";
  return out;
}

std::string to_string(const Diagnostic& d) {
  const std::string file = (is_log_command(d.file) ? "./" : "") + plain(d.file);
  std::string out = d.line > 0 ? fmt::format("{}:{}:{}: {}\n", file, d.line, d.col, plain(d.message))
                               : fmt::format("{}: {}\n", file, plain(d.message));
  if (d.line_text.empty() || d.col < 1) return out;

  const std::vector<std::string_view> line = split_characters(d.line_text);
  const std::size_t caret = static_cast<std::size_t>(d.col - 1);
  std::size_t first = 0, last = line.size();
  if (line.size() > kShownWidth) {
    first = caret > kShownBefore ? std::min(caret - kShownBefore, line.size() - kShownWidth) : 0;
    last = first + kShownWidth;
  }
  // Behind a gutter: the line of a file must not be one of a CI system's log.
  const std::string number = d.line > 0 ? std::to_string(d.line) + " " : "";
  std::string shown, under = first > 0 ? "   " : "";
  for (std::size_t i = first; i < last; ++i) {
    shown += line[i];
    if (i < caret) under += line[i] == "\t" ? '\t' : ' ';
  }
  shown = (first > 0 ? "..." : "") + plain(shown);
  for (std::size_t i = last; i < caret; ++i) under += ' ';
  if (last < line.size()) shown += "...";
  const std::size_t room = last > caret ? last - caret : 1;
  const std::size_t length = std::min(room, static_cast<std::size_t>(std::max(d.caret_length, 1)));
  return out + fmt::format("  {}| {}\n  {}| {}^{}\n", number, shown, std::string(number.size(), ' '), under,
                           std::string(length - 1, '~'));
}

std::string to_string(std::span<const Diagnostic> all) {
  std::string out;
  for (const Diagnostic& d : all) out += to_string(d);
  return out;
}

}  // namespace vsim::profile
