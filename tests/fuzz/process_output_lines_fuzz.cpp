// What a child writes: whatever the bytes are and however they are cut, what reaches the terminal is plain
// text, colours and links, and all lines together hold the same text.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/plain_text.hpp"
#include "base/text.hpp"
#include "fuzz/require.hpp"
#include "process/output_lines.hpp"

using namespace vsim;
using namespace vsim::process;

namespace {

constexpr std::size_t kMax = 256;

void look(std::string_view text) {
  while (!text.empty()) {
    if (text[0] != '\x1b') {
      const auto c = static_cast<unsigned char>(text[0]);
      require(c >= 0x20 || c == '\t', "a control character");
      require(c != 0x7f, "DEL");
      require(!(c == 0xc2 && text.size() > 1 && static_cast<unsigned char>(text[1]) < 0xa0),
              "a C1 character");
      const std::size_t length = utf8_length(text);
      require(length > 0, "no UTF-8");
      text.remove_prefix(length);
    } else if (text.starts_with("\x1b[")) {
      const std::size_t end = text.find_first_not_of("0123456789:;", 2);
      require(end != std::string_view::npos && text[end] == 'm', "a sequence that is no colour");
      text.remove_prefix(end + 1);
    } else {
      require(text.starts_with("\x1b]8;"), "a sequence that is neither colour nor link");
      std::size_t end = 4;
      while (end < text.size() && text[end] >= 0x20 && text[end] < 0x7f) ++end;
      require(end < text.size(), "a link without an end");
      require(text[end] == '\a' || text.substr(end, 2) == "\x1b\\", "a link that is not plain");
      text.remove_prefix(text[end] == '\a' ? end + 1 : end + 2);
    }
  }
}

std::string all_of(std::string_view input, std::uint32_t seed) {
  std::string out;
  OutputLines lines(
      [&](std::string_view text, OutputLines::End end, bool) {
        look(text);
        out += strip_escapes(text);
        if (end == OutputLines::End::newline) out += '\n';
        if (end == OutputLines::End::carriage) out += '\r';
      },
      kMax);
  while (!input.empty()) {
    seed = seed * 1664525 + 1013904223;
    const std::size_t n =
        std::min<std::size_t>(input.size(), seed == 0 ? input.size() : (seed >> 8) % 40 + 1);
    lines.feed(input.substr(0, n));
    input.remove_prefix(n);
  }
  lines.flush(true);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 4'096) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string once = all_of(input, data[0]);
  require(once == all_of(input, data[0] * 77u + 5), "other text when it is cut otherwise");
  return 0;
}
