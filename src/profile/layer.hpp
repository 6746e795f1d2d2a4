// One profile file on its own: what it extends, what it sets, and everything that is wrong with it. Private
// to this module.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "profile/schema.hpp"
#include "profile/yaml_tree.hpp"

namespace vsim::profile {

// A place that a later check may want to point at.
struct TextSpan {
  int line = 0, column = 0, length = 1;  // as in YamlNode
};

struct Assignment {
  const Key* key = nullptr;
  std::string text;
  Provenance from;
  TextSpan place;
};

struct Layer {
  std::unique_ptr<Source> source;
  bool readable = false;  // it was a map; else nothing below is set
  std::optional<std::string> extends;
  TextSpan extends_place;
  bool extends_unclear = false;  // there is one, and it is wrong
  std::string name, title;
  std::vector<Assignment> assignments;  // valid ones
  std::vector<const Key*> mentioned;    // set, validly or not
};

// `profile_name` is what Provenance.profile will say. Appends to `out`, at most kMaxDiagnostics.
inline constexpr std::size_t kMaxDiagnostics = 50;
Layer read_layer(std::string file, std::string_view text, std::string_view profile_name,
                 std::vector<Diagnostic>& out);

// `unknown key "durations"` with the nearest one, or with what there is in that group.
std::string unknown_key(std::string_view name);

}  // namespace vsim::profile
