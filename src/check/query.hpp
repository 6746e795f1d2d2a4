// A compiled tree-sitter query with its predicates taken apart. Pure.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "check/ast.hpp"

namespace vsim::check {

using Captures = std::map<std::string, int, std::less<>>;  // the first node of each capture

// (#name? @capture "text" …)
struct Predicate {
  struct Argument {
    bool capture = false;
    std::string text;
  };
  std::string name;
  std::vector<Argument> arguments;
};

class Query {
 public:
  // One grammar each for .ts and all else; the query must fit both. Compiling takes milliseconds for each, so
  // a caller that knows which of them its files need asks for those only.
  enum Grammars : unsigned { tsx = 1, typescript = 2, both = 3 };
  static Result<std::shared_ptr<const Query>> compile(std::string_view text, unsigned grammars = both);
  ~Query();
  // Calls back with every match, in source order, and the predicates of its pattern, until `stop` says true:
  // it is asked now and then, also when nothing matches.
  void run(const Ast& ast, const std::function<void(const Captures&, const std::vector<Predicate>&)>& match,
           const std::function<bool()>& stop = {}) const;

 private:
  Query() = default;
  struct Grammar {
    TSQuery* query = nullptr;
    std::vector<std::string> names;
    std::vector<std::vector<Predicate>> predicates;  // by pattern
  };
  Grammar grammars_[2];  // tsx, typescript
};

// Queries that stay compiled, for who looks more than once: compiling all rules takes longer than a small
// project does.
class Queries {
 public:
  // Aborts on a query that does not compile: they are the binary's own data, and a unit test compiles all.
  const Query& of(std::string_view text, unsigned grammars);

 private:
  std::map<std::pair<std::string, unsigned>, std::shared_ptr<const Query>> compiled_;
};

}  // namespace vsim::check
