// What lets a process speak for itself and for nobody else. Only the agent in next dev knows the run's token;
// an instance gets a secret of its own, over a descriptor, and each invocation a mark for the requests that
// it makes to its own app. Both are derived from the token, so that next dev can check an instance's secret
// and the edge a mark that it no longer keeps. src/agent/dev/bundler-host.cjs derives the former too.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vsim::agent {

// 32 hexadecimal digits.
std::string instance_secret(std::string_view token, std::uint64_t instance);
// 16 hexadecimal digits. User code may see it: it says no more than whose request this is.
std::string call_mark(std::string_view token, std::uint64_t invocation);
// "<mark>.<invocation>", as in x-vsim-parent. 0: not ours.
std::uint64_t parse_call(std::string_view value, std::string_view token);

}  // namespace vsim::agent
