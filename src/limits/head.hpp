// What a limit may look at before a request comes in, and the one place where all of them do: method, URL and
// headers. A limit of the head is a file of this module with one function, HeadLimit, and a line in head.cpp.
// Pure; asked at admission.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/http_header.hpp"
#include "limits/verdict.hpp"

namespace vsim::limits {

struct Head {
  std::string_view method, target;  // target as sent
  std::span<const http::Header> headers;
  std::uint64_t largest_header = 0;  // bytes of name and value of the largest one
  std::uint64_t headers_total = 0;   // bytes of all names and values
  bool header_not_utf8 = false;
};

// What is said when the head is over the limit; nullopt: it may come in.
using HeadLimit = std::optional<Verdict>(const profile::Profile&, const Head&);

// The first limit that the head is over, in the order in which the platform looks.
std::optional<Verdict> judge(const profile::Profile&, const Head&);

}  // namespace vsim::limits
