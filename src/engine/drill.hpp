// A deployment drill: what a new deployment does to the connections that were open when it came. On Vercel
// new requests go to the new deployment, and what is open stays on the old one until it ends (facts 4b); then
// its client comes back, or does not. Says of each which, and of each deployment how it went. Pure: told of
// events, and of the time.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "event/event.hpp"

namespace vsim::engine {

// What is open and has a function. Views are valid until the next call of the engine.
struct Open {
  InvocationId id = InvocationId::none;
  std::string_view path;
  bool socket = false;
  bool streams = false;  // its response has begun, and has not ended
};

class Drill {
 public:
  // Who has not come back by then is lost. Chosen: Socket.IO and EventSource try again within 1 to 5 s.
  static constexpr Duration kPatience = std::chrono::seconds(10);

  struct Met {
    std::uint32_t deployment = 0;
    InvocationId id = InvocationId::none;
    std::string path;
    bool socket = false;
    event::Fate fate = event::Fate::lost;
    Duration stayed{};  // on the old deployment, from the new one on
    Duration took{};    // from its end to the client's return
  };
  struct Score {
    std::uint32_t deployment = 0;
    std::size_t sockets = 0, streams = 0;
    std::size_t reconnected = 0, ended = 0, left = 0, lost = 0, open = 0;
    Duration slowest{};  // of those that came back
  };
  struct News {
    std::vector<Met> met;
    std::vector<Score> scored;
  };

  // There is a new one. Of what was held by an earlier one, that keeps the score. Its number, from 2 on.
  std::uint32_t deploy(std::span<const Open> open, TimePoint now);
  void on_event(const event::Event&, TimePoint now);
  // When take() has something to say.
  std::optional<TimePoint> next_wakeup() const;
  News take(TimePoint now);
  // The run ends: what is still open counts as that.
  News finish(TimePoint now);

 private:
  struct Connection {
    Met met;
    TimePoint held{}, ended{};
  };
  Score& score_of(std::uint32_t deployment) { return scores_[deployment]; }
  void came(std::string_view target, bool socket, TimePoint now);
  void settle(News&);

  std::uint32_t deployment_ = 1;
  std::map<InvocationId, Connection> held_;
  std::vector<Connection> gone_;  // they may come back
  std::map<std::uint32_t, Score> scores_;
  bool news_ = false;
};

}  // namespace vsim::engine
