// What is sent again of a recorded request: which cannot be, and the head of one that can, as the app at
// another address must get it. Pure. Called by app/replay_client.cpp.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "replay/recording.hpp"

namespace vsim::replay {

// Where the app is now.
struct Destination {
  std::string url;    // "http://localhost:4100"
  std::string build;  // as About::build
};

// Why it cannot be sent again, as a sentence without a full stop; nullopt when it can.
std::optional<std::string> obstacle(const RecordedRequest&, const About&, const Destination&);

// The cookies that the app sets anew. A browser would send what it got this time; so does the replay.
class Cookies {
 public:
  explicit Cookies(std::span<const RecordedRequest> requests) : requests_(requests), seen_(requests.size()) {}
  // The answer to request `index` came with these Set-Cookie values.
  void answered(std::size_t index, std::vector<RecordedHeader> set) { seen_[index] = {true, std::move(set)}; }

  struct Answer {
    std::string value;                 // for the Cookie field; empty: none
    std::vector<std::string> renewed;  // one line for each cookie that has another value than recorded
    std::string missing;               // why there is no value to send; empty: there is
  };
  // For the Cookie field of request `index`, whose recorded value is `recorded`.
  Answer field(std::size_t index, std::string_view recorded) const;

 private:
  struct Seen {
    bool answered = false;
    std::vector<RecordedHeader> set;
  };
  std::span<const RecordedRequest> requests_;
  std::vector<Seen> seen_;
};

// Name and value of a Set-Cookie field; nullopt when it deletes nothing and sets nothing.
std::optional<RecordedHeader> parse_set_cookie(std::string_view field);

// The whole head but for the empty line; `cookie` stands for the Cookie field, `mark` is one more line's
// value by which the edge knows the request ("X-Vsim-Replay"), framing included. Host, and Origin and Referer
// of the recorded origin, name the new one.
std::string head_of(const RecordedRequest&, const About&, const Destination&, std::string_view cookie,
                    std::string_view mark);

// What follows the head's empty line: the body, in the framing that it had.
std::string body_of(const RecordedRequest&);

inline constexpr std::string_view kMark = "X-Vsim-Replay";

// "POST /api/login?x=***", secrets masked, control characters gone.
std::string label(const RecordedRequest&);

}  // namespace vsim::replay
