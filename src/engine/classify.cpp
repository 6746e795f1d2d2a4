#include "engine/classify.hpp"

#include "base/text.hpp"

namespace vsim::engine {

namespace {

// "." or "..", also written with %2e: Next resolves them, and what it then serves is another path.
bool has_dot_segment(std::string_view path) {
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    std::string_view segment = path.substr(0, slash);
    std::size_t dots = 0;
    while (!segment.empty()) {
      const std::size_t size = segment.front() == '.' ? 1 : iequals(segment.substr(0, 3), "%2e") ? 3 : 0;
      if (size == 0) break;
      ++dots;
      segment.remove_prefix(size);
    }
    if (segment.empty() && (dots == 1 || dots == 2)) return true;
    if (slash == std::string_view::npos) return false;
    path.remove_prefix(slash + 1);
  }
  return false;
}

}  // namespace

bool is_dev_internal(std::string_view path) {
  for (std::size_t at = path.find('_'); at != std::string_view::npos; at = path.find('_', at + 1)) {
    if (at == 0 || path[at - 1] != '/') continue;
    const std::string_view segment = path.substr(at);
    if (segment.starts_with("__nextjs")) return !has_dot_segment(path);
    if (segment.starts_with("_next/")) return !segment.starts_with("_next/data/") && !has_dot_segment(path);
  }
  return path == "/.well-known/appspecific/com.chrome.devtools.json";
}

}  // namespace vsim::engine
