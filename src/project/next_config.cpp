#include "project/next_config.hpp"

#include <fmt/format.h>

#include <utility>

#include "project/files.hpp"
#include "routes/syntax.hpp"

namespace vsim::project {
namespace {

using routes::Extracted;
using routes::Literal;
using routes::Syntax;

constexpr int kMaxDepth = 12;  // of wrappers and names that lead to the object

class Reader {
 public:
  Reader(const Syntax& syntax, NextConfig& out) : syntax_(syntax), out_(out) {}

  void read() {
    for (const TSNode node : Syntax::children(syntax_.root())) collect(node);
    for (const TSNode node : Syntax::children(syntax_.root())) {
      if (Syntax::is(node, "export_statement")) {
        if (const auto value = Syntax::field(node, "value"))
          object_of(*value, 0);
        else
          for (const TSNode child : Syntax::children(node))  // export default function (phase) { … }
            if (Syntax::is(child, "function_declaration") && syntax_.text(node).starts_with("export default"))
              object_of(child, 0);
      } else if (Syntax::is(node, "expression_statement")) {
        for (const TSNode e : Syntax::children(node)) {
          if (!Syntax::is(e, "assignment_expression")) continue;
          const auto left = Syntax::field(e, "left"), right = Syntax::field(e, "right");
          if (left && right &&
              (syntax_.text(*left) == "module.exports" || syntax_.text(*left) == "exports.default"))
            object_of(*right, 0);
        }
      }
    }
    if (!found_) unknown();  // there is a file, but no object could be seen in it
  }

 private:
  void collect(TSNode node) {
    if (Syntax::is(node, "function_declaration")) {
      if (const auto name = Syntax::field(node, "name")) names_.emplace_back(syntax_.text(*name), node);
      return;
    }
    if (!Syntax::is(node, "lexical_declaration") && !Syntax::is(node, "variable_declaration")) return;
    for (const TSNode d : Syntax::children(node)) {
      const auto name = Syntax::field(d, "name"), value = Syntax::field(d, "value");
      if (name && value) names_.emplace_back(syntax_.text(*name), *value);
    }
  }

  // Follows names, assertions, wrappers and functions to the object literal.
  void object_of(TSNode node, int depth) {
    if (depth > kMaxDepth) return;
    if (Syntax::is(node, "object")) {
      members(node);
    } else if (Syntax::is(node, "identifier")) {
      for (const auto& [name, value] : names_)
        if (name == syntax_.text(node)) {
          object_of(value, depth + 1);
          return;
        }
    } else if (Syntax::is(node, "as_expression") || Syntax::is(node, "satisfies_expression") ||
               Syntax::is(node, "parenthesized_expression") || Syntax::is(node, "await_expression") ||
               Syntax::is(node, "type_assertion")) {
      const auto parts = Syntax::children(node);
      if (!parts.empty())
        object_of(Syntax::is(node, "type_assertion") ? parts.back() : parts.front(), depth + 1);
    } else if (Syntax::is(node, "call_expression")) {
      out_.wrapped = true;
      if (const auto arguments = Syntax::field(node, "arguments"))
        for (const TSNode a : Syntax::children(*arguments)) object_of(a, depth + 1);
      // withBundleAnalyzer({ enabled })(nextConfig): the options of the inner call are not the configuration
      if (const auto callee = Syntax::field(node, "function");
          callee && !found_ && Syntax::is(*callee, "identifier"))
        object_of(*callee, depth + 1);
    } else if (Syntax::is(node, "arrow_function") || Syntax::is(node, "function_expression") ||
               Syntax::is(node, "function_declaration")) {
      out_.wrapped = true;
      const auto body = Syntax::field(node, "body");
      if (!body) return;
      if (!Syntax::is(*body, "statement_block")) {
        object_of(*body, depth + 1);
        return;
      }
      for (const TSNode s : Syntax::children(*body)) {
        collect(s);
        if (Syntax::is(s, "return_statement"))
          for (const TSNode e : Syntax::children(s)) object_of(e, depth + 1);
      }
    }
  }

  template <class T, class Convert>
  void take(ConfigValue<T>& setting, TSNode value, Convert convert) {
    setting.line = Syntax::line(value);
    const Extracted got = routes::extract_literal(syntax_, value, "");
    const Literal* literal = std::get_if<Literal>(&got);
    std::optional<T> v;
    if (literal != nullptr) v = convert(*literal);
    if (literal != nullptr && std::holds_alternative<routes::Undefined>(literal->value)) return;
    if (v)
      setting.set(std::move(*v));
    else
      setting.known = Known::computed;
  }

  static std::optional<std::string> text(const Literal& l) {
    const auto* s = std::get_if<std::string>(&l.value);
    return s != nullptr ? std::optional(*s) : std::nullopt;
  }

  void members(TSNode object) {
    found_ = true;
    for (const TSNode pair : Syntax::children(object)) {
      if (Syntax::is(pair, "spread_element")) {
        unknown();
        continue;
      }
      if (Syntax::is(pair, "shorthand_property_identifier")) {
        named(syntax_.text(pair), std::nullopt);
        continue;
      }
      const auto key = Syntax::field(pair, "key"), value = Syntax::field(pair, "value");
      if (!Syntax::is(pair, "pair") || !key || !value) continue;
      const std::string name =
          Syntax::is(*key, "string") ? routes::string_value(syntax_, *key) : std::string(syntax_.text(*key));
      named(name, *value);
    }
  }

  void named(std::string_view name, std::optional<TSNode> value) {
    if (!value || Syntax::is(*value, "identifier")) {  // basePath, or basePath: prefix with a const prefix
      const std::string_view wanted = value ? syntax_.text(*value) : name;
      for (const auto& [n, v] : names_)
        if (n == wanted) value = v;
    }
    const auto one = [&](std::string_view key, auto& setting, auto convert) {
      if (name != key) return;
      if (value)
        take(setting, *value, convert);
      else
        setting.known = Known::computed;
    };
    one("basePath", out_.base_path, text);
    one("assetPrefix", out_.asset_prefix, text);
    one("distDir", out_.dist_dir, text);
    one("trailingSlash", out_.trailing_slash, [](const Literal& l) -> std::optional<bool> {
      const bool* b = std::get_if<bool>(&l.value);
      return b != nullptr ? std::optional(*b) : std::nullopt;
    });
    one("pageExtensions", out_.page_extensions,
        [](const Literal& l) -> std::optional<std::vector<std::string>> {
          const auto* list = std::get_if<routes::LiteralList>(&l.value);
          if (list == nullptr) return std::nullopt;
          std::vector<std::string> out;
          for (const Literal& item : *list) {
            auto s = text(item);
            if (!s) return std::nullopt;
            out.push_back(std::move(*s));
          }
          return out;
        });
  }

  void unknown() {
    const auto mark = [](auto& s) {
      if (s.known == Known::unset) s.known = Known::computed;
    };
    mark(out_.base_path);
    mark(out_.asset_prefix);
    mark(out_.page_extensions);
    mark(out_.dist_dir);
    mark(out_.trailing_slash);
  }

  const Syntax& syntax_;
  NextConfig& out_;
  std::vector<std::pair<std::string_view, TSNode>> names_;
  bool found_ = false;
};

}  // namespace

NextConfig read_next_config(std::string_view text, std::string_view file) {
  NextConfig out;
  out.file = file;
  const Syntax syntax(text, file.ends_with(".ts") || file.ends_with(".mts"));
  Reader(syntax, out).read();
  return out;
}

NextConfig find_next_config(const std::string& root) {
  for (const char* name : {"next.config.js", "next.config.mjs", "next.config.ts", "next.config.mts"})
    if (const auto text = read_text(fmt::format("{}/{}", root, name), 1u << 20))
      return read_next_config(*text, name);
  return {};
}

}  // namespace vsim::project
