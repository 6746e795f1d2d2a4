#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <deque>
#include <optional>

#include "event/fields.hpp"
#include "event/json_codec.hpp"
#include "event/json_value.hpp"

namespace vsim::event {

// Deques: what they hold does not move when more is added, nor when they are moved.
struct OwnedEvent::Storage {
  Stamp stamp;
  Event event;
  std::deque<std::string> texts;
  std::deque<std::remove_cv_t<std::remove_pointer_t<decltype(limits::Verdict::provenance)>>> provenances;
  std::vector<limits::Verdict> verdicts;
  std::vector<ValueChange> changes;
};

OwnedEvent::OwnedEvent() : storage_(std::make_unique<Storage>()) {}
OwnedEvent::~OwnedEvent() = default;
OwnedEvent::OwnedEvent(OwnedEvent&&) noexcept = default;
OwnedEvent& OwnedEvent::operator=(OwnedEvent&&) noexcept = default;
const Stamp& OwnedEvent::stamp() const { return storage_->stamp; }
const Event& OwnedEvent::event() const { return storage_->event; }

namespace {

using Type = JsonValue::Type;

// "12.000034" milliseconds as nanoseconds, exact.
std::optional<Duration> parse_millis(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const std::size_t dot = text.find('.');
  const std::string_view whole = text.substr(0, dot);
  std::uint64_t ms = 0;
  const auto read = std::from_chars(whole.data(), whole.data() + whole.size(), ms);
  if (read.ec != std::errc() || read.ptr != whole.data() + whole.size()) return std::nullopt;
  std::uint64_t ns = 0;
  if (dot != std::string_view::npos) {
    std::uint64_t unit = 100'000;
    for (const char c : text.substr(dot + 1)) {
      if (c < '0' || c > '9') return std::nullopt;
      ns += unit * static_cast<std::uint64_t>(c - '0');
      unit /= 10;
    }
  }
  constexpr auto kMost = static_cast<std::uint64_t>(Duration::max().count());
  if (ms > kMost / 1'000'000 || ms * 1'000'000 > kMost - ns) return std::nullopt;
  const auto total = static_cast<Duration::rep>(ms * 1'000'000 + ns);
  return Duration(negative ? -total : total);
}

// "2026-11-22T21:04:05.123Z" exactly.
std::optional<WallTime> parse_time(std::string_view t) {
  if (t.size() != 24 || t[4] != '-' || t[7] != '-' || t[10] != 'T' || t[13] != ':' || t[16] != ':' ||
      t[19] != '.' || t[23] != 'Z')
    return std::nullopt;
  bool ok = true;
  const auto get = [&](std::size_t at, std::size_t width) {
    std::int64_t value = 0;
    for (std::size_t i = at; i < at + width; ++i) {
      ok = ok && t[i] >= '0' && t[i] <= '9';
      value = value * 10 + (t[i] - '0');
    }
    return value;
  };
  using namespace std::chrono;
  const year_month_day date{year(static_cast<int>(get(0, 4))), month(static_cast<unsigned>(get(5, 2))),
                            day(static_cast<unsigned>(get(8, 2)))};
  const std::int64_t hour = get(11, 2), minute = get(14, 2), second = get(17, 2), ms = get(20, 3);
  if (!ok || !date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  const std::int64_t days = sys_days(date).time_since_epoch().count();
  return WallTime{((days * 24 + hour) * 60 + minute) * 60'000 + second * 1000 + ms};
}

// The last word of a vocabulary is followed by none.
template <class E>
std::optional<E> parse_enum(std::string_view text) {
  for (int i = 0; !to_string(static_cast<E>(i)).empty(); ++i)
    if (to_string(static_cast<E>(i)) == text) return static_cast<E>(i);
  return std::nullopt;
}

// Reads members of one object; remembers the first problem.
class Reader {
 public:
  Reader(const JsonValue& object, std::deque<std::string>& texts, std::string& problem)
      : object_(object), texts_(texts), problem_(problem) {}

  std::string_view text(std::string_view key) {
    const JsonValue* v = get(key, Type::string, "a string");
    return v != nullptr ? std::string_view(texts_.emplace_back(v->text)) : std::string_view{};
  }
  bool flag(std::string_view key) {
    const JsonValue* v = get(key, Type::boolean, "true or false");
    return v != nullptr && v->boolean;
  }
  template <class Int>
  Int number(std::string_view key) {
    Int out{};
    if (const JsonValue* v = get(key, Type::number, "a number")) {
      const char* end = v->text.data() + v->text.size();
      const auto read = std::from_chars(v->text.data(), end, out);
      if (read.ec != std::errc() || read.ptr != end) complain(key, "a number in range");
    }
    return out;
  }
  Duration millis(std::string_view key) {
    const JsonValue* v = get(key, Type::number, "milliseconds");
    if (v == nullptr) return {};
    const auto d = parse_millis(v->text);
    if (!d) complain(key, "milliseconds");
    return d.value_or(Duration{});
  }
  WallTime time(std::string_view key) {
    const JsonValue* v = get(key, Type::string, "a time");
    if (v == nullptr) return {};
    const auto t = parse_time(v->text);
    if (!t) complain(key, "a time such as 2026-11-22T21:04:05.123Z");
    return t.value_or(WallTime{});
  }
  template <class E>
  E word(std::string_view key, E fallback) {
    const JsonValue* v = get(key, Type::string, "a string");
    if (v == nullptr) return fallback;
    const auto e = parse_enum<E>(v->text);
    if (!e) complain(key, "one of the words of docs/events.md");
    return e.value_or(fallback);
  }
  limits::Code code(std::string_view key) {
    const JsonValue* v = get(key, Type::string, "a code");
    if (v == nullptr) return limits::Code::none;
    const limits::Code c = limits::find_code(v->text);
    if (c == limits::Code::none && v->text != limits::info(c).name) complain(key, "a known code");
    return c;
  }
  const JsonValue* get(std::string_view key, Type type, std::string_view expected) {
    const JsonValue* v = object_.find(key);
    if (v == nullptr || v->type == type) return v;
    complain(key, expected);
    return nullptr;
  }

 private:
  void complain(std::string_view key, std::string_view expected) {
    if (problem_.empty()) problem_ = fmt::format("\"{}\": expected {}", key, expected);
  }
  const JsonValue& object_;
  std::deque<std::string>& texts_;
  std::string& problem_;
};

// What is read lives here; a template, since the storage of an event is its own secret.
template <class Storage>
struct Decode {
  Storage& storage;
  std::string& problem;
  const JsonValue& object;
  Reader r{object, storage.texts, problem};

  template <class T>
  void always(std::string_view key, T& out) {
    read(key, out);
  }
  template <class T>
  void unless_empty(std::string_view key, T& out) {
    read(key, out);
  }
  template <class T>
  void when(bool, std::string_view key, T& out) {
    read(key, out);
  }
  void masked(std::string_view key, std::string_view& out) { read(key, out); }

 private:
  void read(std::string_view key, std::string_view& out) { out = r.text(key); }
  void read(std::string_view key, std::string& out) { out = r.text(key); }
  void read(std::string_view key, bool& out) { out = r.flag(key); }
  void read(std::string_view key, Duration& out) { out = r.millis(key); }
  void read(std::string_view key, limits::Code& out) { out = r.code(key); }
  void read(std::string_view key, InvocationId& out) {
    out = static_cast<InvocationId>(r.number<std::uint64_t>(key));
  }
  template <class T>
  void read(std::string_view key, T& out) {
    if constexpr (std::is_enum_v<T>)
      out = r.word(key, out);
    else if (object.find(key) != nullptr)
      out = r.number<T>(key);
  }
  void read(std::string_view key, const profile::Provenance*& out) {
    const JsonValue* from = object.find(key);
    if (from != nullptr) out = &read_into(storage.provenances.emplace_back(), *from);
  }
  void read(std::string_view key, std::span<const limits::Verdict>& out) {
    out = read_list(key, storage.verdicts);
  }
  void read(std::string_view key, std::span<const ValueChange>& out) {
    out = read_list(key, storage.changes);
  }
  template <class T>
  T& read_into(T& out, const JsonValue& from) {
    Decode inner{storage, problem, from};
    fields(out, inner);
    return out;
  }
  template <class T>
  std::span<const T> read_list(std::string_view key, std::vector<T>& out) {
    if (const JsonValue* list = r.get(key, Type::array, "a list"))
      for (const JsonValue& item : list->items) read_into(out.emplace_back(), item);
    return out;
  }
};

// The event whose type this is; false: there is none.
template <class Visitor, class... E>
bool read_event(std::string_view type, Visitor& visitor, std::variant<E...>& out) {
  const auto is = [&]<class One>(One one) {
    if (kTypeOf<One> != type) return false;
    fields(one, visitor);
    out = one;
    return true;
  };
  return (is(E{}) || ...);
}

}  // namespace

Result<OwnedEvent> decode(std::string_view line) {
  const auto parsed = parse_json(line);
  if (!parsed) return parsed.error();
  if (parsed->type != Type::object) return Error{"an event is a JSON object"};
  OwnedEvent owned;
  auto& s = *owned.storage_;
  std::string problem;
  Reader r(*parsed, s.texts, problem);
  const std::string_view type = r.text("t");
  s.stamp = {r.number<std::uint64_t>("seq"), TimePoint(r.millis("at_ms")), r.time("time")};
  Decode<OwnedEvent::Storage> visitor{s, problem, *parsed};
  if (!read_event(type, visitor, s.event) && problem.empty())
    return Error{type.empty() ? "\"t\", the type of the event, is missing"
                              : fmt::format("unknown event type \"{}\"", type)};
  if (!problem.empty()) return Error{problem};
  return owned;
}

}  // namespace vsim::event
