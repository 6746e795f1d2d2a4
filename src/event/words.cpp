#include <boost/describe/enum.hpp>
#include <boost/describe/enum_to_string.hpp>

#include "event/event.hpp"

// The words of events are the names of the enumerators.
namespace vsim::event {

using boost::describe::enum_to_string;

BOOST_DESCRIBE_ENUM(EndedBy, function, platform, client, app, emulator)
BOOST_DESCRIBE_ENUM(Phase, request, routing, running, responding, tunnel)
BOOST_DESCRIBE_ENUM(Traffic, invocation, prerender, direct, internal, socket)
BOOST_DESCRIBE_ENUM(Fate, reconnected, ended, left, lost)
BOOST_DESCRIBE_ENUM(AppState, starting, ready, crashed, restarting, stopped)
BOOST_DESCRIBE_ENUM(Level, info, warning, error)

std::string_view to_string(EndedBy v) { return enum_to_string(v, ""); }
std::string_view to_string(Phase v) { return enum_to_string(v, ""); }
std::string_view to_string(Traffic v) { return enum_to_string(v, ""); }
std::string_view to_string(Fate v) { return enum_to_string(v, ""); }
std::string_view to_string(AppState v) { return enum_to_string(v, ""); }
std::string_view to_string(Level v) { return enum_to_string(v, ""); }

}  // namespace vsim::event
