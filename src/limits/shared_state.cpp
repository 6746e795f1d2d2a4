#include "limits/shared_state.hpp"

#include "limits/of_setting.hpp"
#include "limits/polling.hpp"

namespace vsim::limits::shared_state {

bool session_unknown(std::string_view target, int status) {
  return status == 400 && polling::is_session(target);
}

Verdict verdict(const profile::Profile& p, profile::Isolation isolation, std::string_view evidence,
                std::string_view route, std::string_view file) {
  Verdict v = of_setting(Code::sim_state_not_shared, "isolation", p.isolation, route, file);
  v.limit = "every instance has its own memory";
  v.measured = evidence;
  if (isolation == profile::Isolation::invocation) {
    // The honest part: production reuses warm instances.
    v.limit = "every invocation has its own memory";
    v.fix =
        "This is the worst case: with isolation `invocation` no instance is used twice. In production a warm "
        "instance may serve several requests in a row and hide this for a while; it breaks when traffic "
        "comes. ";
    v.fix += info(v.code).fix;
  }
  return v;
}

Verdict of_middleware(const profile::Profile& p, std::string_view evidence, std::string_view route,
                      std::string_view file) {
  Verdict v = verdict(p, profile::Isolation::instance, evidence, route, file);
  v.limit = "middleware has instances of its own, each with its own memory";
  v.fix =
      "What middleware knows of a request reaches the function in a header: `NextResponse.next({ request: { "
      "headers } })`. ";
  v.fix += info(v.code).fix;
  return v;
}

}  // namespace vsim::limits::shared_state
