#include "limits/header_size.hpp"

#include "limits/head.hpp"

#include "limits/size_text.hpp"

namespace vsim::limits::header_size {

Verdict verdict(const profile::Profile& p, std::uint64_t largest, std::uint64_t total) {
  if (largest > p.header_max.value)
    return size_verdict(Code::request_header_too_large, "request.header_max", p.header_max, largest);
  return size_verdict(Code::request_header_too_large, "request.headers_max", p.headers_max, total);
}

std::optional<Verdict> over(const profile::Profile& p, const Head& head) {
  if (admits(p, head.largest_header, head.headers_total)) return std::nullopt;
  return verdict(p, head.largest_header, head.headers_total);
}

}  // namespace vsim::limits::header_size
