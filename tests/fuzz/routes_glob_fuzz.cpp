// libFuzzer: a pattern, a zero byte, a path. It must not crash or hang.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "routes/glob.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 512) return 0;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const std::size_t zero = all.find('\0');
  if (zero == std::string_view::npos) return 0;
  vsim::routes::Glob(all.substr(0, zero)).matches(all.substr(zero + 1));
  return 0;
}
