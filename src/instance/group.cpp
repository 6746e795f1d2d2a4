#include "instance/group.hpp"

namespace vsim::instance {

std::string_view to_string(Pool pool) {
  static constexpr std::string_view kNames[] = {"pages", "app_page", "app_route", "pages_api", "middleware"};
  return kNames[static_cast<std::size_t>(pool)];
}

FunctionId Groups::find(Pool pool, std::string_view name) const {
  const auto it = by_name_.find(std::pair(pool, std::string(name)));
  return it == by_name_.end() ? FunctionId::none : it->second;
}

FunctionId Groups::define(const GroupedFunction& f) {
  FunctionId id = find(f.pool, f.name);
  if (id == FunctionId::none) {
    id = static_cast<FunctionId>(functions_.size() + 1);
    functions_.push_back({f, GroupId::none});
    by_name_.emplace(std::pair(f.pool, f.name), id);
  } else if (functions_[index(id)].function.config == f.config) {
    return id;
  }
  const bool alone = !shared_ || f.config.max_concurrency.has_value();
  const auto [it, fresh] = by_key_.try_emplace(Key{f.pool, f.config, alone ? id : FunctionId::none});
  if (fresh) {
    groups_.push_back(f.config.max_concurrency);
    it->second = static_cast<GroupId>(groups_.size());
  }
  functions_[index(id)] = {f, it->second};
  return id;
}

}  // namespace vsim::instance
