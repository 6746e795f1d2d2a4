// Any bytes on their way to a terminal: what comes out can only be read, and is left as it is the second
// time.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/plain_text.hpp"
#include "base/text.hpp"
#include "fuzz/require.hpp"

using namespace vsim;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const LineEnds ends : {LineEnds::replace, LineEnds::keep}) {
    const std::string once = plain(text, ends);
    for (std::size_t i = 0; i < once.size();) {
      const std::string_view rest = std::string_view(once).substr(i);
      const auto c = static_cast<unsigned char>(rest[0]);
      require(c >= 0x20 || c == '\t' || (c == '\n' && ends == LineEnds::keep), "a control character");
      require(c != 0x7f, "DEL");
      require(!(c == 0xc2 && rest.size() > 1 && static_cast<unsigned char>(rest[1]) < 0xa0),
              "a C1 character");
      const std::size_t length = utf8_length(rest);
      require(length > 0, "no UTF-8");
      i += length;
    }
    require(once.find("##[") == std::string::npos, "a workflow command");
    require(plain(once, ends) == once, "a second time it differs");
  }
  return 0;
}
