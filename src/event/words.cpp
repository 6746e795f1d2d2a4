#include "event/event.hpp"

namespace vsim::event {

std::string_view to_string(EndedBy v) {
  switch (v) {
    case EndedBy::function:
      return "function";
    case EndedBy::platform:
      return "platform";
    case EndedBy::client:
      return "client";
    case EndedBy::app:
      return "app";
    case EndedBy::emulator:
      return "emulator";
  }
  return "";
}

std::string_view to_string(Phase v) {
  switch (v) {
    case Phase::request:
      return "request";
    case Phase::routing:
      return "routing";
    case Phase::running:
      return "running";
    case Phase::responding:
      return "responding";
    case Phase::tunnel:
      return "tunnel";
  }
  return "";
}

std::string_view to_string(Traffic v) {
  switch (v) {
    case Traffic::invocation:
      return "invocation";
    case Traffic::prerender:
      return "prerender";
    case Traffic::direct:
      return "direct";
    case Traffic::internal:
      return "internal";
    case Traffic::socket:
      return "socket";
  }
  return "";
}

std::string_view to_string(Fate v) {
  switch (v) {
    case Fate::reconnected:
      return "reconnected";
    case Fate::ended:
      return "ended";
    case Fate::left:
      return "left";
    case Fate::lost:
      return "lost";
  }
  return "";
}

std::string_view to_string(AppState v) {
  switch (v) {
    case AppState::starting:
      return "starting";
    case AppState::ready:
      return "ready";
    case AppState::crashed:
      return "crashed";
    case AppState::restarting:
      return "restarting";
    case AppState::stopped:
      return "stopped";
  }
  return "";
}

std::string_view to_string(Level v) {
  switch (v) {
    case Level::info:
      return "info";
    case Level::warning:
      return "warning";
    case Level::error:
      return "error";
  }
  return "";
}

}  // namespace vsim::event
