#include "app/invocation_notes.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "event/mask.hpp"
#include "process/output_lines.hpp"

namespace vsim::app {
namespace {

bool has(const Presence& s, Duration at) { return at >= s.from && at - kPrintedLate <= s.until; }

std::string head_json(std::string_view head) {
  std::string out = R"({"headers":[)", left_out;
  while (!head.empty()) {
    const std::string_view field = head.substr(0, head.find('\n'));
    head.remove_prefix(std::min(field.size() + 1, head.size()));
    if (field.starts_with(':')) {
      left_out = fmt::format(R"(,"left_out":{})", field.substr(1));
      continue;
    }
    const std::size_t colon = std::min(field.find(": "), field.size());
    const std::string_view name = field.substr(0, colon);
    if (out.back() == '}') out += ',';
    out += R"({"name":)";
    append_json_string(out, name);
    out += R"(,"value":)";
    append_json_string(out, event::mask_field(name, field.substr(std::min(colon + 2, field.size()))));
    out += '}';
  }
  return out + "]" + left_out + "}";
}

std::string line_json(const Note& note, std::string_view text, const NotesAsked& asked) {
  // Several at a time on one instance, or one that is known to print for all.
  const bool sure =
      !asked.instance.empty() && std::none_of(asked.others.begin(), asked.others.end(),
                                              [&](const Presence& s) { return has(s, note.at); });
  std::string out = fmt::format(R"({{"at_ms":{:.3f},"text":)", static_cast<double>(note.at.count()) / 1e6);
  append_json_string(out, event::mask_word(process::strip_escapes(text), {}));
  if (note.kind == Note::Kind::error_line) out += R"(,"error":true)";
  return out + fmt::format(R"(,"sure":{}}})", sure);
}

}  // namespace

std::string notes_json(const NotesPicture& picture, const NotesAsked& asked) {
  std::string heads, lines;
  std::size_t count = 0;
  each_note(picture, [&](const Note& note) {
    if (note.kind == Note::Kind::request || note.kind == Note::Kind::response) {
      if (note.id == asked.id && asked.id != 0)
        heads += fmt::format(R"("{}":{},)", note.kind == Note::Kind::request ? "request" : "response",
                             head_json(note.text));
      return;
    }
    const std::size_t space = note.text.find(' ');
    if (note.text.substr(0, space) != asked.instance || !has(asked.ran, note.at)) return;
    if (++count > kMostLines) return;
    if (!lines.empty()) lines += ',';
    lines += line_json(note, note.text.substr(space + 1), asked);
  });
  return fmt::format(R"({}"lines":[{}],"lines_left_out":{},"notes_left_out":{})", heads, lines,
                     count > kMostLines ? count - kMostLines : 0, picture.left_out);
}

}  // namespace vsim::app
