#include "limits/method.hpp"

namespace vsim::limits::method {

Verdict verdict(std::string_view name) {
  Verdict v;
  v.code = Code::invalid_request_method;
  v.limit_key = "request.method";
  v.limit = "any but CONNECT and TRACE";
  v.measured = std::string(name);
  return v;
}

}  // namespace vsim::limits::method
