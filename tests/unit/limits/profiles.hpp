// Profiles made by hand for tests of the pure core: the numbers of docs/profiles.md, without YAML.
#pragma once

#include <string>

#include "base/text.hpp"
#include "profile/profile.hpp"

namespace vsim::test {

using namespace std::chrono_literals;
using profile::Compute;
using profile::Plan;

inline profile::Profile make_profile(Plan plan = Plan::hobby, Compute compute = Compute::serverless) {
  profile::Profile p;
  p.name = std::string(to_string(plan)) + (compute == Compute::fluid ? "-fluid" : "");
  p.plan.value = plan;
  p.compute.value = compute;
  const bool fluid = compute == Compute::fluid;
  p.duration_default.value = fluid ? 300s : plan == Plan::hobby ? 10s : plan == Plan::pro ? 60s : 15s;
  p.duration_max.value = fluid                 ? (plan == Plan::hobby ? 300s : 800s)
                         : plan == Plan::hobby ? 60s
                         : plan == Plan::pro   ? 300s
                                               : 900s;
  p.duration_extended_max.value = fluid && plan != Plan::hobby ? Duration(1800s) : p.duration_max.value;
  p.edge_first_byte.value = 25s;
  p.edge_duration_max.value = 300s;
  p.isolation.value = fluid ? profile::Isolation::fluid : profile::Isolation::invocation;
  p.websocket_policy.value = fluid ? profile::WebSocketPolicy::tunnel : profile::WebSocketPolicy::reject;
  p.websocket_refusal_status.value = 400;
  p.websocket_close_code.value = 1006;
  p.url_max.value = 14'000;
  p.header_max.value = 16'384;
  p.headers_max.value = 32'768;
  p.request_body_max.value = 4'493'823;
  p.response_body_max.value = 4'500'000;
  p.memory_max.value = kUnlimited;
  p.region.value = "dev1";
  // Each value can be told from the others by where it comes from.
  const auto from = [&](auto& setting, std::string key) {
    setting.from = {
        p.name, "profiles/" + p.name + ".yaml", 1, "https://example.test/" + key, "2026-08-24", "DOC", ""};
  };
  from(p.duration_default, "duration.default");
  from(p.duration_max, "duration.max");
  from(p.duration_extended_max, "duration.extended_max");
  from(p.edge_first_byte, "edge.first_byte");
  from(p.edge_duration_max, "edge.duration_max");
  from(p.websocket_policy, "websocket.policy");
  from(p.url_max, "request.url_max");
  from(p.header_max, "request.header_max");
  from(p.headers_max, "request.headers_max");
  from(p.request_body_max, "request.body_max");
  from(p.response_body_max, "response.body_max");
  from(p.isolation, "isolation");
  return p;
}

}  // namespace vsim::test
