#include "routes/source_config.hpp"

#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "routes/syntax.hpp"

namespace vsim::routes {
namespace {

constexpr std::string_view kAppDocs =
    "https://nextjs.org/docs/app/api-reference/file-conventions/route-segment-config";
constexpr std::string_view kPagesDocs = "https://nextjs.org/docs/messages/invalid-page-config";

bool is_setting(std::string_view name, SourceRole role) {
  if (name == "runtime" || name == "maxDuration") return true;
  return role == SourceRole::app ? name == "dynamic" : name == "config";
}

std::string show(const Literal& v) {
  if (const auto* s = std::get_if<std::string>(&v.value)) return "\"" + *s + "\"";
  if (const auto* d = std::get_if<double>(&v.value)) return fmt::format("{}", *d);
  if (const auto* b = std::get_if<bool>(&v.value)) return *b ? "true" : "false";
  if (std::holds_alternative<Null>(v.value)) return "null";
  if (std::holds_alternative<LiteralList>(v.value)) return "an array";
  if (std::holds_alternative<RegExp>(v.value)) return "a regular expression";
  return "an object";
}

class Reader {
 public:
  Reader(const Syntax& syntax, std::string_view file, SourceRole role)
      : syntax_(syntax), file_(file), role_(role) {}

  SourceConfig read() {
    for (const TSNode node : Syntax::children(syntax_.root())) {
      if (Syntax::is(node, "export_statement")) read_export(node);
      // In a file that is being edited the statements may hang below an error.
      else if (Syntax::is(node, "ERROR"))
        for (const TSNode inner : Syntax::children(node))
          if (Syntax::is(inner, "export_statement")) read_export(inner);
    }
    if (const auto error = syntax_.first_error()) {
      note(RouteSeverity::hint, Syntax::line(*error), Syntax::column(*error),
           syntax_.given_up() ? "This file takes too long to read: its settings are not known."
                              : "Syntax error here; the settings of this file may be read incompletely.");
    }
    // As Next: the export wins over the member of `config`.
    if (!out_.max_duration) out_.max_duration = config_duration_;
    if (!out_.runtime) out_.runtime = config_runtime_;
    return std::move(out_);
  }

 private:
  void note(RouteSeverity severity, int line, int column, std::string message, std::string fix = {}) {
    out_.findings.push_back({severity, file_, line, column, std::move(message), std::move(fix)});
  }

  void seen_export(std::string_view name) {
    if (name == "generateSitemaps" || name == "generateImageMetadata") out_.has_ids = true;
    if (name == "getServerSideProps") out_.has_server_props = true;
  }

  void read_export(TSNode node) {
    const bool from_elsewhere = Syntax::field(node, "source").has_value();
    if (const auto declaration = Syntax::field(node, "declaration")) {
      if (Syntax::is(*declaration, "function_declaration") ||
          Syntax::is(*declaration, "generator_function_declaration")) {
        if (const auto name = Syntax::field(*declaration, "name")) seen_export(syntax_.text(*name));
      } else if (Syntax::is(*declaration, "lexical_declaration") ||
                 Syntax::is(*declaration, "variable_declaration")) {
        const bool is_const = syntax_.text(*declaration).starts_with("const");
        for (const TSNode d : Syntax::children(*declaration))
          if (Syntax::is(d, "variable_declarator")) read_declarator(d, is_const);
      }
      return;
    }
    for (const TSNode clause : Syntax::children(node)) {
      if (!Syntax::is(clause, "export_clause")) continue;
      for (const TSNode specifier : Syntax::children(clause)) {
        const auto name = Syntax::field(specifier, "name");
        if (!name) continue;
        const auto alias = Syntax::field(specifier, "alias");
        const std::string exported(syntax_.text(alias ? *alias : *name));
        seen_export(syntax_.text(*name));
        if (!is_setting(exported, role_)) continue;
        note(RouteSeverity::warning, Syntax::line(specifier), Syntax::column(specifier),
             fmt::format("Next.js can't recognize the exported `{}` field in \"{}\", it may be re-exported "
                         "from another file. "
                         "The default config will be used instead.",
                         exported, file_),
             from_elsewhere
                 ? fmt::format("Write `export const {} = …` with a literal value in this file.", exported)
                 : fmt::format("Put `export const` in front of its declaration, with a literal value."));
      }
    }
  }

  void read_declarator(TSNode declarator, bool is_const) {
    const auto name_node = Syntax::field(declarator, "name");
    if (!name_node || !Syntax::is(*name_node, "identifier")) return;
    const std::string name(syntax_.text(*name_node));
    seen_export(name);
    if (!is_setting(name, role_)) return;
    const int line = Syntax::line(*name_node), column = Syntax::column(*name_node);
    if (!is_const) {
      note(RouteSeverity::warning, line, column,
           fmt::format(
               "`{}` is not exported with `const`, so Next.js does not read it and the default is used.",
               name),
           fmt::format("Write `export const {} = …`.", name));
      return;
    }
    const auto value = Syntax::field(declarator, "value");
    if (!value) return;
    if (seen_[name == "maxDuration" ? 0 : name == "runtime" ? 1 : name == "dynamic" ? 2 : 3]++ > 0) return;
    const Extracted got = extract_literal(syntax_, *value, name);
    if (const auto* bad = std::get_if<Unsupported>(&got)) {
      note(RouteSeverity::error, bad->line, bad->column,
           fmt::format("Next.js can't recognize the exported `config` field in \"{}\": {}{}.", file_,
                       bad->reason, bad->path.empty() ? "" : fmt::format(" at \"{}\"", bad->path)),
           fmt::format("`{}` is read without running the file: write a literal. Read More - {}", name,
                       kPagesDocs));
      return;
    }
    const Literal& literal = std::get<Literal>(got);
    if (name == "maxDuration") {
      out_.max_duration = duration(literal, line, name);
    } else if (name == "runtime") {
      out_.runtime = runtime(literal, line, name);
    } else if (name == "dynamic") {
      if (const auto* s = std::get_if<std::string>(&literal.value))
        out_.dynamic = Located<std::string>{*s, line};
    } else if (const auto* object = std::get_if<std::shared_ptr<LiteralObject>>(&literal.value)) {
      if (const Literal* v = (*object)->find("maxDuration"))
        config_duration_ = duration(*v, v->line, "config.maxDuration");
      if (const Literal* v = (*object)->find("runtime"))
        config_runtime_ = runtime(*v, v->line, "config.runtime");
    }
  }

  void invalid(const Literal& v, std::string_view name, std::string_view expected) {
    const bool app = role_ == SourceRole::app;
    note(RouteSeverity::error, v.line, v.column,
         fmt::format("Invalid segment configuration options detected for \"{}\": {} at \"{}\", received {}.",
                     file_, expected, name, show(v)),
         fmt::format("Read more at {}", app ? kAppDocs : kPagesDocs));
  }

  std::optional<Located<double>> duration(const Literal& v, int line, std::string_view name) {
    if (std::holds_alternative<Undefined>(v.value)) return std::nullopt;
    const auto* seconds = std::get_if<double>(&v.value);
    if (seconds == nullptr) {
      invalid(v, name, "Expected number");
      return std::nullopt;
    }
    if (role_ == SourceRole::app && (*seconds != std::floor(*seconds) || !std::isfinite(*seconds))) {
      invalid(v, name, "Expected integer");
      return std::nullopt;
    }
    return Located<double>{*seconds, line};
  }

  std::optional<Located<Runtime>> runtime(const Literal& v, int line, std::string_view name) {
    if (std::holds_alternative<Undefined>(v.value)) return std::nullopt;
    const auto* s = std::get_if<std::string>(&v.value);
    if (s != nullptr && *s == "nodejs") return Located<Runtime>{Runtime::nodejs, line};
    // 16.4 refuses "experimental-edge" in app/, earlier versions took it; either way the code is meant for
    // the edge.
    if (s != nullptr && (*s == "edge" || *s == "experimental-edge"))
      return Located<Runtime>{Runtime::edge, line};
    invalid(v, name,
            role_ == SourceRole::app ? "Expected 'edge' | 'nodejs'"
                                     : "Expected 'edge' | 'experimental-edge' | 'nodejs'");
    return std::nullopt;
  }

  const Syntax& syntax_;
  const std::string file_;
  const SourceRole role_;
  SourceConfig out_;
  std::optional<Located<double>> config_duration_;
  std::optional<Located<Runtime>> config_runtime_;
  int seen_[4] = {};
};

// Most files say nothing about their function; they need not be parsed to know it.
bool worth_parsing(std::string_view text, SourceRole role) {
  for (const std::string_view word :
       {"maxDuration", "runtime", "generateSitemaps", "generateImageMetadata", "getServerSideProps"})
    if (text.find(word) != std::string_view::npos) return true;
  return text.find(role == SourceRole::app ? "dynamic" : "config") != std::string_view::npos;
}

}  // namespace

SourceConfig read_source_config(std::string_view text, std::string_view file, SourceRole role) {
  if (text.size() >= std::numeric_limits<std::uint32_t>::max()) return {};
  if (!worth_parsing(text, role)) return {};
  const bool typescript = file.ends_with(".ts") || file.ends_with(".mts") || file.ends_with(".cts");
  const Syntax syntax(text, typescript);
  return Reader(syntax, file, role).read();
}

}  // namespace vsim::routes
