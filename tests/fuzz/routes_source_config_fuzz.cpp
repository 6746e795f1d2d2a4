// libFuzzer: any text as a source file. It must not crash or hang, and what it reports must have a place in
// the text.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "routes/source_config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vsim::routes;
  if (size < 1 || size > 16384) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto role = static_cast<SourceRole>(data[0] % 3);
  const SourceConfig c = read_source_config(text, (data[0] & 8) != 0 ? "f.ts" : "f.tsx", role);
  std::size_t lines = 1;
  for (const char ch : text) lines += ch == '\n' ? 1 : 0;
  for (const RouteFinding& f : c.findings)
    if (f.line < 1 || static_cast<std::size_t>(f.line) > lines) std::abort();
  if (c.max_duration && static_cast<std::size_t>(c.max_duration->line) > lines) std::abort();
  return 0;
}
