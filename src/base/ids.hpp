// Identifiers. Pure: randomness is a seeded generator handed in by the caller.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/time.hpp"

namespace vsim {

// One request's stay in the engine. Unique for the life of the process (slot and generation), never reused.
enum class InvocationId : std::uint64_t { none = 0 };

// SplitMix64: small, seedable, good enough for ids and placement; not for secrets.
class Rng {
 public:
  explicit Rng(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }

 private:
  std::uint64_t state_;
};

// "<5 of [a-z0-9]>-<unix ms>-<12 hex>", the tail of an x-vercel-id (docs/platform.md section 3).
struct RequestTag {
  char text[40];
  std::uint8_t size = 0;
  std::string_view view() const { return {text, size}; }
};
RequestTag make_request_tag(Rng& rng, WallTime now);

}  // namespace vsim
