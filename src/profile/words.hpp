// The words of each enum of profile.hpp with their meaning: one table for parsing, printing and
// documentation. Private to this module.
#pragma once

#include <span>

#include "profile/profile.hpp"

namespace vsim::profile {

template <class E>
struct WordFor {
  E value;
  std::string_view word, meaning;
};

// Found by the type of the (ignored) argument.
std::span<const WordFor<Plan>> words_for(Plan);
std::span<const WordFor<Compute>> words_for(Compute);
std::span<const WordFor<Isolation>> words_for(Isolation);
std::span<const WordFor<WebSocketPolicy>> words_for(WebSocketPolicy);
std::span<const WordFor<WebSocketRefusal>> words_for(WebSocketRefusal);
std::span<const WordFor<StreamCut>> words_for(StreamCut);
std::span<const WordFor<Mode>> words_for(Mode);
std::span<const WordFor<Switch>> words_for(Switch);
std::span<const WordFor<Strictness>> words_for(Strictness);
std::span<const WordFor<MiddlewareInstances>> words_for(MiddlewareInstances);

}  // namespace vsim::profile
