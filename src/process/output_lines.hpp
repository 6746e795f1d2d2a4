// Cuts what a child writes into lines that can be prefixed, filtered and mixed with ours without damage:
// colours do not run over a line's end, cursor movements do not reach our terminal, characters split by a
// read are put together. Pure; one object per stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace vsim::process {

// The graphic rendition in force (ECMA-48 SGR): what is on, so that it can be switched on again. Programs
// switch single things off ("39", "22") as often as all of them ("0").
class Style {
 public:
  void apply(std::string_view sequence);  // "ESC [ … m"
  bool plain() const {
    return attributes_ == 0 && foreground_.empty() && background_.empty() && line_colour_.empty();
  }
  void append_to(std::string& out) const;  // nothing when plain

 private:
  std::uint32_t attributes_ =
      0;  // bit n: code n is on, for n from 1 to 9; bit 21: double underline; bit 31: overline (53)
  std::string foreground_, background_, line_colour_;  // parameters: "31", "38;2;1;2;3"
};

class OutputLines {
 public:
  enum class End : std::uint8_t {
    newline,   // "\n" or "\r\n"
    carriage,  // "\r": progress, the next line replaces this one. Print it only on a terminal.
    cut,       // too long: the next line is the rest of it
    none,      // the child has not ended it: see flush()
  };
  // A line that is a command to a CI system's log begins with "| ". `text` is without its end and lives
  // during the call only. Of escape sequences it holds colours (SGR) and links (OSC 8), nothing else; a
  // colour that is on at its end is switched off there and on again in the next line. `continues`: the line
  // before had End::cut or none.
  using Sink = std::function<void(std::string_view text, End end, bool continues)>;

  // 64 KiB: longer than any line meant for people; a data dump in one line must not fill our memory.
  static constexpr std::size_t kDefaultMax = 64UL * 1024;

  explicit OutputLines(Sink sink, std::size_t max_line = kDefaultMax)
      : sink_(std::move(sink)), max_(max_line) {}

  void feed(std::string_view bytes);
  // Gives what there is of an unfinished line, except a character or escape sequence that is still
  // incomplete. Call it after a while of silence (a prompt has no newline), and with `last` at the end of the
  // stream, when nothing is held back.
  void flush(bool last = false);
  bool pending() const { return !line_.empty(); }

 private:
  void end_line(End end);
  void emit(std::string_view raw, End end);
  std::size_t complete_prefix() const;

  Sink sink_;
  std::size_t max_;
  std::string line_;       // the unfinished line, raw
  Style style_;            // in force at the end of the last line given
  std::string text_;       // scratch
  bool carriage_ = false;  // the last byte was "\r": what it means, the next one tells
  bool continues_ = false;
};

// The text without any escape sequence, for matching.
std::string strip_escapes(std::string_view text);

}  // namespace vsim::process
