#include "limits/url_length.hpp"

#include "limits/head.hpp"

#include "limits/size_text.hpp"

namespace vsim::limits::url_length {

Verdict verdict(const profile::Profile& p, std::uint64_t bytes) {
  return size_verdict(Code::url_too_long, "request.url_max", p.url_max, bytes);
}

std::optional<Verdict> over(const profile::Profile& p, const Head& head) {
  if (admits(p, head.target.size())) return std::nullopt;
  return verdict(p, head.target.size());
}

}  // namespace vsim::limits::url_length
