// Limit: how many headers a request may have (request.headers_most). The platform documents none for
// functions; it is for those who know of one, such as the 64 of its middleware. 431. Pure; asked at admission
// (head.hpp).
#include <fmt/format.h>

#include "limits/head.hpp"

namespace vsim::limits::header_count {

std::optional<Verdict> over(const profile::Profile& p, const Head& head) {
  if (p.headers_most.value.admits(head.headers.size())) return std::nullopt;
  Verdict v;
  v.code = Code::request_header_too_large;
  v.limit_key = "request.headers_most";
  v.limit = fmt::format("{} headers", p.headers_most.value.most);
  v.measured = fmt::format("{} headers", head.headers.size());
  v.provenance = &p.headers_most.from;
  return v;
}

}  // namespace vsim::limits::header_count
