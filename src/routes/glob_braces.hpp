// Brace expansion as npm's brace-expansion@1.1.15, which @vercel/build-utils 14.21.1 bundles with
// minimatch@3.1.2: "{a,b}", "{1..3}",
// "{a..e..2}", "{01..10}", nested. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vsim::routes {

// In the original's order. nullopt when there are more than `most`, or a sequence that never ends
// ("{1..2..0}").
std::optional<std::vector<std::u16string>> expand_braces(std::u16string_view pattern, std::size_t most);

}  // namespace vsim::routes
