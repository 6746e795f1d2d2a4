#include "routes/app_path.hpp"

#include <algorithm>
#include <cstdint>

#include "base/text.hpp"

namespace vsim::routes {

std::vector<std::string_view> split_path(std::string_view path) {
  std::vector<std::string_view> out = split(path, "/");
  std::erase_if(out, [](std::string_view segment) { return segment.empty(); });
  return out;
}

bool is_group_segment(std::string_view s) { return s.size() >= 2 && s.front() == '(' && s.back() == ')'; }
bool is_slot_segment(std::string_view s) { return !s.empty() && s.front() == '@'; }
bool is_intercepting_segment(std::string_view s) {
  return !is_group_segment(s) && (s.starts_with("(.)") || s.starts_with("(..)") || s.starts_with("(...)"));
}

bool is_intercepting_route(std::string_view route) {
  const auto segments = split_path(route);
  return std::any_of(segments.begin(), segments.end(), is_intercepting_segment);
}

SegmentKind segment_kind(std::string_view s) {
  if (s.size() > 7 && s.starts_with("[[...") && s.ends_with("]]")) return SegmentKind::optional_catch_all;
  if (s.size() > 5 && s.starts_with("[...") && s.ends_with("]")) return SegmentKind::catch_all;
  if (s.size() > 2 && s.starts_with("[") && s.ends_with("]")) return SegmentKind::dynamic;
  return SegmentKind::literal;
}

std::string normalize_app_page(std::string_view page) {
  const auto segments = split_path(page);
  std::string out;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const std::string_view s = segments[i];
    if (is_group_segment(s) || is_slot_segment(s)) continue;
    if (i + 1 == segments.size() && (s == "page" || s == "route")) continue;
    out += '/';
    out += s;
  }
  for (std::size_t at = 0; (at = out.find("%5F", at)) != std::string::npos; ++at) out.replace(at, 3, "_");
  return out.empty() ? "/" : out;
}

std::string metadata_suffix(std::string_view parent) {
  std::uint32_t hash = 5381;
  for (const char c : parent) hash = hash * 33 + static_cast<unsigned char>(c);
  std::string digits;
  do {
    digits.push_back("0123456789abcdefghijklmnopqrstuvwxyz"[hash % 36]);
    hash /= 36;
  } while (hash > 0);
  std::reverse(digits.begin(), digits.end());
  return digits.substr(0, 6);
}

}  // namespace vsim::routes
