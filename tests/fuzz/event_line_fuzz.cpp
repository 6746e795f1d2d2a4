// Lines of an events file from anywhere (`vercel-sim report FILE`): each is an event or an error in words,
// and an event that is written reads again the same.
#include <cstdint>
#include <string>
#include <string_view>

#include "event/json_codec.hpp"
#include "fuzz/require.hpp"

using namespace vsim;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  const auto got = event::decode(line);
  if (!got) {
    require(!got.error().message.empty(), "an error without a word");
    return 0;
  }
  std::string once, twice;
  event::encode(once, got->stamp(), got->event());
  require(once.ends_with('\n') && once.find('\n') == once.size() - 1, "an event that is not one line");
  const auto again = event::decode(once);
  require(again.ok(), "what was written cannot be read");
  event::encode(twice, again->stamp(), again->event());
  require(once == twice, "written again it differs");
  return 0;
}
