#include "agent/secrets.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <charconv>

namespace vsim::agent {
namespace {

// HMAC-SHA-256, of which `bytes` are taken.
std::string derive(std::string_view token, std::string_view what, std::size_t bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  ::HMAC(::EVP_sha256(), token.data(), static_cast<int>(token.size()),
         reinterpret_cast<const unsigned char*>(what.data()), what.size(), digest.data(), &size);
  std::string out;
  for (std::size_t i = 0; i < bytes && i < size; ++i) out += fmt::format("{:02x}", digest[i]);
  return out;
}

}  // namespace

std::string instance_secret(std::string_view token, std::uint64_t instance) {
  return derive(token, fmt::format("instance {}", instance), 16);
}

std::string call_mark(std::string_view token, std::uint64_t invocation) {
  return derive(token, fmt::format("call {}", invocation), 8);
}

std::uint64_t parse_call(std::string_view value, std::string_view token) {
  const std::size_t dot = value.find('.');
  if (token.empty() || dot == std::string_view::npos) return 0;
  const std::string_view number = value.substr(dot + 1);
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), id);
  if (error != std::errc{} || end != number.data() + number.size()) return 0;
  return value.substr(0, dot) == call_mark(token, id) ? id : 0;
}

}  // namespace vsim::agent
