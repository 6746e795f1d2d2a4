// What one source file says about its function: maxDuration, runtime, dynamic, config. Read with tree-sitter
// the way Next's static analysis (next@16.4.6 build/analysis/extract-const-value) reads it: only `export
// const NAME = LITERAL` at the top level counts; anything computed is ignored by Next, and so by Vercel, and
// is reported here. Pure: text in, values out. Never throws; a file with syntax errors gives what can be read
// of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "routes/finding.hpp"
#include "routes/function.hpp"

namespace vsim::routes {

// Which schema Next holds the values to: app/ wants a whole number and knows no `config`; pages/ takes any
// number, in `config` too.
enum class SourceRole : std::uint8_t { app, pages, middleware };

template <class T>
struct Located {
  T value{};
  int line = 0;  // 1-based, of the declaration
  bool operator==(const Located&) const = default;
};

struct SourceConfig {
  std::optional<Located<double>> max_duration;  // seconds, as written
  std::optional<Located<Runtime>> runtime;      // "experimental-edge" is edge
  std::optional<Located<std::string>> dynamic;  // "force-static", "force-dynamic", "error", "auto"
  bool has_ids = false;                         // exports generateSitemaps or generateImageMetadata
  bool has_server_props = false;                // exports getServerSideProps
  std::vector<RouteFinding> findings;
};

// `file` is used in findings and picks the grammar: .ts, .mts, .cts is TypeScript without JSX, all others TSX
// (which reads JavaScript too).
SourceConfig read_source_config(std::string_view text, std::string_view file, SourceRole role);

}  // namespace vsim::routes
