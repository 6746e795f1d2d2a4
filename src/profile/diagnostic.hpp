// One mistake in a profile or in an override, shown as a compiler shows it (STYLE rule 6). Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace vsim::profile {

struct Diagnostic {
  std::string file;  // as the user can open it; "--set" or "--profile" for what stands on the command line
  int line = 0, col = 0;  // from 1; col counts characters, not bytes. line 0: on the command line
  std::string message;    // one line, without the place
  std::string line_text;  // the whole source line; empty when there is none to show
  int caret_length = 1;   // characters under the caret, at least 1
};

// "profiles/pro.yaml:31:8: duration.max: expected …\n  31 |   max: 4,5s\n     |        ^~~~\n"; text that can
// only be read (base/plain_text.hpp).
std::string to_string(const Diagnostic&);
std::string to_string(std::span<const Diagnostic>);

// What a message quotes: the text as a JSON string, cut when it is long.
std::string shown(std::string_view text);

// Number of characters in the first `bytes` bytes of UTF-8 text (broken bytes count one each).
int characters(std::string_view text, std::size_t bytes);

}  // namespace vsim::profile
