// From what somebody has in front of them (a code, a rule's id, a status, the line of a log or of a browser's
// console) to the topics it may be about. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "explain/topic.hpp"

namespace vsim::explain {

struct SearchAnswer {
  std::vector<const Topic*> best;  // one: that is it; several: equally likely, codes before rules
  std::vector<const Topic*> also;  // less likely, the likeliest first
  std::string meant;               // best is empty: the nearest id, "" when none is near
};

SearchAnswer search(std::string_view query);

// Lower case, without quotes, backslashes and ellipses, blanks collapsed: what is compared.
std::string normalized(std::string_view text);
// Whether the text holds the message, whose `*` stands for anything; both normalized.
bool holds(std::string_view text, std::string_view message);

}  // namespace vsim::explain
