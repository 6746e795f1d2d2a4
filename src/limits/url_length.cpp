#include "limits/url_length.hpp"

#include "limits/size_text.hpp"

namespace vsim::limits::url_length {

Verdict verdict(const profile::Profile& p, std::uint64_t bytes) {
  return size_verdict(Code::url_too_long, "request.url_max", p.url_max, bytes);
}

}  // namespace vsim::limits::url_length
