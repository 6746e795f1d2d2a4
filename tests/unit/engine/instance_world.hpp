// A SimWorld whose functions run on instances, with two routes.
#pragma once

#include "unit/engine/sim_world.hpp"

namespace vsim::test {

struct InstanceWorld : SimWorld {
  explicit InstanceWorld(profile::Isolation isolation = profile::Isolation::invocation,
                         profile::Profile p = make_profile(Plan::hobby, Compute::serverless))
      : SimWorld(std::move(p), isolated(isolation)) {
    routes({SimWorld::function("/api/a", routes::Kind::app_route, "app/api/a/route.ts", "/api/a/route"),
            SimWorld::function("/ws", routes::Kind::app_route, "app/ws/route.ts", "/ws/route")});
  }
  InvocationId dispatch(std::string_view target = "/api/a", std::string_view page = "/api/a/route") {
    const Admission a = admit(target);
    dispatched(a.id, page, routes::Kind::app_route);
    return a.id;
  }
  InvocationId start(std::string_view instance = "i1", std::string_view how = "warm") {
    const InvocationId id = dispatch();
    placed(id, instance, how);
    handler_started(id);
    return id;
  }
};

// What a function has left behind, as its instance tells it.
inline std::vector<Hanging> left() { return {{"interval", "app/api/a/route.ts:12:3", 1s}}; }

}  // namespace vsim::test
