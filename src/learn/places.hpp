// A YAML file as JSON in which each node knows its place, for the runner of the lessons (src/learn/*.cjs),
// which says what is wrong in a lesson.yaml with file, line and key. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace vsim::learn {

// {"line":3,"column":1,"text":"…"} for a scalar (without "text" for null), "items":[…] for a sequence,
// "entries":[[key,value],…] for a map, keys twice if they stand there twice. `name` is what messages call it.
// The error's message is one or more whole lines, as a compiler shows them.
Result<std::string> with_places(std::string_view name, std::string_view yaml);

}  // namespace vsim::learn
