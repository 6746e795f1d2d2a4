#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstring>

#include "base/civil.hpp"
#include "base/text.hpp"
#include "event/fields.hpp"
#include "event/json_codec.hpp"
#include "event/mask.hpp"

namespace vsim::event {
namespace {

// "00" to "99".
constexpr auto kPairs = [] {
  std::array<char, 200> out{};
  for (std::size_t i = 0; i < 100; ++i) {
    out[2 * i] = static_cast<char>('0' + i / 10);
    out[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return out;
}();

// No byte of a string that needs an escape, eight at a time: below 0x20, '"', '\\', 0x7f and above.
bool is_plain(std::string_view s) {
  constexpr std::uint64_t kOnes = 0x0101010101010101u, kHigh = 0x8080808080808080u;
  const auto has_zero = [](std::uint64_t x) { return (x - kOnes) & ~x & kHigh; };
  const char* at = s.data();
  std::size_t left = s.size();
  for (; left >= 8; left -= 8, at += 8) {
    std::uint64_t w;
    std::memcpy(&w, at, 8);
    const std::uint64_t bad = (w & kHigh) | has_zero(w ^ (kOnes * '"')) | has_zero(w ^ (kOnes * '\\')) |
                              has_zero(w ^ (kOnes * 0x7f)) | ((w - kOnes * 0x20) & ~w & kHigh);
    if (bad != 0) return false;
  }
  for (; left > 0; --left, ++at) {
    const auto c = static_cast<unsigned char>(*at);
    if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\') return false;
  }
  return true;
}

// Gathers a line in a buffer of its own, so that a field costs a copy and no bookkeeping of the string it
// ends in.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}
  ~Writer() { flush(); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  [[gnu::always_inline]] Writer& text(std::string_view key, std::string_view value) {
    name(key);
    string(value);
    return *this;
  }
  // A word of ours: nothing in it needs an escape.
  [[gnu::always_inline]] Writer& word(std::string_view key, std::string_view value) {
    name(key);
    put('"');
    put(value);
    put('"');
    return *this;
  }
  [[gnu::always_inline]] Writer& masked(std::string_view key, std::string_view target) {
    name(key);
    mask(target);
    return *this;
  }
  template <class Int>
  [[gnu::always_inline]] Writer& number(std::string_view key, Int value) {
    name(key);
    digits(value);
    return *this;
  }
  [[gnu::always_inline]] Writer& flag(std::string_view key, bool value) {
    name(key);
    put(value ? std::string_view("true") : std::string_view("false"));
    return *this;
  }
  [[gnu::always_inline]] Writer& millis(std::string_view key, Duration d) {
    name(key);
    decimal(d.count());
    return *this;
  }
  Writer& real(std::string_view key, double value) {
    name(key);
    char text[32];
    put(std::string_view(
        text, static_cast<std::size_t>(std::to_chars(text, text + sizeof text, value).ptr - text)));
    return *this;
  }
  Writer& time(std::string_view key, WallTime wall);
  void open(std::string_view key, char bracket) {
    name(key);
    put(bracket);
    first_ = true;
  }
  void open(char bracket) {
    if (!first_) put(',');
    put(bracket);
    first_ = true;
  }
  void end_line() { put(std::string_view("}\n", 2)); }
  void close(char bracket) {
    put(bracket);
    first_ = false;
  }

 private:
  void mask(std::string_view target) {
    if (target.find_first_of("?;@") == std::string_view::npos) {
      string(target);
    } else if (is_plain(target)) {
      put('"');
      mask_target(target, [&](std::string_view piece) { put(piece); });
      put('"');
    } else {
      std::string plain;
      mask_target(target, [&](std::string_view piece) { plain += piece; });
      string(plain);
    }
  }
  void flush() {
    out_.append(buffer_, size_);
    size_ = 0;
  }
  void put(char c) {
    if (size_ == sizeof buffer_) flush();
    buffer_[size_++] = c;
  }
  void put(std::string_view s) {
    if (s.empty()) return;  // data() may be null then
    if (s.size() > sizeof buffer_ - size_) {
      flush();
      if (s.size() > sizeof buffer_) {
        out_.append(s);
        return;
      }
    }
    std::memcpy(buffer_ + size_, s.data(), s.size());
    size_ += s.size();
  }
  // The place of the next `size` bytes, of which there are few.
  char* room(std::size_t size) {
    if (size > sizeof buffer_ - size_) flush();
    char* const at = buffer_ + size_;
    size_ += size;
    return at;
  }
  // Keys are known when this is compiled: each becomes a few stores.
  [[gnu::always_inline]] void name(std::string_view key) {
    char* at = room(key.size() + 3 + (first_ ? 0 : 1));
    if (!first_) *at++ = ',';
    first_ = false;
    *at++ = '"';
    std::memcpy(at, key.data(), key.size());
    at += key.size();
    *at++ = '"';
    *at = ':';
  }
  void string(std::string_view s) {
    if (is_plain(s)) {
      put('"');
      put(s);
      put('"');
      return;
    }
    flush();
    append_json_string(out_, s);
  }
  // Milliseconds, exact: as many decimals as the nanoseconds need.
  void decimal(std::int64_t ns) {
    if (ns == 0) return put('0');
    if (ns < 0) put('-');
    const std::uint64_t magnitude =
        ns < 0 ? 0 - static_cast<std::uint64_t>(ns) : static_cast<std::uint64_t>(ns);
    char text[28];
    char* end = std::to_chars(text, text + sizeof text, magnitude / 1'000'000).ptr;
    const auto rest = static_cast<std::uint32_t>(magnitude % 1'000'000);
    if (rest != 0) {
      *end++ = '.';
      for (const std::uint32_t pair : {rest / 10'000, rest / 100 % 100, rest % 100}) {
        std::memcpy(end, kPairs.data() + std::size_t{2} * pair, 2);
        end += 2;
      }
      while (end[-1] == '0') --end;
    }
    put(std::string_view(text, static_cast<std::size_t>(end - text)));
  }
  template <class Int>
  void digits(Int value) {
    char text[20];
    put(std::string_view(
        text, static_cast<std::size_t>(std::to_chars(text, text + sizeof text, value).ptr - text)));
  }

  std::string& out_;
  std::size_t size_ = 0;
  bool first_ = true;
  char buffer_[1024];
};

// "2026-11-22T21:04:05.123Z". A second's text is kept for the events that follow in it.
Writer& Writer::time(std::string_view key, WallTime wall) {
  static thread_local std::int64_t kept = INT64_MIN;
  static thread_local char text[27] = "\"0000-00-00T00:00:00.000Z\"";
  const auto set = [](int at, int width, auto value) {
    for (int i = at + width - 1; i >= at; --i, value /= 10) text[i] = static_cast<char>('0' + value % 10);
  };
  const auto seconds = std::chrono::floor<std::chrono::seconds>(std::chrono::milliseconds(wall.unix_ms));
  if (seconds.count() != kept) {
    kept = seconds.count();
    const auto [date, time] = civil(wall);
    set(1, 4, static_cast<int>(date.year()));
    set(6, 2, static_cast<unsigned>(date.month()));
    set(9, 2, static_cast<unsigned>(date.day()));
    set(12, 2, time.hours().count());
    set(15, 2, time.minutes().count());
    set(18, 2, time.seconds().count());
  }
  set(21, 3, wall.unix_ms - kept * 1000);
  name(key);
  put(std::string_view(text, 26));
  return *this;
}

// Writes the fields that fields.hpp lists. Inlined into each event's, where the names are known.
struct Encode {
  Writer& w;

  template <class T>
  [[gnu::always_inline]] void always(std::string_view key, const T& value) {
    write(key, value);
  }
  template <class T>
  [[gnu::always_inline]] void unless_empty(std::string_view key, const T& value) {
    if (!is_empty(value)) write(key, value);
  }
  template <class T>
  [[gnu::always_inline]] void when(bool condition, std::string_view key, const T& value) {
    if (condition) write(key, value);
  }
  [[gnu::always_inline]] void masked(std::string_view key, std::string_view value) { w.masked(key, value); }

 private:
  template <class T>
  [[gnu::always_inline]] static bool is_empty(const T& value) {
    if constexpr (requires { value.empty(); })
      return value.empty();
    else
      return value == T{};
  }
  template <class T>
  [[gnu::always_inline]] void write(std::string_view key, const T& value) {
    if constexpr (std::is_same_v<T, bool>)
      w.flag(key, value);
    else if constexpr (std::is_same_v<T, double>)
      w.real(key, value);
    else if constexpr (std::is_integral_v<T>)
      w.number(key, value);
    else if constexpr (std::is_same_v<T, Duration>)
      w.millis(key, value);
    else if constexpr (std::is_same_v<T, InvocationId>)
      w.number(key, static_cast<std::uint64_t>(value));
    else if constexpr (std::is_same_v<T, limits::Code>)
      w.word(key, limits::info(value).name);
    else if constexpr (std::is_enum_v<T>)
      w.word(key, to_string(value));
    else if constexpr (std::is_convertible_v<T, std::string_view>)
      w.text(key, value);
    else if constexpr (std::is_pointer_v<T>)
      object(key, *value);
    else
      list(key, value);
  }
  template <class T>
  void object(std::string_view key, const T& value) {
    w.open(key, '{');
    fields(value, *this);
    w.close('}');
  }
  template <class List>
  void list(std::string_view key, const List& values) {
    w.open(key, '[');
    for (const auto& value : values) {
      w.open('{');
      fields(value, *this);
      w.close('}');
    }
    w.close(']');
  }
};

}  // namespace

void encode(std::string& out, const Stamp& stamp, const Event& event, TimePoint start) {
  Writer w(out);
  std::visit(
      [&](const auto& e) {
        w.open('{');
        w.word("t", kTypeOf<std::decay_t<decltype(e)>>).number("seq", stamp.seq).time("time", stamp.wall);
        w.millis("at_ms", stamp.at - start);
        Encode visitor{w};
        fields(e, visitor);
      },
      event);
  w.end_line();
}

}  // namespace vsim::event
