// The one record of a request that runs on an instance, or may: where it is between its client's connection
// and its function, and who has its seat there. Everything that may be told in an order which surprises is a
// pair of these two, and what becomes of it is core.cpp's and seats.cpp's. Pure.
//
//   AtApp ──► Queued ──► Unanswered ──► Answering ────────────► (over)
//     ▲                   │     │          │  └ a socket: ──► SocketClosed ─► (over)
//     └──── PassedOn ◄────┘     └──────────┴─► CauseAwaited ────► (over)
//
//   over while its seat is Held ──► AfterResponse, until that is given back, lost or taken
//   over while a former one is  ──► Over, until that is given back or lost
#pragma once

#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "base/exchange.hpp"
#include "base/hanging.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "instance/lease.hpp"
#include "limits/broken_off.hpp"
#include "limits/instance_end.hpp"

namespace vsim::core {

struct Passage {
  // `next dev` has it, and routes it or answers it itself.
  struct AtApp {};
  // An instance was asked for, or is as soon as that may be (`asked`).
  struct Queued {
    instance::FunctionId function = instance::FunctionId::none;
    bool asked = false;
    Duration early{};  // waited before it could be asked for
  };
  // Its head is with an instance, which has not answered.
  struct Unanswered {};
  // The instance's answer is "try the next route", whose end is still to come.
  struct PassedOn {};
  // The response has begun; `socket`: by a 101.
  struct Answering {
    bool socket = false;
  };
  // Its connection to the instance broke. Who knows why (the instance's end, or its own word) tells it within
  // milliseconds, and not before `until` is it said that nobody knows.
  struct CauseAwaited {
    UpstreamFailure failure;
    TimePoint until;
  };
  // A socket is closed on both sides. The end of its instance is the end of a socket too, so it waits
  // likewise.
  struct SocketClosed {
    ExchangeTotals totals;
    TimePoint until;
  };
  // Its client has everything; waitUntil work goes on. `until`: that was told to end, and is waited for so
  // long.
  struct AfterResponse {
    TimePoint until = TimePoint::max();
  };
  struct Over {};
  using Where = std::variant<AtApp, Queued, Unanswered, PassedOn, Answering, CauseAwaited, SocketClosed,
                             AfterResponse, Over>;

  // It holds none.
  struct Vacant {};
  struct Held {
    instance::Lease lease;
    instance::FunctionId function = instance::FunctionId::none;
    bool begun = false;  // user code runs
  };
  // The instance has said that it is done with it before its answer was read.
  struct GivenBack {
    std::vector<Hanging> hanging;
  };
  // The instance is gone; what it had still said is being read.
  struct Lost {
    limits::instance_end::Loss loss;
  };
  using Seat = std::variant<Vacant, Held, GivenBack, Lost>;

  Where where;
  Seat seat;
  std::optional<Held>
      former;  // of the instance that has left it to the next route, until that is done with it
  InvocationId parent = InvocationId::none;  // whose code made this request
  // Those whose clocks stand still while this one is compiled or queued: its parent, and that one's parent…
  std::vector<InvocationId> callers;
  std::optional<limits::broken_off::Cause> broken_off;  // the function itself has ended its response early

  bool on_instance() const {
    return is<Unanswered>() || is<PassedOn>() || is<Answering>() || is<CauseAwaited>() || is<SocketClosed>();
  }
  // Its client's connection is over.
  bool ended() const { return is<AfterResponse>() || is<Over>(); }
  bool held() const { return std::holds_alternative<Held>(seat); }
  template <class W>
  bool is() const {
    return std::holds_alternative<W>(where);
  }
};

std::string_view name(const Passage::Where&);
std::string_view name(const Passage::Seat&);

}  // namespace vsim::core
