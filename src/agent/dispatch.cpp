#include "agent/dispatch.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <charconv>

#include "base/text.hpp"

namespace vsim::agent {
namespace json = boost::json;

std::optional<DispatchAnswer> parse_dispatch(std::string_view text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  boost::system::error_code error;
  const json::value value = json::parse(json::string_view(text.data(), end), error);
  if (error || !value.is_object()) return std::nullopt;
  const json::object& o = value.get_object();
  const auto word = [&](std::string_view key) {
    const auto* v = o.if_contains(key);
    return v != nullptr && v->is_string() ? std::string(v->get_string()) : std::string();
  };
  DispatchAnswer out{word("page"), word("kind"), word("runtime"), word("file"), false, 0, {}};
  if (const auto* v = o.if_contains("static"); v != nullptr && v->is_bool()) out.is_static = v->get_bool();
  if (const auto* v = o.if_contains("generation"); v != nullptr && v->is_int64() && v->get_int64() >= 0)
    out.generation = static_cast<std::uint64_t>(v->get_int64());
  out.head = text.substr(end + 1);
  const bool whole = out.head.find(" HTTP/1.") != std::string_view::npos && out.head.ends_with("\r\n") &&
                     out.head.find("\r\n\r\n") == std::string_view::npos;
  if (out.page.empty() || !whole) return std::nullopt;
  return out;
}

std::optional<std::string> dispatch_field(std::string_view field, std::string_view value,
                                          std::string_view token) {
  if (token.empty() || !iequals(field, "x-vsim-dispatch") || !value.starts_with(token)) return std::nullopt;
  value.remove_prefix(token.size());
  std::string out;
  if (value.empty()) return out;
  if (value.front() != ' ') return std::nullopt;
  value.remove_prefix(1);
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : value) {
    int six = -1;
    if (c >= 'A' && c <= 'Z') six = c - 'A';
    if (c >= 'a' && c <= 'z') six = c - 'a' + 26;
    if (c >= '0' && c <= '9') six = c - '0' + 52;
    if (c == '+') six = 62;
    if (c == '/') six = 63;
    if (c == '=') break;
    if (six < 0) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(six);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> count & 0xff);
  }
  return out;
}

bool is_ours(std::string_view field, std::string_view value, std::string_view name, std::string_view token) {
  return !token.empty() && iequals(field, name) && value == token;
}

std::string page_field(std::string_view page) {
  constexpr std::string_view kHex = "0123456789ABCDEF", kPlain = "/[]._-~()@+=&:!$*'";
  std::string out;
  for (const char c : page) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       kPlain.find(c) != std::string_view::npos;
    if (plain) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out;
}

}  // namespace vsim::agent
