#include "profile/switch.hpp"

#include <algorithm>
#include <iterator>

#include "profile/schema.hpp"

namespace vsim::profile {

std::vector<Difference> differences(const Profile& from, const Profile& to) {
  std::vector<Difference> out;
  for (const Key& key : keys()) {
    std::string left = value_text(from, key), right = value_text(to, key);
    if (left != right) out.push_back({key.name, std::move(left), std::move(right)});
  }
  return out;
}

std::string_view next_plan(std::string_view name) {
  static constexpr std::string_view kOrder[] = {"hobby",     "hobby-fluid", "pro",
                                                "pro-fluid", "enterprise",  "enterprise-fluid"};
  const auto* at = std::find(std::begin(kOrder), std::end(kOrder), name);
  return at == std::end(kOrder) || ++at == std::end(kOrder) ? kOrder[0] : *at;
}

}  // namespace vsim::profile
