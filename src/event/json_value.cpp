#include "event/json_value.hpp"

#include <fmt/format.h>

#include <cstdint>

#include "base/text.hpp"
#include "base/utf8.hpp"

namespace vsim::event {
namespace {

constexpr int kDeepest = 16;

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}
  std::size_t at() const { return at_; }  // how far it came

  Result<JsonValue> run() {
    JsonValue v;
    if (!value(v, 0)) return failure();
    space();
    if (at_ != text_.size()) {
      fail("something follows the value");
      return failure();
    }
    return v;
  }

 private:
  Error failure() const { return {fmt::format("not JSON: {} at byte {}", why_, at_ + 1)}; }
  bool fail(const char* why) {
    if (why_.empty()) why_ = why;
    return false;
  }
  bool end() const { return at_ >= text_.size(); }
  void space() {
    while (!end() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
      ++at_;
  }
  bool take(char c) {
    if (end() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool word(std::string_view w) {
    if (!text_.substr(at_).starts_with(w)) return fail("unknown word");
    at_ += w.size();
    return true;
  }

  bool value(JsonValue& v, int depth) {
    if (depth > kDeepest) return fail("nesting too deep");
    space();
    v.at = at_;
    if (end()) return fail("unexpected end");
    switch (text_[at_]) {
      case '{':
        v.type = JsonValue::Type::object;
        return object(v, depth);
      case '[':
        v.type = JsonValue::Type::array;
        return array(v, depth);
      case '"':
        v.type = JsonValue::Type::string;
        return string(v.text);
      case 't':
        v.type = JsonValue::Type::boolean;
        v.boolean = true;
        return word("true");
      case 'f':
        v.type = JsonValue::Type::boolean;
        return word("false");
      case 'n':
        return word("null");
      default:
        v.type = JsonValue::Type::number;
        return number(v.text);
    }
  }

  bool object(JsonValue& v, int depth) {
    ++at_;
    space();
    if (take('}')) return true;
    do {
      space();
      auto& [key, member] = v.members.emplace_back();
      if (end() || text_[at_] != '"') return fail("a member name is missing");
      if (!string(key)) return false;
      space();
      if (!take(':')) return fail("':' is missing");
      if (!value(member, depth + 1)) return false;
      space();
    } while (take(','));
    return take('}') || fail("'}' is missing");
  }

  bool array(JsonValue& v, int depth) {
    ++at_;
    space();
    if (take(']')) return true;
    do {
      if (!value(v.items.emplace_back(), depth + 1)) return false;
      space();
    } while (take(','));
    return take(']') || fail("']' is missing");
  }

  bool number(std::string& out) {
    const std::size_t start = at_;
    const auto digits = [&] {
      const std::size_t first = at_;
      while (!end() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
      return at_ > first;
    };
    take('-');
    const bool zero = !end() && text_[at_] == '0';
    if (zero ? (++at_, false) : !digits()) return fail("not a value");
    if (take('.') && !digits()) return fail("digits are missing");
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      if (!digits()) return fail("digits are missing");
    }
    out = text_.substr(start, at_ - start);
    return true;
  }

  bool hex4(std::uint32_t& out) {
    out = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      if (end()) return fail("unexpected end");
      const int digit = hex_digit(text_[at_]);
      if (digit < 0) return fail("bad \\u escape");
      out = out << 4 | static_cast<std::uint32_t>(digit);
    }
    return true;
  }

  bool escape(std::string& out) {
    if (end()) return fail("unexpected end");
    const char c = text_[at_++];
    constexpr std::string_view kNames = "\"\\/bfnrt", kMeant = "\"\\/\b\f\n\r\t";
    if (const std::size_t named = kNames.find(c); named != std::string_view::npos) {
      out += kMeant[named];
      return true;
    }
    if (c != 'u') return fail("unknown escape");
    std::uint32_t unit;
    if (!hex4(unit)) return false;
    if (unit >= 0xD800 && unit < 0xDC00 && text_.substr(at_).starts_with("\\u")) {
      const std::size_t back = at_;
      at_ += 2;
      std::uint32_t low;
      if (!hex4(low)) return false;
      if (low >= 0xDC00 && low < 0xE000)
        unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
      else
        at_ = back;
    }
    append_utf8(out, unit >= 0xD800 && unit < 0xE000 ? 0xFFFD : unit);
    return true;
  }

  bool string(std::string& out) {
    ++at_;
    for (;;) {
      const std::size_t start = at_;
      while (!end() && text_[at_] != '"' && text_[at_] != '\\' &&
             static_cast<unsigned char>(text_[at_]) >= 0x20)
        ++at_;
      out.append(text_, start, at_ - start);
      if (end()) return fail("a string does not end");
      if (take('"')) return true;
      if (!take('\\')) return fail("control character in a string");
      if (!escape(out)) return false;
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string why_;
};

}  // namespace

const JsonValue* JsonValue::find(std::string_view key) const {
  const JsonValue* found = nullptr;
  for (const auto& [name, value] : members)
    if (name == key) found = &value;
  return found;
}

Result<JsonValue> parse_json(std::string_view text, std::size_t* failed_at) {
  Parser parser(text);
  auto value = parser.run();
  if (!value && failed_at != nullptr) *failed_at = parser.at();
  return value;
}

}  // namespace vsim::event
