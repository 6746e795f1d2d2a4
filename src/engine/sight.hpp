// Which kinds of function the hooks in `next dev` see begin. Where they are passed by, nobody tells when a
// handler starts, and time counts from the placement. Pure; the engine asks.
#pragma once

#include <string_view>
#include <vector>

namespace vsim::engine {

// Kinds are routes::to_string(Kind), or "edge"; others are never remarked on.
class Sight {
 public:
  // What the agent does not find, or not as it knows it: "AppRouteRouteModule" and the like, or "edge". False
  // for names that have nothing to do with the begin of functions.
  bool doubt(std::string_view hook);
  // One was seen to begin: what was doubted is as it was known, after all.
  void begun(std::string_view kind);
  // An answer of the user's code came without its begin. True the first time.
  bool unseen(std::string_view kind);

  // Whether time counts from the placement, until the begin is seen.
  bool from_placement(std::string_view kind) const;
  bool ever(std::string_view kind) const;  // was one seen to begin
  static std::string_view hook_of(std::string_view kind);

 private:
  enum class Eyes : unsigned char { open, doubted, shut };
  struct One {
    std::string_view kind, hook;
    Eyes eyes = Eyes::open;
    bool seen = false;
  };
  static std::vector<One> all();
  One* find(std::string_view kind);
  const One* find(std::string_view kind) const;

  std::vector<One> kinds_ = all();
};

}  // namespace vsim::engine
