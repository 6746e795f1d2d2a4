// One request between its client's connection and the instance of its function: where it is, and who has its
// seat there. Everything that may be told in an order which surprises is a pair of these two, and what
// becomes of it is core.cpp's. Pure.
//
//   AtApp ──► Queued ──► Unanswered ──► Answering ────────────► (over)
//     ▲                   │     │          │  └ a socket: ──► SocketClosed ─► (over)
//     └──── PassedOn ◄────┘     └──────────┴─► CauseAwaited ────► (over)
//
//   over while its seat is Held ──► AfterResponse, until that is given back, lost or taken
#pragma once

#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "base/exchange.hpp"
#include "base/hanging.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "limits/broken_off.hpp"
#include "limits/instance_end.hpp"

namespace vsim::core {

struct Passage {
  // `next dev` has it, and routes it or answers it itself.
  struct AtApp {};
  // An instance was asked for.
  struct Queued {};
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
  using Where =
      std::variant<AtApp, Queued, Unanswered, PassedOn, Answering, CauseAwaited, SocketClosed, AfterResponse>;

  // It holds none.
  struct Vacant {};
  struct Held {};
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
  InvocationId parent = InvocationId::none;  // whose code made this request
  // Those whose clocks stand still while this one is compiled or queued: its parent, and that one's parent…
  std::vector<InvocationId> callers;
  std::optional<limits::broken_off::Cause> broken_off;  // the function itself has ended its response early

  bool on_instance() const {
    return is<Unanswered>() || is<PassedOn>() || is<Answering>() || is<CauseAwaited>() || is<SocketClosed>();
  }
  bool held() const { return std::holds_alternative<Held>(seat); }
  template <class W>
  bool is() const {
    return std::holds_alternative<W>(where);
  }
};

std::string_view name(const Passage::Where&);
std::string_view name(const Passage::Seat&);

}  // namespace vsim::core
