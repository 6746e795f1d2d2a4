#include "process/output_lines.hpp"

#include <algorithm>
#include <charconv>

#include "base/plain_text.hpp"

namespace vsim::process {
namespace {

constexpr char kEscape = '\x1b';
constexpr std::string_view kReset = "\x1b[0m";
// An escape sequence or a link longer than this is not one.
constexpr std::size_t kMaxSequence = 2048;

enum class SequenceKind { colour, link, other, incomplete };
struct Sequence {
  SequenceKind kind;
  std::size_t size;
};

// ECMA-48: what begins with ESC at text[0]. A broken sequence ends before the byte that breaks it.
Sequence sequence_at(std::string_view text) {
  if (text.size() < 2) return {SequenceKind::incomplete, text.size()};
  if (text[1] == '[') {
    for (std::size_t i = 2; i < text.size(); ++i) {
      const auto c = static_cast<unsigned char>(text[i]);
      if (c >= 0x40 && c <= 0x7e) {
        const bool plain = text.substr(2, i - 2).find_first_not_of("0123456789:;") == std::string_view::npos;
        return {c == 'm' && plain ? SequenceKind::colour : SequenceKind::other, i + 1};
      }
      if (c < 0x20 || c > 0x3f) return {SequenceKind::other, i};
      if (i > kMaxSequence) return {SequenceKind::other, i};
    }
    return {SequenceKind::incomplete, text.size()};
  }
  if (text[1] == ']' || text[1] == 'P' || text[1] == '_' || text[1] == '^' ||
      text[1] == 'X') {  // strings, ended by BEL or ESC backslash
    const bool link = text.starts_with("\x1b]8;");
    for (std::size_t i = 2; i < text.size(); ++i) {
      if (text[i] == '\a') return {link ? SequenceKind::link : SequenceKind::other, i + 1};
      if (text[i] == kEscape) {
        if (i + 1 == text.size()) return {SequenceKind::incomplete, text.size()};
        return text[i + 1] == '\\' ? Sequence{link ? SequenceKind::link : SequenceKind::other, i + 2}
                                   : Sequence{SequenceKind::other, i};
      }
      if (i > kMaxSequence) return {SequenceKind::other, i};
    }
    return {SequenceKind::incomplete, text.size()};
  }
  std::size_t i = 1;
  while (i < text.size() && text[i] >= 0x20 && text[i] <= 0x2f) ++i;  // ESC ( B and the like
  if (i == text.size()) return {SequenceKind::incomplete, i};
  const auto c = static_cast<unsigned char>(text[i]);
  return {SequenceKind::other, c >= 0x30 && c <= 0x7e ? i + 1 : i};
}

// A link's address is text of others too: nothing in it but printable ASCII (OSC 8 asks for no more).
bool is_plain_link(std::string_view sequence) {
  sequence.remove_prefix(1);
  sequence.remove_suffix(sequence.ends_with('\\') ? 2 : 1);
  return std::all_of(sequence.begin(), sequence.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

constexpr std::uint32_t bit(unsigned code) { return 1u << (code == 53 ? 31 : code); }

}  // namespace

void Style::apply(std::string_view sequence) {
  std::string_view rest = sequence.substr(2, sequence.size() - 3);
  // One parameter with its colon-separated parts, which later terminals use for colours ("38:2::1:2:3").
  auto next = [&rest] {
    const std::size_t end = std::min(rest.find(';'), rest.size());
    const std::string_view p = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return p;
  };
  do {
    const char* const begin = rest.data();
    const std::string_view parameter = next();
    unsigned code = 0;
    std::from_chars(parameter.data(), parameter.data() + parameter.size(), code);
    if (code == 38 || code == 48 || code == 58) {
      std::string_view whole = parameter;
      if (parameter.find(':') == std::string_view::npos) {
        const std::string_view kind = next();
        for (int parts = kind == "2" ? 3 : kind == "5" ? 1 : 0; parts > 0; --parts) whole = next();
        if (whole.data() != begin)
          whole = std::string_view(begin, static_cast<std::size_t>(whole.data() + whole.size() - begin));
      }
      (code == 38 ? foreground_ : code == 48 ? background_ : line_colour_) = whole;
    } else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) {
      foreground_ = parameter;
    } else if ((code >= 40 && code <= 47) || (code >= 100 && code <= 107)) {
      background_ = parameter;
    } else if ((code >= 1 && code <= 9) || code == 21 || code == 53) {
      if (parameter == "4:0")
        attributes_ &= ~(bit(4) | bit(21));
      else
        attributes_ |= bit(code);
    } else {
      switch (code) {
        case 0:
          *this = Style();
          break;
        case 22:
          attributes_ &= ~(bit(1) | bit(2));
          break;
        case 23:
          attributes_ &= ~bit(3);
          break;
        case 24:
          attributes_ &= ~(bit(4) | bit(21));
          break;
        case 25:
          attributes_ &= ~(bit(5) | bit(6));
          break;
        case 27:
          attributes_ &= ~bit(7);
          break;
        case 28:
          attributes_ &= ~bit(8);
          break;
        case 29:
          attributes_ &= ~bit(9);
          break;
        case 39:
          foreground_.clear();
          break;
        case 49:
          background_.clear();
          break;
        case 55:
          attributes_ &= ~bit(53);
          break;
        case 59:
          line_colour_.clear();
          break;
        default:
          break;
      }
    }
  } while (!rest.empty());
}

void Style::append_to(std::string& out) const {
  if (plain()) return;
  out += "\x1b[";
  const std::size_t begin = out.size();
  auto add = [&](std::string_view parameter) {
    if (parameter.empty()) return;
    if (out.size() > begin) out += ';';
    out += parameter;
  };
  for (const unsigned code : {1U, 2U, 3U, 4U, 5U, 6U, 7U, 8U, 9U, 21U, 53U})
    if (attributes_ & bit(code)) add(std::to_string(code));
  add(foreground_);
  add(background_);
  add(line_colour_);
  out += 'm';
}

void OutputLines::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    if (carriage_) {
      carriage_ = false;
      if (bytes.front() == '\n') {
        end_line(End::newline);
        bytes.remove_prefix(1);
        continue;
      }
      if (bytes.front() == '\r') {  // "\r\r\n" is what two terminals in a row make of "\n"
        carriage_ = true;
        bytes.remove_prefix(1);
        continue;
      }
      if (!line_.empty()) end_line(End::carriage);
    }
    const std::size_t stop = bytes.find_first_of("\r\n");
    const std::size_t take = std::min({stop, bytes.size(), max_ - std::min(max_, line_.size())});
    line_.append(bytes.substr(0, take));
    bytes.remove_prefix(take);
    if (bytes.empty()) return;
    if (take == stop) {
      carriage_ = bytes.front() == '\r';
      if (!carriage_) end_line(End::newline);
      bytes.remove_prefix(1);
    } else {
      std::size_t fits = complete_prefix();
      if (fits == 0) fits = line_.size();  // nothing but an endless sequence
      const std::string rest = line_.substr(fits);
      line_.resize(fits);
      end_line(End::cut);
      line_ = rest;
    }
  }
}

void OutputLines::flush(bool last) {
  if (carriage_) {
    carriage_ = false;
    if (!line_.empty()) end_line(End::carriage);
    return;
  }
  const std::size_t fits = last ? line_.size() : complete_prefix();
  if (fits == 0) return;
  const std::string rest = line_.substr(fits);
  line_.resize(fits);
  end_line(last ? End::newline : End::none);
  line_ = rest;
}

void OutputLines::end_line(End end) {
  emit(line_, end);
  line_.clear();
}

// How much of line_ does not end within a character or an escape sequence.
std::size_t OutputLines::complete_prefix() const {
  std::size_t end = line_.size();
  const std::size_t escape = line_.rfind(kEscape);
  if (escape != std::string::npos && end - escape <= kMaxSequence) {
    // The last ESC may be the end mark of a string that began before it.
    std::size_t at = escape;
    if (at > 0) {
      const std::size_t before = line_.rfind(kEscape, at - 1);
      if (before != std::string::npos &&
          sequence_at(std::string_view(line_).substr(before)).kind == SequenceKind::incomplete)
        at = before;
    }
    if (sequence_at(std::string_view(line_).substr(at)).kind == SequenceKind::incomplete) return at;
  }
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, end); ++back) {
    const auto c = static_cast<unsigned char>(line_[end - back]);
    if (c < 0x80) break;
    if (c < 0xc0) continue;  // a continuation byte
    const std::size_t needs = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    if (needs > back) end -= back;
    break;
  }
  return end;
}

void OutputLines::emit(std::string_view raw, End end) {
  text_.clear();
  style_.append_to(text_);
  std::size_t at = 0;
  while (at < raw.size()) {
    const std::size_t escape = std::min(raw.find(kEscape, at), raw.size());
    append_plain(text_, raw.substr(at, escape - at));
    at = escape;
    if (at == raw.size()) break;
    const Sequence s = sequence_at(raw.substr(at));
    const std::string_view sequence = raw.substr(at, s.size);
    at += std::max<std::size_t>(s.size, 1);
    if (s.kind == SequenceKind::link && is_plain_link(sequence)) text_.append(sequence);
    if (s.kind != SequenceKind::colour) continue;
    text_.append(sequence);
    style_.apply(sequence);
  }
  if (!style_.plain()) text_.append(kReset);
  if (!continues_ && text_.find("::") != std::string::npos && is_log_command(strip_escapes(text_)))
    text_.insert(0, "| ");
  const bool continues = continues_;
  continues_ = end == End::cut || end == End::none;
  sink_(text_, end, continues);
}

std::string strip_escapes(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t escape = std::min(text.find(kEscape, at), text.size());
    out.append(text.substr(at, escape - at));
    at = escape;
    if (at < text.size()) at += std::max<std::size_t>(sequence_at(text.substr(at)).size, 1);
  }
  return out;
}

}  // namespace vsim::process
