#include "limits/header_size.hpp"

#include "limits/size_text.hpp"

namespace vsim::limits::header_size {

Verdict verdict(const profile::Profile& p, std::uint64_t largest, std::uint64_t total) {
  if (largest > p.header_max.value)
    return size_verdict(Code::request_header_too_large, "request.header_max", p.header_max, largest);
  return size_verdict(Code::request_header_too_large, "request.headers_max", p.headers_max, total);
}

}  // namespace vsim::limits::header_size
