#include <array>

#include "replay/recording.hpp"

namespace vsim::replay {
namespace {

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<signed char, 256> kValues = [] {
  std::array<signed char, 256> out{};
  out.fill(-1);
  for (std::size_t i = 0; i < kDigits.size(); ++i)
    out[static_cast<unsigned char>(kDigits[i])] = static_cast<signed char>(i);
  return out;
}();

}  // namespace

std::string base64(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t n = bytes.size() - i;
    const auto at = [&](std::size_t k) { return k < n ? static_cast<unsigned char>(bytes[i + k]) : 0u; };
    const unsigned v = at(0) << 16 | at(1) << 8 | at(2);
    out += kDigits[v >> 18];
    out += kDigits[v >> 12 & 63];
    out += n > 1 ? kDigits[v >> 6 & 63] : '=';
    out += n > 2 ? kDigits[v & 63] : '=';
  }
  return out;
}

// With its padding, and nothing else (RFC 4648, section 4): another spelling of the same bytes is refused.
std::optional<std::string> unbase64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  std::string out;
  out.reserve(text.size() / 4 * 3);
  for (std::size_t i = 0; i < text.size(); i += 4) {
    const bool last = i + 4 == text.size();
    unsigned v = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      const bool pad = last && k >= 4 - padding;
      const int digit = pad ? 0 : kValues[static_cast<unsigned char>(text[i + k])];
      if (digit < 0) return std::nullopt;
      v = v << 6 | static_cast<unsigned>(digit);
    }
    const std::size_t bytes = last ? 3 - padding : 3;
    if (bytes < 3 && (v & (bytes == 2 ? 0xffu : 0xffffu)) != 0) return std::nullopt;
    for (std::size_t k = 0; k < bytes; ++k)
      out += static_cast<char>(static_cast<unsigned char>(v >> (16 - 8 * k) & 255));
  }
  return out;
}

}  // namespace vsim::replay
