// YAML text as a tree in which every node knows its place and duplicate keys are still there (yaml-cpp's own
// nodes silently keep one of them). Built from yaml-cpp's event interface. Pure; never throws; bounded in
// size and depth. For this module and for other files that a person writes (vercel-sim.yaml).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "profile/diagnostic.hpp"

namespace vsim::profile {

struct YamlNode {
  enum class Kind { null, scalar, sequence, map } kind = Kind::null;
  int line = 0;                    // from 0
  int column = 0;                  // bytes, from 0
  int length = 1;                  // bytes of the token, as far as it goes on its first line
  std::string text;                // scalar
  std::vector<YamlNode> children;  // map: key, value, key, value…; sequence: its items
};

// The text of one file with what is needed to point into it.
class Source {
 public:
  Source(std::string file, std::string_view text);
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  const std::string& file() const { return file_; }
  std::string_view text() const { return text_; }  // without a byte order mark
  std::string_view line(int index) const;          // without its line break; empty when there is none
  // The quote that begins there has its end (yaml-cpp takes the end of the file for one). True where no quote
  // begins.
  bool closes_quote(int line, int column) const;
  int line_count() const { return static_cast<int>(lines_.size()); }
  Diagnostic at(int line, int column, int length, std::string message) const;
  Diagnostic at(const YamlNode& node, std::string message) const;

 private:
  std::string file_;
  std::string text_;
  std::vector<std::string_view> lines_;
};

// nullopt when the text cannot be read as one YAML document; then `out` has got at least one diagnostic.
// An empty document is a null node.
std::optional<YamlNode> parse_yaml(const Source&, std::vector<Diagnostic>& out);

// Visits the entries of a map whose keys are plain text, and reports the others and those that stand there
// twice (`is_new` is false for the second). `path` names the map: "duration", or nothing for the root.
void each_key(std::string_view path, const YamlNode& map,
              const std::function<void(const YamlNode& node, std::string message)>& report,
              const std::function<void(const std::string& full_name, const YamlNode& key,
                                       const YamlNode& value, bool is_new)>& visit);

// "nothing", "a list", "a map", or the text itself, quoted.
std::string what_it_is(const YamlNode& node);

}  // namespace vsim::profile
