#include "profile/yaml_tree.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "base/text.hpp"

namespace vsim::profile {
namespace {

constexpr std::size_t kMaxBytes = 256UL * 1024;  // forty times the largest shipped profile
constexpr std::size_t kMaxDepth = 32;            // the schema needs four

// Thrown by our own handler through yaml-cpp, caught in parse_yaml.
struct RefusedYaml {
  int line, column, length;
  std::string message;
};

class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(const Source& source) : source_(source) {}
  YamlNode take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnAnchor(const YAML::Mark&, const std::string&) override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { add(node(mark, YamlNode::Kind::null)); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw RefusedYaml{mark.line, mark.column, word_length(mark.line, mark.column),
                      "aliases are not supported in a profile: write the value itself"};
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& value) override {
    YamlNode n = node(mark, YamlNode::Kind::scalar);
    n.text = value;
    n.length = token_length(mark.line, mark.column, value);
    const bool quoted = tag == "!";
    if (quoted && !source_.closes_quote(n.line, n.column))
      throw RefusedYaml{n.line, n.column, 1, "this quote is not closed"};
    add(std::move(n));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    open(node(mark, YamlNode::Kind::sequence));
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    open(node(mark, YamlNode::Kind::map));
  }
  void OnMapEnd() override { close(); }

 private:
  static YamlNode node(const YAML::Mark& mark, YamlNode::Kind kind) {
    YamlNode n;
    n.kind = kind;
    n.line = std::max(mark.line, 0);
    n.column = std::max(mark.column, 0);
    return n;
  }

  void open(YamlNode n) {
    if (open_.size() >= kMaxDepth)
      throw RefusedYaml{n.line, n.column, 1,
                        fmt::format("nested deeper than {} levels: a profile needs four", kMaxDepth)};
    open_.push_back(std::move(n));
  }
  void close() {
    YamlNode n = std::move(open_.back());
    open_.pop_back();
    add(std::move(n));
  }
  void add(YamlNode n) {
    if (open_.empty())
      root_ = std::move(n);
    else
      open_.back().children.push_back(std::move(n));
  }

  int word_length(int line, int column) const {
    const std::string_view rest = rest_of(line, column);
    return static_cast<int>(std::max<std::size_t>(1, std::min(rest.find_first_of(" \t,]}"), rest.size())));
  }
  std::string_view rest_of(int line, int column) const {
    const std::string_view text = source_.line(line);
    return text.substr(std::min(text.size(), static_cast<std::size_t>(std::max(column, 0))));
  }
  // Bytes of a scalar as written, quotes included, up to the end of its first line.
  int token_length(int line, int column, const std::string& value) const {
    const std::string_view rest = rest_of(line, column);
    if (rest.empty()) return 1;
    std::size_t length = std::min(value.find('\n'), value.size());
    if (rest[0] == '"' || rest[0] == '\'') {
      length = 1;
      while (length < rest.size() && rest[length] != rest[0])
        length += rest[0] == '"' && rest[length] == '\\' ? 2 : 1;
      ++length;
    } else if (rest[0] == '|' || rest[0] == '>') {
      length = 1;
    }
    return static_cast<int>(std::clamp<std::size_t>(length, 1, rest.size()));
  }

  const Source& source_;
  std::vector<YamlNode> open_;
  YamlNode root_;
};

// What yaml-cpp's words mean in practice.
std::string explain(std::string_view message) {
  if (message == YAML::ErrorMsg::MAP_VALUE)
    return "a \": \" inside a value needs quotes around the value, and keys of one group begin in one column";
  if (message == YAML::ErrorMsg::END_OF_MAP || message == YAML::ErrorMsg::END_OF_MAP_FLOW)
    return "a key ends with \": \" and begins in the column of its neighbours; a \"{\" needs its \"}\"";
  if (message == YAML::ErrorMsg::EOF_IN_SCALAR) return "a quote is not closed";
  return "expected a form such as \"duration:\" and, indented below it, \"default: 10s\"";
}

// What yaml-cpp would misread, trip over, or take for something else: reported before it sees the text.
bool looks_sane(const Source& source, std::vector<Diagnostic>& out) {
  const std::string_view text = source.text();
  if (text.size() > kMaxBytes) {
    Diagnostic d{source.file(),
                 1,
                 1,
                 fmt::format("{} bytes: a profile of more than {} bytes is not one", text.size(), kMaxBytes),
                 "",
                 1};
    out.push_back(std::move(d));
    return false;
  }
  bool sane = true;
  int tabs = 0;
  for (int i = 0; i < source.line_count(); ++i) {
    const std::string_view line = source.line(i);
    for (std::size_t j = 0; j < line.size();) {
      const auto c = static_cast<unsigned char>(line[j]);
      const std::size_t n = utf8_length(line.substr(j));
      if (n == 0 || (c < 0x20 && c != '\t') || c == 0x7F) {
        out.push_back(source.at(
            i, static_cast<int>(j), 1,
            fmt::format("byte 0x{:02x} does not belong in a text file: a profile is YAML in UTF-8", c)));
        return false;  // one is enough: the file is not text
      }
      j += n;
    }
    const std::size_t first = line.find_first_not_of(" \t");
    const std::size_t tab = line.find('\t');
    if (first != std::string_view::npos && line[first] != '#' && tab < first && tabs++ < 10) {
      out.push_back(source.at(i, static_cast<int>(tab), 1, "tab used for indentation: YAML wants spaces"));
      sane = false;
    }
  }
  return sane;
}

}  // namespace

Source::Source(std::string file, std::string_view text) : file_(std::move(file)) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  text_ = text;
  lines_ = split(text_, "\n");
  for (std::string_view& line : lines_)
    if (line.ends_with('\r')) line.remove_suffix(1);
}

std::string_view Source::line(int index) const {
  return index >= 0 && index < line_count() ? lines_[static_cast<std::size_t>(index)] : std::string_view();
}

bool Source::closes_quote(int line_index, int column) const {
  std::string_view rest = line(line_index);
  if (static_cast<std::size_t>(column) >= rest.size()) return true;
  const char quote = rest[static_cast<std::size_t>(column)];
  if (quote != '"' && quote != '\'') return true;
  rest = std::string_view(text_).substr(static_cast<std::size_t>(rest.data() - text_.data() + column + 1));
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (quote == '"' && rest[i] == '\\')
      ++i;
    else if (rest[i] == quote && quote == '\'' && i + 1 < rest.size() && rest[i + 1] == quote)
      ++i;
    else if (rest[i] == quote)
      return true;
  }
  return false;
}

Diagnostic Source::at(int line_index, int column, int length, std::string message) const {
  if (line_index >= line_count() && line_count() > 0) {  // at the end of the file: point behind its last line
    line_index = line_count() - 1;
    column = static_cast<int>(line(line_index).size());
    length = 1;
  }
  const std::string_view text = line(line_index);
  const std::size_t begin = std::min(text.size(), static_cast<std::size_t>(std::max(column, 0)));
  Diagnostic d;
  d.file = file_;
  d.line = line_index + 1;
  d.col = characters(text, begin) + 1;
  d.message = std::move(message);
  d.line_text = text;
  d.caret_length = std::max(1, characters(text.substr(begin), static_cast<std::size_t>(std::max(length, 1))));
  return d;
}

Diagnostic Source::at(const YamlNode& node, std::string message) const {
  return at(node.line, node.column, node.length, std::move(message));
}

std::optional<YamlNode> parse_yaml(const Source& source, std::vector<Diagnostic>& out) {
  if (!looks_sane(source, out)) return std::nullopt;
  try {
    std::istringstream in{std::string(source.text())};
    YAML::Parser parser(in);
    TreeBuilder builder(source);
    YamlNode root;
    if (parser.HandleNextDocument(builder)) root = builder.take();
    TreeBuilder second(source);
    if (parser.HandleNextDocument(second)) {
      const YamlNode extra = second.take();
      out.push_back(
          source.at(extra, "a second YAML document: a profile is one document (remove the \"---\" above)"));
      return std::nullopt;
    }
    return root;
  } catch (const RefusedYaml& r) {
    out.push_back(source.at(r.line, r.column, r.length, r.message));
  } catch (const YAML::Exception& e) {
    out.push_back(source.at(std::max(e.mark.line, 0), std::max(e.mark.column, 0), 1,
                            fmt::format("not valid YAML: {} ({})", e.msg, explain(e.msg))));
  } catch (const std::exception& e) {
    out.push_back(source.at(0, 0, 1, fmt::format("not valid YAML: {}", e.what())));
  }
  return std::nullopt;
}

std::string what_it_is(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::null:
      return "nothing";
    case YamlNode::Kind::scalar:
      return shown(node.text);
    case YamlNode::Kind::sequence:
      return "a list";
    case YamlNode::Kind::map:
      return "a map";
  }
  return "?";
}

void each_key(std::string_view path, const YamlNode& map,
              const std::function<void(const YamlNode&, std::string)>& report,
              const std::function<void(const std::string&, const YamlNode&, const YamlNode&, bool)>& visit) {
  std::map<std::string_view, int> seen;
  for (std::size_t i = 0; i + 1 < map.children.size(); i += 2) {
    const YamlNode &key = map.children[i], &value = map.children[i + 1];
    if (key.kind != YamlNode::Kind::scalar || key.text.empty()) {
      report(key, fmt::format("expected a key such as \"duration\", got {}", what_it_is(key)));
      continue;
    }
    const std::string full_name = path.empty() ? key.text : fmt::format("{}.{}", path, key.text);
    const auto [first, is_new] = seen.try_emplace(key.text, key.line + 1);
    if (!is_new) {
      const std::string quoted = shown(full_name);
      report(key, fmt::format("{} stands here twice, first in line {}", quoted.substr(1, quoted.size() - 2),
                              first->second));
    }
    visit(full_name, key, value, is_new);
  }
}

}  // namespace vsim::profile
