#include "base/fit_columns.hpp"

#include <algorithm>
#include <vector>

#include "base/text.hpp"

namespace vsim {
namespace {

constexpr std::size_t kNames = 40;     // columns in which a column of names may end
constexpr std::size_t kAuthors = 100;  // columns at which a text of ours was broken by hand
constexpr std::size_t kTarget = 6;  // column of the target in a request's line, which begins with one space
constexpr std::size_t kLeast = 24;  // columns of text that are left beside a hanging indentation

// The length in bytes of the escape sequence that `text` begins with; 0 when there is none.
std::size_t escape_length(std::string_view text) {
  if (!text.starts_with("\x1b[")) return 0;
  std::size_t end = 2;
  while (end < text.size() && !(text[end] >= '@' && text[end] <= '~')) ++end;
  return std::min(end + 1, text.size());
}

std::size_t indentation(std::string_view line) { return std::min(line.find_first_not_of(' '), line.size()); }

// The column at which the text of a line begins: that of what comes after a name and a gap.
std::size_t hang_of(std::string_view line) {
  std::size_t column = 0, gap = 0;
  const std::size_t first = indentation(line);
  for (std::size_t i = 0; i < line.size() && column <= kNames;) {
    if (const std::size_t escape = escape_length(line.substr(i)); escape != 0) {
      i += escape;
      continue;
    }
    if (line[i] == ' ') {
      ++gap;
    } else {
      if (gap >= 2 && column > first) return column;
      gap = 0;
    }
    ++column;
    i += std::max<std::size_t>(utf8_length(line.substr(i)), 1);
  }
  return first == 1 ? kTarget : first;
}

struct AuthoredLine {
  std::string text;
  std::size_t hang;
};

// A line that goes on where the author could not put the next word any more.
bool goes_on(const AuthoredLine& line, std::string_view next, std::size_t last_columns) {
  if (next.empty() || next.find_first_not_of(' ') == std::string_view::npos || line.text.empty())
    return false;
  const std::size_t indent = indentation(next);
  if (indent != line.hang || hang_of(next) != indent) return false;
  const std::string_view rest = next.substr(indent);
  return last_columns + 1 + columns(rest.substr(0, rest.find(' '))) > kAuthors - 2;
}

std::vector<AuthoredLine> joined(std::string_view text) {
  std::vector<AuthoredLine> lines;
  std::size_t last = 0;  // columns of the author's line
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view one = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!lines.empty() && goes_on(lines.back(), one, last))
      lines.back().text.append(" ").append(one.substr(indentation(one)));
    else
      lines.push_back({std::string(one), hang_of(one)});
    last = columns(one);
  }
  return lines;
}

void append_broken(std::string& out, const AuthoredLine& line, std::size_t width) {
  std::string_view rest = line.text;
  const std::size_t hang = line.hang + kLeast > width ? indentation(line.text) : line.hang;
  std::size_t column = 0;
  bool is_first = true;
  while (!rest.empty()) {
    // With the spaces before it, which go where the line ends.
    const std::size_t spaces = indentation(rest);
    const std::size_t end = std::min(rest.find(' ', spaces), rest.size());
    const std::string_view word = rest.substr(spaces, end - spaces);
    const std::size_t wide = columns(word);
    if (!is_first && column > hang && column + spaces + wide > width && wide > 0) {
      out.append("\n").append(hang, ' ');
      column = hang;
    } else {
      out.append(spaces, ' ');
      column += spaces;
    }
    out.append(word);
    column += wide;
    is_first = is_first && wide == 0;
    rest.remove_prefix(end);
  }
}

}  // namespace

std::size_t columns(std::string_view text) {
  std::size_t n = 0;
  while (!text.empty()) {
    const std::size_t escape = escape_length(text);
    if (escape == 0) ++n;
    text.remove_prefix(escape != 0 ? escape : std::max<std::size_t>(utf8_length(text), 1));
  }
  return n;
}

std::string fit_columns(std::string_view text, std::size_t width) {
  if (width == 0) return std::string(text);
  bool fits = true;
  for (std::string_view rest = text; fits && !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    fits = end <= width || columns(rest.substr(0, end)) <= width;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (fits) return std::string(text);
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  const bool ends = text.ends_with('\n');
  const std::vector<AuthoredLine> lines = joined(text);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (columns(lines[i].text) <= width)
      out.append(lines[i].text);
    else
      append_broken(out, lines[i], width);
    if (i + 1 < lines.size() || ends) out.push_back('\n');
  }
  return out;
}

std::string in_columns(const std::vector<std::vector<std::string>>& rows, std::string_view indent) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (widths.size() <= i) widths.push_back(0);
      widths[i] = std::max(widths[i], columns(row[i]));
    }
  std::string out;
  for (const auto& row : rows) {
    out += indent;
    for (std::size_t i = 0; i < row.size(); ++i)
      out.append(row[i]).append(widths[i] - columns(row[i]) + 2, ' ');
    out.erase(out.find_last_not_of(' ') + 1);
    out += '\n';
  }
  return out;
}

}  // namespace vsim
