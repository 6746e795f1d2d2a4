#include "agent/meta.hpp"

#include "base/text.hpp"

namespace vsim::agent {
std::optional<Meta> parse_meta(std::string_view name, std::string_view value, std::string_view token) {
  if (token.empty() || !iequals(name, "x-vsim-meta") || !value.starts_with(token) ||
      value.size() <= token.size() || value[token.size()] != ' ')
    return std::nullopt;
  value.remove_prefix(token.size() + 1);
  Meta meta;
  while (!value.empty()) {
    const std::string_view pair = value.substr(0, value.find(';'));
    value.remove_prefix(std::min(value.size(), pair.size() + 1));
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view key = pair.substr(0, equals), text = pair.substr(equals + 1);
    if (key == "page") meta.page = percent_decoded(text);
    if (key == "kind") meta.kind = text;
    if (key == "runtime") meta.runtime = text;
    if (key == "static") meta.is_static = text == "1";
    if (key == "unseen") meta.unseen = text == "1";
    if (key == "at") meta.at = percent_decoded(text);
    if (key == "kept") {
      for (std::string_view rest = text; !rest.empty();) {
        const std::string_view one = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(rest.size(), one.size() + 1));
        if (!one.empty()) meta.kept.push_back(percent_decoded(one));
      }
    }
  }
  return meta;
}

}  // namespace vsim::agent
