#include "check/query.hpp"

#include <fmt/format.h>

#include <cstdlib>

namespace vsim::check {

Result<std::shared_ptr<const Query>> Query::compile(std::string_view text, unsigned grammars) {
  std::shared_ptr<Query> out(new Query);
  const TSLanguage* languages[] = {tree_sitter_tsx(), tree_sitter_typescript()};
  for (int g = 0; g < 2; ++g) {
    if ((grammars & (1u << g)) == 0) continue;
    Grammar& grammar = out->grammars_[g];
    std::uint32_t offset = 0;
    TSQueryError error = TSQueryErrorNone;
    grammar.query =
        ts_query_new(languages[g], text.data(), static_cast<std::uint32_t>(text.size()), &offset, &error);
    if (grammar.query == nullptr)
      return Error{fmt::format("query: error {} at \"{}\"", static_cast<int>(error), text.substr(offset, 40)),
                   ""};
    for (std::uint32_t i = 0; i < ts_query_capture_count(grammar.query); ++i) {
      std::uint32_t n = 0;
      const char* name = ts_query_capture_name_for_id(grammar.query, i, &n);
      grammar.names.emplace_back(name, n);
    }
    for (std::uint32_t p = 0; p < ts_query_pattern_count(grammar.query); ++p) {
      std::uint32_t n = 0;
      const TSQueryPredicateStep* steps = ts_query_predicates_for_pattern(grammar.query, p, &n);
      std::vector<Predicate> list;
      Predicate current;
      bool begin = true;
      for (std::uint32_t s = 0; s < n; ++s) {
        if (steps[s].type == TSQueryPredicateStepTypeDone) {
          list.push_back(std::move(current));
          current = {};
          begin = true;
          continue;
        }
        const bool capture = steps[s].type == TSQueryPredicateStepTypeCapture;
        std::uint32_t length = 0;
        std::string value;
        if (capture) {
          value = grammar.names[steps[s].value_id];
        } else {
          const char* v = ts_query_string_value_for_id(grammar.query, steps[s].value_id, &length);
          value.assign(v, length);
        }
        if (begin)
          current.name = std::move(value);
        else
          current.arguments.push_back({capture, std::move(value)});
        begin = false;
      }
      grammar.predicates.push_back(std::move(list));
    }
  }
  return std::shared_ptr<const Query>(std::move(out));
}

Query::~Query() {
  for (Grammar& g : grammars_)
    if (g.query != nullptr) ts_query_delete(g.query);
}

void Query::run(const Ast& ast,
                const std::function<void(const Captures&, const std::vector<Predicate>&)>& match,
                const std::function<bool()>& stop) const {
  const TSLanguage* language = ts_tree_language(ast.node(0).tree);
  const Grammar& g = grammars_[language == tree_sitter_typescript() ? 1 : 0];
  if (g.query == nullptr) return;  // not asked for
  struct Asked {
    const std::function<bool()>& stop;
    bool stopped = false;
  } asked{stop};
  const TSQueryCursorOptions options{&asked, [](TSQueryCursorState* state) {
                                       Asked& a = *static_cast<Asked*>(state->payload);
                                       return a.stopped = a.stopped || (a.stop && a.stop());
                                     }};
  TSQueryCursor* cursor = ts_query_cursor_new();
  ts_query_cursor_exec_with_options(cursor, g.query, ast.node(0), &options);
  TSQueryMatch m;
  while (!asked.stopped && ts_query_cursor_next_match(cursor, &m)) {
    Captures captures;
    for (std::uint16_t i = 0; i < m.capture_count; ++i)
      if (const int at = ast.index(m.captures[i].node); at != kNone)
        captures.emplace(g.names[m.captures[i].index], at);
    match(captures, g.predicates[m.pattern_index]);
  }
  ts_query_cursor_delete(cursor);
}

const Query& Queries::of(std::string_view text, unsigned grammars) {
  auto& query = compiled_[{std::string(text), grammars}];
  if (query == nullptr) {
    auto compiled = Query::compile(text, grammars);
    if (!compiled) std::abort();
    query = std::move(*compiled);
  }
  return *query;
}

}  // namespace vsim::check
