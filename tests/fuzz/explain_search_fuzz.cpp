// Anything pasted behind `explain`: it finds topics or says that there is none, and does not hang.
#include <cstdint>
#include <string_view>

#include "explain/search.hpp"
#include "fuzz/require.hpp"

using namespace vsim::explain;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 8'192) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const SearchAnswer answer = search(text);
  for (const Topic* t : answer.best) require(t != nullptr && find_topic(t->id) == t, "a topic from nowhere");
  require(normalized(normalized(text)) == normalized(text), "normalized again it differs");
  const std::size_t half = size / 2;
  (void)holds(normalized(text.substr(0, half)), normalized(text.substr(half)));
  return 0;
}
