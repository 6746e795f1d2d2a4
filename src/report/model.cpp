#include "report/model.hpp"

namespace vsim::report {

bool is_violation_code(limits::Code code) {
  return code != limits::Code::none && code != limits::Code::sim_not_ready &&
         code != limits::Code::sim_host_not_allowed && code != limits::Code::sim_origin_not_allowed &&
         code != limits::Code::sim_out_of_descriptors &&
         code != limits::Code::router_external_target_connection_error;
}

bool is_violation(const Problem& p) { return p.enforced && is_violation_code(p.code); }

std::size_t Run::violations() const {
  std::size_t n = 0;
  for (const Problem& p : problems) n += is_violation(p) ? p.count : 0;
  return n;
}

std::size_t Run::warnings() const {
  std::size_t n = 0;
  for (const Problem& p : problems) n += is_violation(p) ? 0 : p.count;
  return n;
}

}  // namespace vsim::report
