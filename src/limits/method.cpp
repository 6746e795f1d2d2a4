#include "limits/method.hpp"

#include "limits/head.hpp"

namespace vsim::limits::method {

Verdict verdict(std::string_view name) {
  Verdict v;
  v.code = Code::invalid_request_method;
  v.limit_key = "request.method";
  v.limit = "any but CONNECT and TRACE";
  v.measured = std::string(name);
  return v;
}

std::optional<Verdict> over(const profile::Profile&, const Head& head) {
  if (admits(head.method)) return std::nullopt;
  return verdict(head.method);
}

}  // namespace vsim::limits::method
