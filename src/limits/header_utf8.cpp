#include "limits/header_utf8.hpp"

#include "limits/head.hpp"

namespace vsim::limits::header_utf8 {

Verdict verdict() {
  Verdict v;
  v.code = Code::malformed_request_header;
  v.limit_key = "request.headers";
  v.limit = "UTF-8";
  v.measured = "bytes that are not UTF-8";
  return v;
}

std::optional<Verdict> over(const profile::Profile&, const Head& head) {
  if (!head.header_not_utf8) return std::nullopt;
  return verdict();
}

}  // namespace vsim::limits::header_utf8
