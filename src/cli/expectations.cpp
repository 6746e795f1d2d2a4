#include "cli/expectations.hpp"

#include <algorithm>

namespace vsim::cli {
namespace {

// Brackets and parentheses mean themselves, as in Next's own names: app/users/[id]/route.ts,
// app/(shop)/page.tsx.
std::string glob_of(std::string_view route) {
  std::string out;
  for (const char c : route) {
    if (c == '[' || c == ']' || c == '(' || c == ')') out += '\\';
    out += c;
  }
  return out;
}

std::string_view without_line(std::string_view file) {
  const std::size_t colon = file.rfind(':');
  if (colon == std::string_view::npos || colon + 1 == file.size()) return file;
  const std::string_view digits = file.substr(colon + 1);
  const bool line = std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  return line ? file.substr(0, colon) : file;
}

}  // namespace

Expectations::Expectations(std::vector<Expectation> entries) {
  for (Expectation& e : entries) {
    routes::Glob glob(glob_of(e.route));
    entries_.push_back({std::move(e), std::move(glob)});
  }
}

const Expectation* Expectations::match(limits::Code code, std::string_view route, std::string_view file,
                                       std::string_view path) {
  for (Entry& entry : entries_) {
    if (entry.said.code != code) continue;
    const auto fits = [&](std::string_view name) { return !name.empty() && entry.glob.matches(name); };
    const bool meant =
        entry.said.route.starts_with('/') ? fits(route.empty() ? path : route) : fits(without_line(file));
    if (!meant) continue;
    ++entry.hits;
    return &entry.said;
  }
  return nullptr;
}

std::vector<const Expectation*> Expectations::stale() const {
  std::vector<const Expectation*> out;
  for (const Entry& entry : entries_)
    if (entry.hits == 0) out.push_back(&entry.said);
  return out;
}

}  // namespace vsim::cli
