// What agents say, in the words of the engine.
#pragma once

#include <optional>
#include <string_view>

#include "agent/control.hpp"
#include "engine/engine.hpp"

namespace vsim::app {

// Next's words for kinds and runtimes, as the agent passes them on.
engine::Dispatch to_dispatch(std::string_view page, std::string_view kind, std::string_view runtime,
                             bool is_static);
limits::CodeRefused to_refused(const agent::Refused&);
limits::connections::HeldConnections to_connections(const agent::Connections&);
std::optional<limits::MachineFact> to_fact(const agent::Machine&);  // nullopt: words that nobody knows
limits::made_at_build::Made to_made(const agent::MadeReport&);
limits::not_traced::Read to_read(const agent::NotTraced&);

}  // namespace vsim::app
