// A place in a source file, `app/api/x/route.ts:12:3`: the one reading of what an agent, a verdict or a
// report calls a file with its line and column. Pure.
#pragma once

#include <string>
#include <string_view>

namespace vsim {

struct Place {
  std::string file;
  int line = 0;    // from 1; 0: unknown
  int column = 0;  // from 1; 0: unknown, and always so without a line

  bool operator==(const Place&) const = default;
};

// "file", "file:line" or "file:line:column". A colon before anything else belongs to the name, as in
// "webpack-internal:///./x.ts" or "a:b.ts"; so does a number that no line can have.
Place parse_place(std::string_view text);
// As parse_place() reads it.
std::string to_string(const Place&);

// Whether the file is one below the project: what CI systems can show. Not so: "/usr/lib/x.js", "../x.ts",
// "node:timers", "webpack-internal:///x.ts", "[turbopack]/runtime.js".
bool is_in_project(std::string_view file);

}  // namespace vsim
