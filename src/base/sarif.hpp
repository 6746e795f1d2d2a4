// What the two writers of SARIF 2.1.0 have in common: check/render.cpp for sources, report/sarif.cpp for
// runs. Pure.
#pragma once

#include <string>
#include <string_view>

namespace vsim::sarif {

// Up to the name of the tool; its version and its rules follow.
inline constexpr std::string_view kBegin =
    "{\n  \"$schema\": \"https://json.schemastore.org/sarif-2.1.0.json\",\n  \"version\": \"2.1.0\",\n"
    "  \"runs\": [{\n    \"columnKind\": \"unicodeCodePoints\",\n    \"tool\": {\"driver\": {\"name\": "
    "\"vercel-sim\"";

// GitHub takes no rule without a text: its title, or its id, stands for it, and the text for the fix.
std::string rule(std::string_view id, std::string_view title, std::string_view text, std::string_view fix,
                 std::string_view url, std::string_view level);

// The list of one place. GitHub takes none without a line: what is of a file as a whole stands at its first.
std::string locations(std::string_view file, int line, int column, int length);

}  // namespace vsim::sarif
