#include "engine/sight.hpp"

#include <algorithm>
#include <utility>

namespace vsim::engine {

std::vector<Sight::One> Sight::all() {
  return {{"app_route", "AppRouteRouteModule"},
          {"app_page", "AppPageRouteModule"},
          {"pages", "PagesRouteModule"},
          {"pages_api", "PagesAPIRouteModule"},
          {"edge", "edge"}};
}

const Sight::One* Sight::find(std::string_view kind) const {
  const auto it = std::find_if(kinds_.begin(), kinds_.end(), [&](const One& k) { return k.kind == kind; });
  return it == kinds_.end() ? nullptr : &*it;
}

Sight::One* Sight::find(std::string_view kind) { return const_cast<One*>(std::as_const(*this).find(kind)); }

std::string_view Sight::hook_of(std::string_view kind) {
  static const std::vector<One> kAll = all();
  const auto it = std::find_if(kAll.begin(), kAll.end(), [&](const One& k) { return k.kind == kind; });
  return it == kAll.end() ? std::string_view{} : it->hook;
}

bool Sight::doubt(std::string_view hook) {
  const auto it = std::find_if(kinds_.begin(), kinds_.end(), [&](const One& k) { return k.hook == hook; });
  if (it == kinds_.end()) return false;
  if (!it->seen && it->eyes == Eyes::open) it->eyes = Eyes::doubted;
  return true;
}

void Sight::begun(std::string_view kind) {
  One* one = find(kind);
  if (one == nullptr) return;
  one->seen = true;
  if (one->eyes == Eyes::doubted) one->eyes = Eyes::open;
}

bool Sight::unseen(std::string_view kind) {
  One* one = find(kind);
  return one != nullptr && std::exchange(one->eyes, Eyes::shut) != Eyes::shut;
}

bool Sight::from_placement(std::string_view kind) const {
  const One* one = find(kind);
  return one != nullptr && one->eyes != Eyes::open;
}

bool Sight::ever(std::string_view kind) const {
  const One* one = find(kind);
  return one == nullptr || one->seen;
}

}  // namespace vsim::engine
