#include "routes/syntax.hpp"

#include <charconv>
#include <cstdlib>

#include "base/text.hpp"
#include "base/utf8.hpp"

namespace vsim::routes {
namespace {

constexpr int kMaxDepth = 100;  // of nested literals; no config is that deep, a hostile file may be

// One "\x41", "\n", "\u{1f600}" … sequence as tree-sitter delimits it.
void append_escape(std::string& out, std::string_view e) {
  if (e.size() < 2) return;
  constexpr std::string_view kNames = "ntrbfv", kMeant = "\n\t\r\b\f\v";
  if (const std::size_t named = kNames.find(e[1]); named != std::string_view::npos) {
    out += kMeant[named];
  } else if (e[1] == '\r' || e[1] == '\n') {
    // line continuation
  } else if (e[1] == 'x' || e[1] == 'u') {
    std::string_view digits = e.substr(2);
    if (digits.starts_with('{')) digits = digits.substr(1, digits.size() - 2);
    std::uint32_t code = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    if (code < 0x110000) append_utf8(out, code);
  } else if (e[1] >= '0' && e[1] <= '7') {
    std::uint32_t code = 0;
    std::from_chars(e.data() + 1, e.data() + e.size(), code, 8);
    append_utf8(out, code);
  } else {
    out += e.substr(1);
  }
}

// tree-sitter's node name as SWC (which Next prints) calls it.
std::string swc_name(std::string_view type) {
  static constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"parenthesized_expression", "ParenthesisExpression"},
      {"ternary_expression", "ConditionalExpression"},
      {"arrow_function", "ArrowFunctionExpression"},
      {"function_expression", "FunctionExpression"},
      {"non_null_expression", "TsNonNullExpression"},
      {"subscript_expression", "MemberExpression"},
      {"class", "ClassExpression"},
      {"augmented_assignment_expression", "AssignmentExpression"},
      {"jsx_element", "JSXElement"},
      {"jsx_self_closing_element", "JSXElement"},
  };
  for (const auto& [from, to] : kNames)
    if (type == from) return std::string(to);
  std::string out;
  bool up = true;
  for (const char c : type) {
    if (c == '_') {
      up = true;
      continue;
    }
    out += up && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    up = false;
  }
  return out;
}

Unsupported refuse(TSNode node, std::string reason, const std::string& path) {
  return {std::move(reason), path, Syntax::line(node), Syntax::column(node)};
}

// Named children of the text's errors and of the program are looked through by hand because a recursive walk
// of a hostile tree could be deep.
Extracted extract(const Syntax& syntax, TSNode node, const std::string& path, int depth) {
  Literal out;
  out.line = Syntax::line(node);
  out.column = Syntax::column(node);
  const std::string_view type = ts_node_type(node);
  if (depth > kMaxDepth) return refuse(node, "Nested too deeply", path);
  if (type == "null") {
    out.value = Null{};
  } else if (type == "true" || type == "false") {
    out.value = type == "true";
  } else if (type == "undefined") {
    out.value = Undefined{};
  } else if (type == "number") {
    const auto n = number_value(syntax.text(node));
    if (!n) return refuse(node, "Unsupported node type \"BigIntLiteral\"", path);
    out.value = *n;
  } else if (type == "string") {
    out.value = string_value(syntax, node);
  } else if (type == "template_string") {
    for (const TSNode part : Syntax::children(node))
      if (Syntax::is(part, "template_substitution"))
        return refuse(node, "Unsupported template literal with expressions", path);
    out.value = string_value(syntax, node);
  } else if (type == "regex") {
    out.value = RegExp{};
  } else if (type == "identifier") {
    return refuse(node, "Unknown identifier \"" + std::string(syntax.text(node)) + "\"", path);
  } else if (type == "as_expression" || type == "satisfies_expression" || type == "type_assertion") {
    const auto parts = Syntax::children(node);
    if (parts.empty()) return refuse(node, "Unsupported node type \"Invalid\"", path);
    // Next drops the path inside a type assertion, so its message has none there.
    return extract(syntax, type == "type_assertion" ? parts.back() : parts.front(), "", depth + 1);
  } else if (type == "array") {
    LiteralList list;
    int i = 0;
    for (const TSNode item : Syntax::children(node)) {
      if (Syntax::is(item, "spread_element"))
        return refuse(node, "Unsupported spread operator in the Array Expression", path);
      auto got = extract(syntax, item, path.empty() ? "" : path + "[" + std::to_string(i++) + "]", depth + 1);
      if (std::holds_alternative<Unsupported>(got)) return got;
      list.push_back(std::move(std::get<Literal>(got)));
    }
    out.value = std::move(list);
  } else if (type == "object") {
    auto object = std::make_shared<LiteralObject>();
    for (const TSNode pair : Syntax::children(node)) {
      const auto key = Syntax::field(pair, "key");
      const auto value = Syntax::field(pair, "value");
      if (!Syntax::is(pair, "pair") || !key || !value)
        return refuse(node, "Unsupported spread operator in the Object Expression", path);
      std::string name;
      if (Syntax::is(*key, "property_identifier"))
        name = syntax.text(*key);
      else if (Syntax::is(*key, "string"))
        name = string_value(syntax, *key);
      else
        return refuse(*key,
                      std::string("Unsupported key type \"") +
                          (Syntax::is(*key, "number") ? "NumericLiteral" : "Computed") +
                          "\" in the Object Expression",
                      path);
      std::string inner = path;
      if (!inner.empty()) inner.append(".").append(name);
      auto got = extract(syntax, *value, inner, depth + 1);
      if (std::holds_alternative<Unsupported>(got)) return got;
      object->members.emplace_back(std::move(name), std::move(std::get<Literal>(got)));
    }
    out.value = std::move(object);
  } else {
    return refuse(node, "Unsupported node type \"" + swc_name(type) + "\"", path);
  }
  return out;
}

}  // namespace

Syntax::Syntax(std::string_view text, bool typescript, std::chrono::microseconds patience) : text_(text) {
  TSParser* parser = ts_parser_new();
  if (!ts_parser_set_language(parser, typescript ? tree_sitter_typescript() : tree_sitter_tsx()))
    std::abort();  // the grammar's ABI does not fit the library: a broken build, not a broken file
  ts_parser_set_timeout_micros(parser, static_cast<std::uint64_t>(patience.count()));
  const auto parse = [&] {
    return ts_parser_parse_string(parser, nullptr, text_.data(), static_cast<std::uint32_t>(text_.size()));
  };
  tree_ = parse();
  if (tree_ == nullptr) {
    given_up_ = true;
    text_ = "@";
    ts_parser_reset(parser);
    ts_parser_set_timeout_micros(parser, 0);
    tree_ = parse();
  }
  ts_parser_delete(parser);
}

Syntax::~Syntax() { ts_tree_delete(tree_); }
TSNode Syntax::root() const { return ts_tree_root_node(tree_); }
bool Syntax::has_errors() const { return ts_node_has_error(root()); }

std::optional<TSNode> Syntax::first_error() const {
  if (!has_errors()) return std::nullopt;
  TSNode node = root();
  while (true) {
    if (Syntax::is(node, "ERROR") || ts_node_is_missing(node)) return node;
    bool down = false;
    const std::uint32_t count = ts_node_child_count(node);
    for (std::uint32_t i = 0; i < count && !down; ++i) {
      const TSNode child = ts_node_child(node, i);
      if (ts_node_has_error(child) || ts_node_is_missing(child)) {
        node = child;
        down = true;
      }
    }
    if (!down) return node;
  }
}

std::string_view Syntax::text(TSNode node) const {
  const std::uint32_t from = ts_node_start_byte(node), to = ts_node_end_byte(node);
  return from <= to && to <= text_.size() ? text_.substr(from, to - from) : std::string_view{};
}
bool Syntax::is(TSNode node, std::string_view type) { return type == ts_node_type(node); }
std::optional<TSNode> Syntax::field(TSNode node, std::string_view name) {
  const TSNode found =
      ts_node_child_by_field_name(node, name.data(), static_cast<std::uint32_t>(name.size()));
  if (ts_node_is_null(found)) return std::nullopt;
  return found;
}
std::vector<TSNode> Syntax::children(TSNode node) {
  std::vector<TSNode> out;
  TSTreeCursor cursor = ts_tree_cursor_new(node);
  for (bool more = ts_tree_cursor_goto_first_child(&cursor); more;
       more = ts_tree_cursor_goto_next_sibling(&cursor)) {
    const TSNode child = ts_tree_cursor_current_node(&cursor);
    if (ts_node_is_named(child) && !is(child, "comment")) out.push_back(child);
  }
  ts_tree_cursor_delete(&cursor);
  return out;
}
int Syntax::line(TSNode node) { return static_cast<int>(ts_node_start_point(node).row) + 1; }
int Syntax::column(TSNode node) { return static_cast<int>(ts_node_start_point(node).column) + 1; }

const Literal* LiteralObject::find(std::string_view key) const {
  for (auto it = members.rbegin(); it != members.rend(); ++it)
    if (it->first == key) return &it->second;
  return nullptr;
}

Extracted extract_literal(const Syntax& syntax, TSNode node, const std::string& path) {
  return extract(syntax, node, path, 0);
}

std::string string_value(const Syntax& syntax, TSNode node) {
  std::string out;
  for (const TSNode part : Syntax::children(node)) {
    if (Syntax::is(part, "escape_sequence"))
      append_escape(out, syntax.text(part));
    else if (Syntax::is(part, "string_fragment"))
      out += syntax.text(part);
  }
  return out;
}

std::optional<double> number_value(std::string_view text) {
  std::string digits;
  for (const char c : text)
    if (c != '_') digits.push_back(c);
  if (digits.empty() || digits.back() == 'n') return std::nullopt;
  const auto radix = [&](int base, std::size_t skip) -> std::optional<double> {
    double value = 0;
    for (const char c : std::string_view(digits).substr(skip)) {
      const int d = hex_digit(c);
      if (d < 0 || d >= base) return std::nullopt;
      value = value * base + d;
    }
    return value;
  };
  if (digits.size() > 2 && digits[0] == '0') {
    switch (digits[1] | 32) {
      case 'x':
        return radix(16, 2);
      case 'o':
        return radix(8, 2);
      case 'b':
        return radix(2, 2);
      default:
        break;
    }
  }
  if (digits.size() > 1 && digits[0] == '0' && digits.find_first_not_of("01234567") == std::string::npos) {
    return radix(8, 1);  // 010 is 8 in sloppy scripts
  }
  double value = 0;
  const char* begin = digits.data();
  const char* end = begin + digits.size();
  std::string padded;
  if (digits[0] == '.') {
    padded = "0" + digits;
    begin = padded.data();
    end = begin + padded.size();
  }
  const auto [stop, error] = std::from_chars(begin, end, value);
  if (error == std::errc::result_out_of_range) return std::strtod(begin, nullptr);
  if (error != std::errc{} || (stop != end && !(stop + 1 == end && *stop == '.'))) return std::nullopt;
  return value;
}

}  // namespace vsim::routes
