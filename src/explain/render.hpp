// The topics as text for a terminal and as the pages of docs/. Pure.
#pragma once

#include <cstddef>
#include <string>

#include "explain/topic.hpp"

namespace vsim::explain {

// A whole topic, wrapped at so many columns, or at 96 where there are more: longer lines are hard to read.
std::string render_text(const Topic&, std::size_t columns = 96);
std::string render_line(const Topic&);  // "  ID (504)   title", one line
std::string render_list();              // all of them, grouped, one line each

std::string page_path(const Topic&);    // "codes/FUNCTION_INVOCATION_TIMEOUT.md", below docs/
std::string render_page(const Topic&);  // docs/codes/ID.md
std::string render_index();             // docs/errors.md

}  // namespace vsim::explain
