#include "engine/classify.hpp"

namespace vsim::engine {

bool is_dev_internal(std::string_view path) {
  for (std::size_t at = path.find('_'); at != std::string_view::npos; at = path.find('_', at + 1)) {
    if (at == 0 || path[at - 1] != '/') continue;
    const std::string_view segment = path.substr(at);
    if (segment.starts_with("__nextjs")) return true;
    if (segment.starts_with("_next/")) return !segment.starts_with("_next/data/");
  }
  return path == "/.well-known/appspecific/com.chrome.devtools.json";
}

}  // namespace vsim::engine
