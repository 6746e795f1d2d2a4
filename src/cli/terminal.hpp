// What a person sees: events as lines. Formatting is separate from writing, so that it can be compared with
// golden files. Called on the I/O thread; the LineWriter does the writing elsewhere.
#pragma once

#include <string>
#include <unordered_map>

#include "app/line_writer.hpp"
#include "cli/open_requests.hpp"
#include "cli/options.hpp"
#include "event/event.hpp"
#include "profile/profile.hpp"

namespace vsim::cli {

constexpr bool shows_colour(Colour colour, bool terminal) {
  return colour == Colour::always || (colour == Colour::automatic && terminal);
}

struct TerminalStyle {
  bool colour = false;
  bool quiet = false;    // verdicts, notices and the ready line only
  bool verbose = false;  // also what next dev answers itself, and the life of instances
};
constexpr TerminalStyle style_of(Verbosity verbosity, bool colour) {
  return {colour, verbosity == Verbosity::quiet, verbosity == Verbosity::verbose};
}

// What was explained before: an endless stream that is cut again and again, or a thousand of them at once,
// need their reasons once, and then a count.
class Explained {
 public:
  // How often it was met before; it is counted.
  std::size_t times_before(const limits::Verdict&);

 private:
  std::unordered_map<std::string, std::size_t> met_;
  std::string key_;
};

class Terminal final : public event::Sink {
 public:
  // `writer` must outlive it. `fd`: where it writes; on a terminal lines are broken to its width, whatever it
  // is at that moment.
  Terminal(app::LineWriter& writer, TerminalStyle style, int fd = -1);
  void on_event(const event::Stamp&, const event::Event&) override;
  void on_pause() override { writer_.hand_over(); }
  // Output of the app, passed on as it came.
  void app_output(std::string_view text);
  // Lines of ours that are no event.
  void say(std::string_view text);
  // What is told now and then, on a terminal only. `now`: of the events' clock.
  void tick(TimePoint now);
  // More lines after the ready line; {url} in them becomes the address, {port} its port.
  void set_ready_hint(std::string hint) { ready_hint_ = std::move(hint); }

 private:
  app::LineWriter& writer_;
  TerminalStyle style_;
  int fd_;  // of a terminal, or -1
  std::string ready_hint_;
  OpenRequests open_;
  std::string event_;  // as text, before it is fitted
  Explained explained_;
};

// One event as it is shown; nothing when it is not shown in this style. Without `explained` each verdict is
// explained in full.
void format_event(std::string& out, const event::Event&, TerminalStyle, Explained* explained = nullptr);
// A request line that `next dev` prints itself (" GET / 200 in 34ms (compile: …)"): ours replaces it. Colours
// are ignored.
bool is_next_request_line(std::string_view line);

}  // namespace vsim::cli
