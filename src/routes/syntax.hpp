// A thin owner of a tree-sitter tree and the few questions this module and project/next_config ask of it.
// Pure.
#pragma once

#include <tree_sitter/api.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

extern "C" {
const TSLanguage* tree_sitter_tsx();
const TSLanguage* tree_sitter_typescript();
}

namespace vsim::routes {

// A parsed JavaScript or TypeScript text. The text must outlive it.
class Syntax {
 public:
  // `typescript` true: the grammar without JSX, for `<T>value` assertions. A text that is not read within
  // `patience` (unbalanced quotes by the hundred thousand; people's own sources take milliseconds) is given
  // up.
  Syntax(std::string_view text, bool typescript,
         std::chrono::microseconds patience = std::chrono::seconds(5));
  ~Syntax();
  Syntax(const Syntax&) = delete;
  Syntax& operator=(const Syntax&) = delete;

  bool given_up() const { return given_up_; }  // the tree is that of a text with an error at its begin
  TSNode root() const;
  bool has_errors() const;
  std::optional<TSNode> first_error() const;  // the first ERROR or missing node in the text
  std::string_view text(TSNode node) const;
  static bool is(TSNode node, std::string_view type);
  static std::optional<TSNode> field(TSNode node, std::string_view name);
  static std::vector<TSNode> children(TSNode node);  // named ones, comments left out
  static int line(TSNode node);                      // 1-based
  static int column(TSNode node);                    // 1-based, bytes

 private:
  std::string_view text_;
  TSTree* tree_ = nullptr;
  bool given_up_ = false;
};

// A literal value as Next's extractor sees it.
struct Literal;
using LiteralList = std::vector<Literal>;
struct LiteralObject;
struct Undefined {};
struct Null {};
struct RegExp {};
struct Literal {
  std::variant<Undefined, Null, bool, double, std::string, RegExp, LiteralList,
               std::shared_ptr<LiteralObject>>
      value;
  int line = 0;
  int column = 0;
};
struct LiteralObject {
  std::vector<std::pair<std::string, Literal>> members;  // in source order; a later one of the same name wins
  const Literal* find(std::string_view key) const;
};
// Why a value is no literal, in Next's words: `Unknown identifier "X"`, `Unsupported node type
// "CallExpression"` and the path to it.
struct Unsupported {
  std::string reason;
  std::string path;  // "config.maxDuration", or "" inside a type assertion, as Next tells it
  int line = 0;
  int column = 0;
};
using Extracted = std::variant<Literal, Unsupported>;
// `path` starts with the exported name. Depth is bounded.
Extracted extract_literal(const Syntax& syntax, TSNode node, const std::string& path);

// The cooked value of a string literal node or a template without expressions.
std::string string_value(const Syntax& syntax, TSNode node);
// JavaScript number literals: decimal, hex, octal, binary, legacy octal, exponents, separators. nullopt for
// BigInt.
std::optional<double> number_value(std::string_view text);

}  // namespace vsim::routes
