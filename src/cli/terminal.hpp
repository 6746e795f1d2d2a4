// What a person sees: events as lines. Formatting is separate from writing, so that it can be compared with
// golden files. Called on the I/O thread; the LineWriter does the writing elsewhere.
#pragma once

#include <string>
#include <unordered_set>

#include "app/line_writer.hpp"
#include "event/event.hpp"
#include "profile/profile.hpp"

namespace vsim::cli {

struct TerminalStyle {
  bool colour = false;
  bool quiet = false;    // verdicts, notices and the ready line only
  bool verbose = false;  // also what next dev answers itself, and the life of instances
};

// What was explained before: an endless stream that is cut again and again, or a thousand of them at once,
// need their reasons once.
class Explained {
 public:
  bool first(const limits::Verdict&);

 private:
  std::unordered_set<std::string> told_;
  std::string key_;
};

class Terminal final : public event::Sink {
 public:
  // `profile` and `writer` must outlive it.
  Terminal(app::LineWriter& writer, const profile::Profile& profile, TerminalStyle style)
      : writer_(writer), profile_(profile), style_(style) {}
  void on_event(const event::Stamp&, const event::Event&) override;
  void on_pause() override { writer_.hand_over(); }
  // Output of the app, passed on as it came.
  void app_output(std::string_view text);
  // One more line after the ready line; {url} in it becomes the address.
  void set_ready_hint(std::string hint) { ready_hint_ = std::move(hint); }

 private:
  app::LineWriter& writer_;
  const profile::Profile& profile_;
  TerminalStyle style_;
  std::string ready_hint_;
  Explained explained_;
};

// One event as it is shown; nothing when it is not shown in this style. Without `explained` each verdict is
// explained in full.
void format_event(std::string& out, const event::Event&, const profile::Profile&, TerminalStyle,
                  Explained* explained = nullptr);
// A request line that `next dev` prints itself (" GET / 200 in 34ms (compile: …)"): ours replaces it. Colours
// are ignored.
bool is_next_request_line(std::string_view line);

}  // namespace vsim::cli
