#include "learn/places.hpp"

#include <fmt/format.h>

#include <vector>

#include "base/text.hpp"
#include "profile/diagnostic.hpp"
#include "profile/yaml_tree.hpp"

namespace vsim::learn {
namespace {

using profile::YamlNode;

void append(std::string& out, const profile::Source& source, const YamlNode& node) {
  const int column = profile::characters(source.line(node.line), static_cast<std::size_t>(node.column)) + 1;
  out += fmt::format("{{\"line\":{},\"column\":{}", node.line + 1, column);
  const bool is_map = node.kind == YamlNode::Kind::map;
  if (node.kind == YamlNode::Kind::scalar) {
    out += ",\"text\":";
    append_json_string(out, node.text);
  } else if (is_map || node.kind == YamlNode::Kind::sequence) {
    out += is_map ? ",\"entries\":[" : ",\"items\":[";
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      if (i > 0) out += ',';
      if (is_map && i % 2 == 0) out += '[';
      append(out, source, node.children[i]);
      if (is_map && i % 2 == 1) out += ']';
    }
    out += ']';
  }
  out += '}';
}

}  // namespace

Result<std::string> with_places(std::string_view name, std::string_view yaml) {
  const profile::Source source(std::string(name), yaml);
  std::vector<profile::Diagnostic> wrong;
  const auto root = profile::parse_yaml(source, wrong);
  if (!root) return Error{profile::to_string(wrong), ""};
  std::string out;
  append(out, source, *root);
  return out;
}

}  // namespace vsim::learn
