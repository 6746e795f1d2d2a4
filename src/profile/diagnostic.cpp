#include "profile/diagnostic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/text.hpp"

namespace vsim::profile {
namespace {

constexpr std::size_t kShownWidth = 100;  // of a source line; longer ones are shown around the caret
constexpr std::size_t kShownBefore = 60;

// One string per character; what is no character, and control characters, become '?', so that a binary file
// cannot drive the terminal. Tabs stay.
std::vector<std::string> split_characters(std::string_view line) {
  std::vector<std::string> out;
  while (!line.empty()) {
    const std::size_t n = utf8_length(line);
    const auto first = static_cast<unsigned char>(line[0]);
    const bool control = (first < 0x20 && first != '\t') || first == 0x7F ||
                         (n == 2 && first == 0xC2 && static_cast<unsigned char>(line[1]) < 0xA0);
    out.emplace_back(n == 0 || control ? std::string("?") : std::string(line.substr(0, n)));
    line.remove_prefix(n == 0 ? 1 : n);
  }
  return out;
}

}  // namespace

int characters(std::string_view text, std::size_t bytes) {
  const std::string_view part = text.substr(0, std::min(bytes, text.size()));
  return static_cast<int>(split_characters(part).size());
}

std::string to_string(const Diagnostic& d) {
  std::string out = d.line > 0 ? fmt::format("{}:{}:{}: {}\n", d.file, d.line, d.col, d.message)
                               : fmt::format("{}: {}\n", d.file, d.message);
  if (d.line_text.empty() || d.col < 1) return out;

  const std::vector<std::string> line = split_characters(d.line_text);
  const std::size_t caret = static_cast<std::size_t>(d.col - 1);
  std::size_t first = 0, last = line.size();
  if (line.size() > kShownWidth) {
    first = caret > kShownBefore ? std::min(caret - kShownBefore, line.size() - kShownWidth) : 0;
    last = first + kShownWidth;
  }
  std::string shown = first > 0 ? "  ..." : "  ", under = first > 0 ? "     " : "  ";
  for (std::size_t i = first; i < last; ++i) {
    shown += line[i];
    if (i < caret) under += line[i] == "\t" ? '\t' : ' ';
  }
  for (std::size_t i = last; i < caret; ++i) under += ' ';
  if (last < line.size()) shown += "...";
  const std::size_t room = last > caret ? last - caret : 1;
  const std::size_t length = std::min(room, static_cast<std::size_t>(std::max(d.caret_length, 1)));
  return out + shown + "\n" + under + "^" + std::string(length - 1, '~') + "\n";
}

std::string to_string(std::span<const Diagnostic> all) {
  std::string out;
  for (const Diagnostic& d : all) out += to_string(d);
  return out;
}

}  // namespace vsim::profile
