#include "base/ids.hpp"

namespace vsim {

RequestTag make_request_tag(Rng& rng, WallTime now) {
  static constexpr char kBase36[] = "abcdefghijklmnopqrstuvwxyz0123456789";
  static constexpr char kHex[] = "0123456789abcdef";
  RequestTag tag;
  char* out = tag.text;

  std::uint64_t bits = rng.next();
  for (int i = 0; i < 5; ++i, bits /= 36) *out++ = kBase36[bits % 36];
  *out++ = '-';

  char digits[20];
  char* first = digits + sizeof digits;
  std::uint64_t ms = now.unix_ms < 0 ? 0 : static_cast<std::uint64_t>(now.unix_ms);
  do {
    *--first = static_cast<char>('0' + ms % 10);
    ms /= 10;
  } while (ms != 0);
  while (first != digits + sizeof digits) *out++ = *first++;
  *out++ = '-';

  bits = rng.next();
  for (int i = 0; i < 12; ++i, bits >>= 4) *out++ = kHex[bits & 15];
  tag.size = static_cast<std::uint8_t>(out - tag.text);
  return tag;
}

}  // namespace vsim
