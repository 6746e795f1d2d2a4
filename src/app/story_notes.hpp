// What the story of an invocation has beside events: the heads of its request and of its response, and what
// was printed meanwhile. Kept in memory alone, as it came, and of bounded size: the oldest goes, and is
// counted. Secrets are masked by who reads it (read_notes). Written on the I/O thread; a picture is for any.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/http_header.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"

namespace vsim::app {

struct Note {
  enum class Kind : std::uint8_t { request, response, line, error_line } kind = Kind::line;
  std::uint64_t id = 0;  // the invocation, of a head
  Duration at{};         // since the start of the run
  // A head: a field a line, "name: value", then perhaps ":N", how many more there were. A line: "i3 text", or
  // " text" when next dev has printed it.
  std::string_view text;
};

// As it was at one moment.
struct NotesPicture {
  std::vector<std::shared_ptr<const std::string>> blocks;
  std::uint64_t left_out = 0;  // notes that are not kept any more
};

class StoryNotes {
 public:
  static constexpr std::size_t kBlock = 32UL * 1024, kMostBlocks = 8;  // 256 KiB
  static constexpr std::size_t kMostHead = 8UL * 1024, kMostLine = 2UL * 1024;

  // `more`: header lines that are added to those of the app, each with CRLF. `drop_server`: its own Server is
  // not passed on. Nothing of what vercel-sim and its agent tell each other is kept.
  void head(Note::Kind, InvocationId, Duration at, std::span<const http::Header>, std::string_view more = {},
            bool drop_server = false);
  // A whole answer of our own.
  void answer(InvocationId, Duration at, std::string_view response);
  void line(Duration at, std::string_view instance, std::string_view text, bool error);
  // A head is not kept.
  void leave_out() { ++left_out_; }
  NotesPicture picture() const;

 private:
  struct Block {
    std::shared_ptr<std::string> text;
    std::uint64_t notes = 0;
  };
  std::string& room();
  std::size_t begin(std::string& out, Note::Kind, std::uint64_t id, Duration at);
  static void end(std::string& out, std::size_t begun);

  std::deque<Block> blocks_;
  std::uint64_t left_out_ = 0;
};

// Each note of a picture, the oldest first.
void each_note(const NotesPicture&, const std::function<void(const Note&)>&);

}  // namespace vsim::app
