#include "base/place.hpp"

#include <charconv>

namespace vsim {
namespace {

// Takes ":12" from the end; 0 if there is none.
int take_number(std::string_view& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return 0;
  int value = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data() + colon + 1, end, value);
  if (read.ec != std::errc() || read.ptr != end || value <= 0) return 0;
  text = text.substr(0, colon);
  return value;
}

}  // namespace

Place parse_place(std::string_view text) {
  Place place;
  const int last = take_number(text);
  const int before = last > 0 ? take_number(text) : 0;
  place.line = before > 0 ? before : last;
  place.column = before > 0 ? last : 0;
  place.file = text;
  return place;
}

std::string to_string(const Place& place) {
  std::string out = place.file;
  if (place.line > 0) out += ":" + std::to_string(place.line);
  if (place.line > 0 && place.column > 0) out += ":" + std::to_string(place.column);
  return out;
}

bool is_in_project(std::string_view file) {
  if (file.empty() || file[0] == '/' || file == ".." || file.starts_with("../")) return false;
  if (file.starts_with("node:") || file.starts_with("[turbopack]/")) return false;
  return file.find("://") == std::string_view::npos;
}

}  // namespace vsim
