#include <fmt/format.h>

#include <charconv>
#include <deque>
#include <optional>

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
  const std::int64_t year = get(0, 4), month = get(5, 2), day = get(8, 2), hour = get(11, 2),
                     minute = get(14, 2), second = get(17, 2), ms = get(20, 3);
  if (!ok || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60)
    return std::nullopt;
  const std::int64_t y = month <= 2 ? year - 1 : year, era = (y >= 0 ? y : y - 399) / 400,
                     yoe = y - era * 400, doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1,
                     doe = yoe * 365 + yoe / 4 - yoe / 100 + doy, days = era * 146'097 + doe - 719'468;
  return WallTime{((days * 24 + hour) * 60 + minute) * 60'000 + second * 1000 + ms};
}

template <class E>
std::optional<E> parse_enum(std::string_view text, E last) {
  for (int i = 0; i <= static_cast<int>(last); ++i)
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
  E word(std::string_view key, E last, E fallback) {
    const JsonValue* v = get(key, Type::string, "a string");
    if (v == nullptr) return fallback;
    const auto e = parse_enum(v->text, last);
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

limits::Verdict read_verdict(Reader r, Reader* from, auto& provenances) {
  limits::Verdict v;
  v.code = r.code("code");
  v.enforced = r.flag("enforced");
  v.limit_key = r.text("limit_key");
  v.limit = r.text("limit");
  v.measured = r.text("measured");
  v.route = r.text("route");
  v.file = r.text("file");
  v.fix = r.text("fix");
  if (from != nullptr) {
    auto& p = provenances.emplace_back();
    p.profile = from->text("profile");
    p.file = from->text("file");
    p.line = from->number<int>("line");
    p.source = from->text("source");
    p.as_of = from->text("as_of");
    p.confidence = from->text("confidence");
    p.note = from->text("note");
    v.provenance = &p;
  }
  return v;
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
  const auto id = [&] { return static_cast<InvocationId>(r.number<std::uint64_t>("id")); };
  const auto read_verdicts = [&] {
    const JsonValue* list = r.get("verdicts", Type::array, "a list");
    if (list == nullptr) return;
    for (const JsonValue& item : list->items) {
      const JsonValue* from = item.find("from");
      std::optional<Reader> from_reader;
      if (from != nullptr) from_reader.emplace(*from, s.texts, problem);
      s.verdicts.push_back(
          read_verdict(Reader(item, s.texts, problem), from_reader ? &*from_reader : nullptr, s.provenances));
    }
  };

  if (type == "run_started") {
    RunStarted e{r.text("version"),       r.text("url"), r.text("profile"),
                 r.text("profile_as_of"), r.text("app"), r.text("isolation")};
    if (parsed->find("time_scale") != nullptr) e.time_scale = r.number<double>("time_scale");
    s.event = e;
  } else if (type == "profile_changed") {
    ProfileChanged e{r.text("profile"), r.text("profile_as_of"), r.text("before"), r.text("isolation")};
    if (parsed->find("time_scale") != nullptr) e.time_scale = r.number<double>("time_scale");
    if (const JsonValue* list = r.get("changes", Type::array, "a list"))
      for (const JsonValue& item : list->items) {
        Reader one(item, s.texts, problem);
        s.changes.push_back({one.text("key"), one.text("from"), one.text("to")});
      }
    e.changes = s.changes;
    s.event = e;
  } else if (type == "deployed") {
    s.event =
        Deployed{r.number<std::uint32_t>("deployment"), r.text("name"), r.number<std::size_t>("sockets"),
                 r.number<std::size_t>("streams"), r.number<std::size_t>("requests")};
  } else if (type == "deployment_met") {
    s.event = DeploymentMet{r.number<std::uint32_t>("deployment"),
                            id(),
                            r.text("target"),
                            r.flag("socket"),
                            r.word("fate", Fate::lost, Fate::lost),
                            r.millis("stayed_ms"),
                            r.millis("took_ms")};
  } else if (type == "deployment_scored") {
    DeploymentScored e;
    e.deployment = r.number<std::uint32_t>("deployment");
    for (const auto& [key, value] :
         {std::pair("sockets", &e.sockets), std::pair("streams", &e.streams),
          std::pair("reconnected", &e.reconnected), std::pair("ended", &e.ended), std::pair("left", &e.left),
          std::pair("lost", &e.lost), std::pair("open", &e.open)})
      *value = r.number<std::size_t>(key);
    e.slowest = r.millis("slowest_ms");
    s.event = e;
  } else if (type == "run_stopped") {
    s.event = RunStopped{r.text("reason"), r.number<int>("exit_code")};
  } else if (type == "app_changed") {
    s.event = AppChanged{r.word("state", AppState::stopped, AppState::starting), r.text("detail")};
  } else if (type == "invocation_started") {
    s.event = InvocationStarted{id(), r.text("request_id"), r.text("method"), r.text("target")};
  } else if (type == "invocation_running") {
    s.event = InvocationRunning{
        id(), r.text("route"), r.text("file"), r.text("instance"), r.text("start"), r.millis("limit_ms")};
  } else if (type == "invocation_ended") {
    InvocationEnded e;
    e.id = id();
    e.request_id = r.text("request_id");
    e.method = r.text("method");
    e.target = r.text("target");
    e.traffic = r.word("traffic", Traffic::socket, Traffic::invocation);
    e.status = r.number<int>("status");
    e.route = r.text("route");
    e.file = r.text("file");
    e.kind = r.text("kind");
    e.runtime = r.text("runtime");
    e.total = r.millis("total_ms");
    e.charged = r.millis("charged_ms");
    e.compile = r.millis("compile_ms");
    e.instance = r.text("instance");
    e.start = r.text("start");
    e.waited = r.millis("waited_ms");
    e.init = r.millis("init_ms");
    e.own_requests = r.millis("own_requests_ms");
    e.first_byte = r.millis("first_byte_ms");
    e.limit = r.millis("limit_ms");
    e.bytes_in = r.number<std::uint64_t>("bytes_in");
    e.bytes_out = r.number<std::uint64_t>("bytes_out");
    e.outcome.ended_by = r.word("ended_by", EndedBy::emulator, EndedBy::function);
    e.outcome.phase = r.word("phase", Phase::tunnel, Phase::responding);
    e.outcome.code = r.code("code");
    e.client_left = r.flag("client_left");
    read_verdicts();
    e.verdicts = s.verdicts;
    s.event = e;
  } else if (type == "socket_opened") {
    s.event = SocketOpened{id(), r.text("request_id"), r.text("target"), r.text("instance")};
  } else if (type == "route_compiled") {
    s.event = RouteCompiled{r.text("route"), r.millis("took_ms")};
  } else if (type == "notice") {
    s.event = Notice{r.word("level", Level::error, Level::info),
                     r.text("code"),
                     r.text("message"),
                     r.text("fix"),
                     r.text("file"),
                     r.number<int>("line")};
  } else if (type == "instance_changed") {
    s.event = InstanceChanged{r.text("instance"),
                              r.text("from"),
                              r.text("to"),
                              r.text("function"),
                              r.text("why"),
                              r.text("death"),
                              r.number<std::uint64_t>("memory"),
                              r.number<int>("pid"),
                              r.text("start"),
                              r.text("uncopied")};
  } else if (type == "background_work") {
    BackgroundWork e{id(), r.text("request_id"), r.text("route"), r.text("file"), r.text("instance"), {}};
    read_verdicts();
    e.verdicts = s.verdicts;
    s.event = e;
  } else if (type == "command_run") {
    s.event = CommandRun{r.text("command"), r.flag("ended"), r.number<int>("exit_code")};
  } else if (problem.empty()) {
    return Error{type.empty() ? "\"t\", the type of the event, is missing"
                              : fmt::format("unknown event type \"{}\"", type)};
  }
  if (!problem.empty()) return Error{problem};
  return owned;
}

}  // namespace vsim::event
