// The live page at /_vercel-sim/: the page itself, and the stream of the run's events that it draws. What has
// happened lately is kept, so that a page which is opened late shows it. A window, not a gate: all readers
// read from one store of bounded size, each from its own place; who is too slow loses the oldest events and
// is told how many. For a browser on this machine only, and read-only. I/O thread only.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory_resource>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "event/event.hpp"
#include "net/edge.hpp"

namespace vsim::app {

class Live final : public event::Sink, public net::Feed {
 public:
  explicit Live(TimePoint start);

  // event::Sink
  void on_event(const event::Stamp&, const event::Event&) override;
  void on_pause() override;

  // net::Feed
  void on_taken(net::Session&) override;
  void on_gone(net::Session&) override;

  // A request for /_vercel-sim, /_vercel-sim/ or /_vercel-sim/events: true when it is one, and answered.
  bool answer(net::Session&, const net::http1::RequestHead&, const net::ClientInfo&, net::RequestDecision&);

  static constexpr std::size_t kBlock = 32 * 1024;  // what a reader is given at once
  static constexpr std::size_t kMostBlocks = 128;   // 4 MiB: some 5,000 invocations
  static constexpr std::size_t kMostReaders = 16;

 private:
  // Whole events. The plain ones of requests wait as they are until somebody reads them: most are forgotten
  // before, and copying their words costs a tenth of what JSON does.
  class Block {
   public:
    explicit Block(std::uint64_t first_seq) : first(first_seq) {}
    // False: an event of another kind, or with verdicts.
    bool keep(const event::Stamp&, const event::Event&);
    std::string& written(TimePoint start);  // all of them, as they are sent
    std::string_view written_before() const { return text_; }
    std::size_t size() const { return text_.size() + waiting_size_; }

    std::uint64_t first = 0, last = 0;  // seq

   private:
    void own(std::string_view& word);

    std::string text_;
    std::vector<std::pair<event::Stamp, event::Event>> waiting_;  // behind the text
    std::pmr::monotonic_buffer_resource words_;
    std::size_t waiting_size_ = 0;
  };
  struct Reader {
    net::Session* session = nullptr;
    std::uint64_t block = 0;  // its number since the start of the run
    std::size_t at = 0;       // in its text
    std::uint64_t seen = 0;   // seq of the last event that was sent
    std::uint64_t dropped = 0;
  };
  void forget_oldest();
  void keep_line(std::string_view line);
  void tell(Reader&);
  std::string hello() const;

  const TimePoint start_;
  const std::string run_;  // tells the page that this is another run
  std::deque<Block> blocks_;
  std::uint64_t first_block_ = 0;  // number of blocks_.front()
  // Of what was forgotten: the latest word on the run, and on each instance that lives.
  std::string run_started_, profile_changed_, app_changed_;
  std::map<std::string, std::string, std::less<>> instances_;
  std::vector<Reader> readers_;
};

}  // namespace vsim::app
