// What the core wants done: to a client's connection, to an instance's process, or said. Commands are carried
// out in their order. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "base/ids.hpp"
#include "instance/command.hpp"
#include "limits/code.hpp"

namespace vsim::core {

// To the client's connection, after which the exchange is over: no ended() and no connection_failed().
struct EndExchange {
  enum class How : std::uint8_t {
    answer,      // no head was sent: answer `code`
    cut,         // end the response where it is
    limit,       // likewise, as `profile.stream_cut` says: its limit was reached
    cut_tunnel,  // close both sides of a WebSocket
  } how{};
  InvocationId id = InvocationId::none;
  limits::Code code = limits::Code::none;
};
// The request goes to that instance. Who cannot send it there says unreachable().
struct SendTo {
  InvocationId id = InvocationId::none;
  instance::InstanceId instance = instance::InstanceId::none;
  instance::FunctionId function = instance::FunctionId::none;
};
// To the instance: its waitUntil work has passed the deadline, and is to end.
struct Expire {
  InvocationId id = InvocationId::none;
  instance::InstanceId instance = instance::InstanceId::none;
};
// Without a control channel, and alive: its process is to be killed.
struct EndSilent {
  instance::InstanceId instance = instance::InstanceId::none;
};
// Somebody waits for whatever starts.
struct Hurry {};
// What it weighs is of interest now: an invocation has ended on it.
struct Weigh {
  instance::InstanceId instance = instance::InstanceId::none;
};
// For people.
struct Remark {
  std::string what, fix;
};

using CoreCommand = std::variant<EndExchange, SendTo, Expire, instance::Spawn, instance::Bind,
                                 instance::Raise, instance::Freeze, instance::Thaw, instance::Ping,
                                 instance::Kill, EndSilent, Hurry, Weigh, Remark>;

}  // namespace vsim::core
