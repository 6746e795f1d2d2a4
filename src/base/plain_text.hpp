// Text that is not ours (sources, names, addresses, header values, lines of the app) on its way to a terminal
// or to the log of a CI system. Pure.
#pragma once

#include <string>
#include <string_view>

namespace vsim {

// Appends `text` so that it can only be read: "?" for each control character but tab (C0, DEL, C1 as UTF-8 or
// as a lone byte), for what is no UTF-8 (overlong forms and surrogates too), for characters that turn the
// direction of writing, and for line ends unless they are to be kept. "##[" and "##word[", which GitHub and
// Azure take for a command wherever they stand, are pulled apart.
enum class LineEnds { replace, keep };
void append_plain(std::string& out, std::string_view text, LineEnds = LineEnds::replace);
std::string plain(std::string_view text, LineEnds = LineEnds::replace);

// Whether a line that begins so is a command to a CI system's log ("::error::", spaces before it or not).
bool is_log_command(std::string_view line);

// Plain text within a command to GitHub's log, which ends at the line's end; in its properties ":" and ","
// mean something too.
std::string in_log_command(std::string_view text, bool property);

}  // namespace vsim
