// Which functions may share an instance. On Vercel each pool is bundled apart, and inside a pool functions
// share a bundle only if their configuration is equal (docs/platform.md section 8; the limit on a
// bundle's size is not modelled, so a group may be larger here than there). Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "instance/ids.hpp"

namespace vsim::instance {

enum class Pool : std::uint8_t { pages, app_page, app_route, pages_api, middleware };
std::string_view to_string(Pool);

// What must be equal for two functions of a pool to share. Values as they apply, not as they were written:
// a maxDuration equal to the plan's default equals none at all.
struct FunctionConfig {
  Duration max_duration{};
  bool edge = false;                               // runs in another runtime
  std::uint64_t memory = 0;                        // bytes; 0: the default
  std::optional<std::uint32_t> max_concurrency{};  // its own slots; such a function never shares
  std::vector<std::string> regions{}, failover_regions{}, triggers{};
  bool prerender = false;
  bool partial_prerender = false;
  bool supports_cancellation = false;
  // NOLINTNEXTLINE(modernize-use-nullptr): of clang 14 itself
  auto operator<=>(const FunctionConfig&) const = default;
};

struct GroupedFunction {
  std::string name;  // unique in its pool: Next's page name, or the route
  Pool pool = Pool::app_route;
  FunctionConfig config{};
};

// Every function and group ever told; ids are never reused, so that an instance can go on to name its own.
class Groups {
 public:
  // `shared`: the bundler can keep several functions in one process (Turbopack of Next 16). If not, as with
  // webpack and Next 15 and 14, each function is a group of its own.
  explicit Groups(bool shared) : shared_(shared) {}

  // New, known, or known with another config: then it moves to another group and keeps its id.
  FunctionId define(const GroupedFunction&);
  FunctionId find(Pool, std::string_view name) const;  // none when it was never told
  GroupId group_of(FunctionId f) const { return functions_[index(f)].group; }
  const GroupedFunction& function(FunctionId f) const { return functions_[index(f)].function; }
  // The group's own, if its function says so.
  std::optional<std::uint32_t> max_concurrency(GroupId g) const { return groups_[index(g)]; }
  std::size_t functions() const { return functions_.size(); }
  std::size_t groups() const { return groups_.size(); }

 private:
  struct Key {
    Pool pool;
    FunctionConfig config;
    FunctionId alone;  // none: shared by all with this config
    // NOLINTNEXTLINE(modernize-use-nullptr): the same
    auto operator<=>(const Key&) const = default;
  };
  struct Known {
    GroupedFunction function;
    GroupId group;
  };
  template <class Id>
  static std::size_t index(Id id) {
    return static_cast<std::size_t>(id) - 1;
  }

  bool shared_;
  std::vector<Known> functions_;
  std::vector<std::optional<std::uint32_t>> groups_;
  std::map<std::pair<Pool, std::string>, FunctionId, std::less<>> by_name_;
  std::map<Key, GroupId> by_key_;
};

}  // namespace vsim::instance
