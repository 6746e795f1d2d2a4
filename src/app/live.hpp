// What is below /_vercel-sim/: the live page and the stream of the run's events that it draws, the API and
// the metrics for tools. What has happened lately is kept, so that who comes late sees it. A window, not a
// gate: all read from one store of bounded size, each reader of the stream from its own place; who is too
// slow loses the oldest events and is told how many. For this machine only; what changes the run needs the
// token that stands in the terminal. I/O thread only.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/api.hpp"
#include "app/flood.hpp"
#include "app/metrics.hpp"
#include "app/output_line.hpp"
#include "app/questions.hpp"
#include "app/story_notes.hpp"
#include "event/event.hpp"
#include "net/edge.hpp"

namespace vsim::app {

// How a tool changes the run. `what`: profile, set, time_scale (with a value), kill (an instance), retire,
// deploy. Why it was not done; empty: it is.
using Act = std::function<std::string(std::string_view what, std::string_view value)>;

class Live final : public event::Sink, public net::Feed {
 public:
  // `profile`: what holds now. Without `act` nothing can be changed.
  explicit Live(TimePoint start, std::function<const profile::Profile&()> profile, Act act = {});
  // Who answers questions to the API until it ends; it outlives the last of them. Null: nobody any more.
  void answer_on(boost::asio::io_context*);
  // Whoever has it may change the run; empty when nobody may.
  const std::string& token() const { return token_; }

  // event::Sink
  void on_event(const event::Stamp&, const event::Event&) override;
  void on_pause() override;

  // net::Feed
  void on_taken(net::Session&) override;
  void on_gone(net::Session&) override;

  // What the story of an invocation has beside events.
  void request_head(InvocationId, TimePoint at, std::span<const http::Header>);
  void response_head(InvocationId, TimePoint at, std::span<const http::Header>, std::string_view more,
                     bool drop_server);
  void answered(InvocationId, TimePoint at, std::string_view response);
  void printed(TimePoint at, const OutputLine&);  // without Next's own lines about requests
  // When bytes passed on what is open, for the pages that are. Not an event, and not kept: the next word on
  // the same one says it all again, so that whoever does not take it loses nothing.
  void passing(TimePoint at, const event::BytesPassed&);
  bool is_read() const { return !readers_.empty(); }
  // Somebody who has not been told yet how long open streams are what they are.
  bool has_new_reader() { return std::exchange(has_new_reader_, false); }

  // A request for one of its own paths: true when it is one, and answered.
  bool answer(net::Session&, const net::http1::RequestHead&, const net::ClientInfo&, net::RequestDecision&);

  static constexpr std::size_t kBlock = 32UL * 1024;  // what a reader is given at once
  static constexpr std::size_t kMostBlocks = 128;     // 4 MiB (docs/live.md)
  static constexpr std::size_t kMostReaders = 16;

 private:
  // Whole events, as they are sent.
  class Block {
   public:
    explicit Block(std::uint64_t first_seq) : first(first_seq) {}
    void append(TimePoint start, const event::Stamp&, const event::Event&);
    // So many events are not here, in this place.
    void append_left_out(std::uint64_t count);
    const std::string& text() const { return *text_; }
    // The same for another thread, which may keep it. `grows`: events come yet.
    std::shared_ptr<const std::string> picture(bool grows) const;

    std::uint64_t first = 0, last = 0;  // seq
    std::uint64_t left_out = 0;         // of them

   private:
    std::shared_ptr<std::string> text_ = std::make_shared<std::string>();
  };
  struct Reader {
    net::Session* session = nullptr;
    std::uint64_t block = 0;  // its number since the start of the run
    std::size_t at = 0;       // in its text
    std::uint64_t seen = 0;   // seq of the last event that was sent
    std::uint64_t dropped = 0;
  };
  void mark_left_out();
  void forget_oldest();
  void keep_line(std::string_view line);
  void tell(Reader&);
  std::string hello() const;
  template <class Take>
  void each_kept(Take) const;
  void picture(const Question&, ApiWorld& out);
  void tell_all();
  void tell_on();
  // The run's first events, which are not kept any more.
  std::uint64_t forgotten() const { return blocks_.empty() ? 0 : blocks_.front().first - 1; }
  ApiAnswer act(const net::http1::RequestHead&, std::string_view what, std::string_view query);
  void ask(net::Session&, Question, net::RequestDecision&);
  void follow(net::Session&, net::RequestDecision&);

  const TimePoint start_;
  const std::string run_;  // tells the page that this is another run
  const std::function<const profile::Profile&()> profile_;
  const Act act_;
  const std::string token_;
  Metrics metrics_;
  std::uint64_t dropped_ = 0;  // events that readers lost
  Flood flood_;
  std::uint64_t left_out_ = 0;  // behind what is in the last block
  std::deque<Block> blocks_;
  std::uint64_t first_block_ = 0;  // number of blocks_.front()
  // Of what was forgotten: the latest word on the run, and on each instance that lives.
  std::string run_started_, profile_changed_, app_changed_, deployed_;
  std::map<std::string, std::string, std::less<>> instances_;
  std::vector<Reader> readers_;
  bool telling_on_ = false, has_new_reader_ = false;
  StoryNotes notes_;
  boost::asio::io_context* io_ = nullptr;
  std::unique_ptr<Questions> questions_;
  std::optional<boost::asio::steady_timer> gather_;  // until readers are told again
  bool gathers_ = false;
  TimePoint told_at_{};
};

}  // namespace vsim::app
