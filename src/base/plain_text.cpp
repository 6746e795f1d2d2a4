#include "base/plain_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace vsim {
namespace {

// U+061C, U+200E and U+200F, U+202A to U+202E, U+2066 to U+2069: they reorder what stands around them. U+2028
// and U+2029 end a line.
bool turns(std::string_view c) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(c[i]); };
  if (c.size() == 2) return at(0) == 0xd8 && at(1) == 0x9c;
  if (c.size() != 3 || at(0) != 0xe2) return false;
  if (at(1) == 0x80) return at(2) == 0x8e || at(2) == 0x8f || (at(2) >= 0xa8 && at(2) <= 0xae);
  return at(1) == 0x81 && at(2) >= 0xa6 && at(2) <= 0xa9;
}

// "##[error]" of GitHub, "##vso[task.setvariable …]" of Azure, "##teamcity[…]": wherever they stand in a
// line.
bool is_marked_command(std::string_view text) {
  if (!text.starts_with("##")) return false;
  text.remove_prefix(2);
  while (!text.empty() && ascii_lower(text[0]) >= 'a' && ascii_lower(text[0]) <= 'z') text.remove_prefix(1);
  return text.starts_with('[');
}

// What a reader of a log may leave out at its begin: Unicode's spaces.
std::size_t space_length(std::string_view text) {
  if (text.empty()) return 0;
  const std::size_t n = utf8_length(text);
  if (n <= 1) return std::string_view(" \t\r\v\f").find(text[0]) != std::string_view::npos ? 1 : 0;
  const std::string_view c = text.substr(0, n);
  const bool is = c == "\u00a0" || c == "\u1680" || (c >= "\u2000" && c <= "\u200f") || c == "\u202f" ||
                  c == "\u205f" || c == "\u3000" || c == "\ufeff";
  return is ? n : 0;
}

bool is_control(std::string_view c) {
  const auto first = static_cast<unsigned char>(c[0]);
  if (c.size() == 1) return (first < 0x20 && first != '\t') || first == 0x7f;
  return c.size() == 2 && first == 0xc2 && static_cast<unsigned char>(c[1]) < 0xa0;
}

}  // namespace

void append_plain(std::string& out, std::string_view text, LineEnds ends) {
  const bool simple =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f && c != '#'; });
  if (simple) {
    out.append(text);
    return;
  }
  while (!text.empty()) {
    if (is_marked_command(text)) {
      out += "## ";
      text.remove_prefix(2);
      continue;
    }
    const std::size_t n = utf8_length(text);
    const std::string_view c = text.substr(0, std::max<std::size_t>(n, 1));
    if (n == 1 && c[0] == '\n' && ends == LineEnds::keep)
      out += '\n';
    else if (n == 0 || is_control(c) || turns(c))
      out += '?';
    else
      out += c;
    text.remove_prefix(c.size());
  }
}

std::string plain(std::string_view text, LineEnds ends) {
  std::string out;
  out.reserve(text.size());
  append_plain(out, text, ends);
  return out;
}

bool is_log_command(std::string_view line) {
  while (const std::size_t space = space_length(line)) line.remove_prefix(space);
  return line.starts_with("::");
}

std::string in_log_command(std::string_view text, bool property) {
  std::string out;
  for (const char c : plain(text, LineEnds::keep)) {
    if (c == '%' || c == '\r' || c == '\n' || (property && (c == ':' || c == ',')))
      out += fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    else
      out += c;
  }
  return out;
}

}  // namespace vsim
