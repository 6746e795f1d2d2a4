// libFuzzer: any text as vercel.json, and its patterns against a few paths. It must not crash or hang.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "routes/vercel_json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vsim::routes;
  if (size > 4096) return 0;
  const VercelJson v = parse_vercel_json({reinterpret_cast<const char*>(data), size});
  for (const FunctionSettings& s : v.functions)
    if (find_settings(v, s.pattern) == nullptr)
      std::abort();  // a pattern at least matches its own text, by the exact comparison
  for (const char* path : {"app/api/[id]/route.ts", "pages/index.tsx", "src/app/(shop)/@modal/page.tsx", ""})
    find_settings(v, path);
  return 0;
}
