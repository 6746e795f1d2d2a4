// FNV-1a, 64 bits: short names of texts, no secrets' keeper. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace vsim {

constexpr std::uint64_t fnv1a(std::string_view text, std::uint64_t basis = 0xcbf29ce484222325u) {
  for (const char c : text) basis = (basis ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return basis;
}

}  // namespace vsim
