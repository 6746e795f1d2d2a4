// The topics as text for a terminal. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "explain/topic.hpp"

namespace vsim::explain {

// A whole topic, wrapped at so many columns, or at 96 where there are more: longer lines are hard to read.
std::string render_text(const Topic&, std::size_t columns = 96);
std::string render_line(const Topic&);  // "  ID (504)   title", one line
std::string render_list();              // all of them, grouped, one line each

// The groups in the order in which they are listed, each with its topics.
struct TopicGroup {
  std::string_view title;
  std::vector<const Topic*> topics;
};
std::vector<TopicGroup> groups();

}  // namespace vsim::explain
