#include "agent/line_fields.hpp"

#include <boost/json/value.hpp>
#include <charconv>
#include <limits>

namespace vsim::agent::line {

namespace json = boost::json;

std::string_view text(const json::object& o, std::string_view key) {
  const auto* v = o.if_contains(key);
  return v != nullptr && v->is_string() ? std::string_view(v->get_string()) : std::string_view{};
}
double number(const json::object& o, std::string_view key) {
  const auto* v = o.if_contains(key);
  if (v == nullptr || !v->is_number()) return 0;
  return v->to_number<double>();
}
std::optional<std::uint64_t> counter(const json::object& o, std::string_view key) {
  const double value = number(o, key);
  if (!(value >= 0) || value > 9e15) return std::nullopt;  // JavaScript's own bound for whole numbers
  return static_cast<std::uint64_t>(value);
}
int small_number(const json::object& o, std::string_view key) {
  const auto value = counter(o, key);
  return value && *value <= std::numeric_limits<int>::max() ? static_cast<int>(*value) : 0;
}
bool flag(const json::object& o, std::string_view key) {
  const auto* v = o.if_contains(key);
  return v != nullptr && v->is_bool() && v->get_bool();
}
InvocationId id(const json::object& o) {
  const std::string_view digits = text(o, "id");
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  return error == std::errc{} && end == digits.data() + digits.size() ? static_cast<InvocationId>(out)
                                                                      : InvocationId::none;
}
std::vector<std::string> texts(const json::object& o, std::string_view key) {
  std::vector<std::string> out;
  const auto* v = o.if_contains(key);
  if (v != nullptr && v->is_array())
    for (const auto& item : v->get_array())
      if (item.is_string()) out.emplace_back(item.get_string());
  return out;
}

}  // namespace vsim::agent::line
