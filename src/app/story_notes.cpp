#include "app/story_notes.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "base/text.hpp"

namespace vsim::app {
namespace {

// In front of each note.
struct Mark {
  std::uint64_t id;
  std::int64_t at;
  std::uint32_t size;
  std::uint32_t kind;
};

bool is_shown(const http::Header& h) {
  return h.field != http::Field::x_vsim && h.field != http::Field::dropped;
}

// False: no room any more.
bool add_field(std::string& out, std::size_t begun, std::string_view name, std::string_view value) {
  if (out.size() - begun + name.size() + value.size() > StoryNotes::kMostHead) return false;
  out.append(name).append(": ", 2).append(value) += '\n';
  return true;
}

// Header lines, each with CRLF.
template <class Take>
void each_line(std::string_view lines, Take take) {
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find("\r\n"), lines.size());
    const std::string_view one = lines.substr(0, end);
    lines.remove_prefix(std::min(end + 2, lines.size()));
    const std::size_t colon = one.find(": ");
    if (colon != std::string_view::npos) take(one.substr(0, colon), one.substr(colon + 2));
  }
}

}  // namespace

std::string& StoryNotes::room() {
  if (blocks_.empty() || blocks_.back().text->size() >= kBlock) {
    if (blocks_.size() == kMostBlocks) {
      left_out_ += blocks_.front().notes;
      blocks_.pop_front();  // who has a picture of it keeps it
    }
    blocks_.push_back({std::make_shared<std::string>(), 0});
    blocks_.back().text->reserve(kBlock + kMostHead + 256);
  }
  ++blocks_.back().notes;
  return *blocks_.back().text;
}

std::size_t StoryNotes::begin(std::string& out, Note::Kind kind, std::uint64_t id, Duration at) {
  const Mark mark{id, at.count(), 0, static_cast<std::uint32_t>(kind)};
  out.append(reinterpret_cast<const char*>(&mark), sizeof mark);
  return out.size();
}

void StoryNotes::end(std::string& out, std::size_t begun) {
  const auto size = static_cast<std::uint32_t>(out.size() - begun);
  std::memcpy(out.data() + begun - sizeof(Mark) + offsetof(Mark, size), &size, sizeof size);
}

void StoryNotes::head(Note::Kind kind, InvocationId id, Duration at, std::span<const http::Header> headers,
                      std::string_view more, bool drop_server) {
  std::string& out = room();
  const std::size_t begun = begin(out, kind, static_cast<std::uint64_t>(id), at);
  std::size_t left_out = 0;
  for (const http::Header& h : headers)
    if (is_shown(h) && !(drop_server && iequals(h.name, "server")) && !add_field(out, begun, h.name, h.value))
      ++left_out;
  each_line(more, [&](std::string_view name, std::string_view value) {
    if (!add_field(out, begun, name, value)) ++left_out;
  });
  if (left_out > 0) out.append(":").append(std::to_string(left_out));
  end(out, begun);
}

void StoryNotes::answer(InvocationId id, Duration at, std::string_view response) {
  std::string_view lines = response.substr(0, response.find("\r\n\r\n"));
  lines.remove_prefix(std::min(lines.find("\r\n"), lines.size()));  // the status line
  head(Note::Kind::response, id, at, {}, lines);
}

void StoryNotes::line(Duration at, std::string_view instance, std::string_view text, bool error) {
  std::string& out = room();
  const std::size_t begun = begin(out, error ? Note::Kind::error_line : Note::Kind::line, 0, at);
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  out.append(instance).append(" ").append(text.substr(0, kMostLine));
  if (text.size() > kMostLine) out += "…";
  end(out, begun);
}

NotesPicture StoryNotes::picture() const {
  NotesPicture out;
  out.left_out = left_out_;
  for (const Block& block : blocks_)
    out.blocks.push_back(&block == &blocks_.back() ? std::make_shared<const std::string>(*block.text)
                                                   : block.text);
  return out;
}

void each_note(const NotesPicture& picture, const std::function<void(const Note&)>& take) {
  for (const auto& block : picture.blocks)
    for (std::string_view rest = *block; rest.size() >= sizeof(Mark);) {
      Mark mark;
      std::memcpy(&mark, rest.data(), sizeof mark);
      rest.remove_prefix(sizeof mark);
      take({static_cast<Note::Kind>(mark.kind), mark.id, Duration(mark.at), rest.substr(0, mark.size)});
      rest.remove_prefix(std::min<std::size_t>(mark.size, rest.size()));
    }
}

}  // namespace vsim::app
