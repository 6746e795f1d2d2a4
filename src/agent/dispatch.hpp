// The answer of next dev to a request that is to be run elsewhere (docs/agent-protocol.md, "Dispatch"): one
// line of JSON, then the head that the instance is to get, each of its lines with CRLF and without the empty
// one. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vsim::agent {

struct DispatchAnswer {
  std::string page, kind, runtime, file;
  bool is_static = false;
  std::uint64_t generation = 0;
  std::string_view head;  // into the text
};

std::optional<DispatchAnswer> parse_dispatch(std::string_view text);

// Whether the field is x-vsim-dispatch with our token, and the text where it is in the field itself (base64,
// for a HEAD request, whose answer has no body); empty: it is in the body.
std::optional<std::string> dispatch_field(std::string_view field, std::string_view value,
                                          std::string_view token);

// Whether a field of that name and value says `name` with our token: "x-vsim-again".
bool is_ours(std::string_view field, std::string_view value, std::string_view name, std::string_view token);
// A page's name in a header field: everything but plain letters, digits, "/", "[", "]", "." and the like is
// percent-encoded, commas too.
std::string page_field(std::string_view page);

}  // namespace vsim::agent
