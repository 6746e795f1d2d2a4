// Folds events into a Run: those of a live run as they happen, or the lines of a recorded one. Both give the
// same model. Pure. Keeps everything the reports tell, so its memory grows with the number of invocations
// (about half a kilobyte each); the dev server's own traffic is only left out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.hpp"
#include "event/event.hpp"
#include "report/model.hpp"

namespace vsim::report {

class Collector final : public event::Sink {
 public:
  void on_event(const event::Stamp&, const event::Event&) override;
  const Run& run() const { return run_; }
  // Before the first event: Run::events is wanted too.
  void keep_events() { keeps_ = true; }

 private:
  struct Fold;
  void keep(const event::Stamp&, const event::Event&);
  Run run_;
  bool any_ = false, keeps_ = false;
  TimePoint zero_{};
  std::unordered_map<std::string, std::size_t> instances_, routes_, problems_;
  std::unordered_map<std::uint64_t, std::size_t> calls_;  // by invocation
  std::unordered_map<std::uint64_t, Duration> running_;   // likewise: since when its function's code runs
};

struct Recorded {
  Run run;
  bool cut = false;         // the last line was not whole, and was left out: the writer was killed
  std::size_t unknown = 0;  // lines of event types this version does not know, left out
};
// The text of a file written by --events. `name` is for messages: "events.jsonl:12: …".
Result<Recorded> read_events(std::string_view text, std::string_view name, bool keep_events = false);

}  // namespace vsim::report
