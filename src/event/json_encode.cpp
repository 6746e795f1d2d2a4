#include <charconv>
#include <cstdint>
#include <cstring>

#include "base/text.hpp"
#include "event/json_codec.hpp"
#include "event/mask.hpp"

namespace vsim::event {
namespace {

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
  [[gnu::always_inline]] Writer& text_if(std::string_view key, std::string_view value) {
    return value.empty() ? *this : text(key, value);
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
    if (target.find('?') == std::string_view::npos) {
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
    digits(magnitude / 1'000'000);
    auto rest = static_cast<std::uint32_t>(magnitude % 1'000'000);
    if (rest == 0) return;
    char decimals[7] = {'.'};
    for (int i = 6; i >= 1; --i, rest /= 10) decimals[i] = static_cast<char>('0' + rest % 10);
    std::size_t size = 7;
    while (decimals[size - 1] == '0') --size;
    put(std::string_view(decimals, size));
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

// "2026-11-22T21:04:05.123Z"; the civil date from days since 1970 by the usual era arithmetic (proleptic
// Gregorian). A second's text is kept for the events that follow in it.
Writer& Writer::time(std::string_view key, WallTime wall) {
  static thread_local std::int64_t kept = INT64_MIN;
  static thread_local char text[27] = "\"0000-00-00T00:00:00.000Z\"";
  const auto set = [](int at, int width, std::int64_t value) {
    for (int i = at + width - 1; i >= at; --i, value /= 10) text[i] = static_cast<char>('0' + value % 10);
  };
  std::int64_t seconds = wall.unix_ms / 1000, ms = wall.unix_ms % 1000;
  if (ms < 0) {
    ms += 1000;
    --seconds;
  }
  if (seconds != kept) {
    kept = seconds;
    std::int64_t days = seconds / 86'400, rest = seconds % 86'400;
    if (rest < 0) {
      rest += 86'400;
      --days;
    }
    const std::int64_t z = days + 719'468, era = (z >= 0 ? z : z - 146'096) / 146'097,
                       doe = z - era * 146'097, yoe = (doe - doe / 1460 + doe / 36'524 - doe / 146'096) / 365,
                       doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153,
                       day = doy - (153 * mp + 2) / 5 + 1, month = mp < 10 ? mp + 3 : mp - 9,
                       year = yoe + era * 400 + (month <= 2 ? 1 : 0);
    set(1, 4, year);
    set(6, 2, month);
    set(9, 2, day);
    set(12, 2, rest / 3'600);
    set(15, 2, rest / 60 % 60);
    set(18, 2, rest % 60);
  }
  set(21, 3, ms);
  name(key);
  put(std::string_view(text, 26));
  return *this;
}

std::uint64_t number_of(InvocationId id) { return static_cast<std::uint64_t>(id); }

void head(Writer& w, std::string_view type, const Stamp& stamp, TimePoint start) {
  w.open('{');
  w.word("t", type).number("seq", stamp.seq).time("time", stamp.wall).millis("at_ms", stamp.at - start);
}

void verdict(Writer& w, const limits::Verdict& v) {
  w.open('{');
  w.text("code", limits::info(v.code).name).flag("enforced", v.enforced);
  w.text_if("limit_key", v.limit_key).text_if("limit", v.limit).text_if("measured", v.measured);
  w.text_if("route", v.route).text_if("file", v.file).text_if("fix", v.fix);
  if (v.provenance != nullptr) {
    const auto& from = *v.provenance;
    w.open("from", '{');
    w.text_if("profile", from.profile).text_if("file", from.file);
    if (from.line != 0) w.number("line", from.line);
    w.text_if("source", from.source)
        .text_if("as_of", from.as_of)
        .text_if("confidence", from.confidence)
        .text_if("note", from.note);
    w.close('}');
  }
  w.close('}');
}

struct Encode {
  Writer& w;
  const Stamp& stamp;
  TimePoint start;

  void operator()(const RunStarted& e) {
    head(w, "run_started", stamp, start);
    w.text("version", e.version)
        .text("url", e.url)
        .text("profile", e.profile)
        .text("profile_as_of", e.profile_as_of);
    w.text_if("app", e.app).text("isolation", e.isolation).real("time_scale", e.time_scale);
  }
  void operator()(const ProfileChanged& e) {
    head(w, "profile_changed", stamp, start);
    w.text("profile", e.profile)
        .text("profile_as_of", e.profile_as_of)
        .text("before", e.before)
        .text("isolation", e.isolation)
        .real("time_scale", e.time_scale);
    if (e.changes.empty()) return;
    w.open("changes", '[');
    for (const ValueChange& c : e.changes) {
      w.open('{');
      w.text("key", c.key).text("from", c.from).text("to", c.to);
      w.close('}');
    }
    w.close(']');
  }
  void operator()(const Deployed& e) {
    head(w, "deployed", stamp, start);
    w.number("deployment", e.deployment).text_if("name", e.name);
    w.number("sockets", e.sockets).number("streams", e.streams).number("requests", e.requests);
  }
  void operator()(const DeploymentMet& e) {
    head(w, "deployment_met", stamp, start);
    w.number("deployment", e.deployment).number("id", number_of(e.id)).masked("target", e.target);
    w.flag("socket", e.socket).word("fate", to_string(e.fate)).millis("stayed_ms", e.stayed);
    if (e.fate == Fate::reconnected) w.millis("took_ms", e.took);
  }
  void operator()(const DeploymentScored& e) {
    head(w, "deployment_scored", stamp, start);
    w.number("deployment", e.deployment).number("sockets", e.sockets).number("streams", e.streams);
    w.number("reconnected", e.reconnected).number("ended", e.ended).number("left", e.left);
    w.number("lost", e.lost).number("open", e.open);
    if (e.reconnected > 0) w.millis("slowest_ms", e.slowest);
  }
  void operator()(const RunStopped& e) {
    head(w, "run_stopped", stamp, start);
    w.text("reason", e.reason).number("exit_code", e.exit_code);
  }
  void operator()(const AppChanged& e) {
    head(w, "app_changed", stamp, start);
    w.word("state", to_string(e.state)).text_if("detail", e.detail);
  }
  void operator()(const InvocationStarted& e) {
    head(w, "invocation_started", stamp, start);
    w.number("id", number_of(e.id))
        .text("request_id", e.request_id)
        .text("method", e.method)
        .masked("target", e.target);
  }
  void operator()(const InvocationRunning& e) {
    head(w, "invocation_running", stamp, start);
    w.number("id", number_of(e.id)).text_if("route", e.route).text_if("file", e.file);
    w.text_if("instance", e.instance).text_if("start", e.start);
    if (e.limit != Duration::zero()) w.millis("limit_ms", e.limit);
  }
  void operator()(const InvocationEnded& e) {
    head(w, "invocation_ended", stamp, start);
    w.number("id", number_of(e.id))
        .text("request_id", e.request_id)
        .text("method", e.method)
        .masked("target", e.target);
    w.word("traffic", to_string(e.traffic)).number("status", e.status);
    w.text_if("route", e.route).text_if("file", e.file).text_if("kind", e.kind).text_if("runtime", e.runtime);
    w.millis("total_ms", e.total).millis("charged_ms", e.charged).millis("compile_ms", e.compile);
    w.text_if("instance", e.instance).text_if("start", e.start);
    if (e.waited != Duration::zero()) w.millis("waited_ms", e.waited);
    if (e.init != Duration::zero()) w.millis("init_ms", e.init);
    if (e.own_requests != Duration::zero()) w.millis("own_requests_ms", e.own_requests);
    if (e.first_byte != Duration::zero()) w.millis("first_byte_ms", e.first_byte);
    if (e.limit != Duration::zero()) w.millis("limit_ms", e.limit);
    w.number("bytes_in", e.bytes_in).number("bytes_out", e.bytes_out);
    w.word("ended_by", to_string(e.outcome.ended_by)).word("phase", to_string(e.outcome.phase));
    if (e.outcome.code != limits::Code::none) w.text("code", limits::info(e.outcome.code).name);
    if (e.client_left) w.flag("client_left", true);
    verdicts(e.verdicts);
  }
  void operator()(const SocketOpened& e) {
    head(w, "socket_opened", stamp, start);
    w.number("id", number_of(e.id)).text("request_id", e.request_id).masked("target", e.target);
    w.text_if("instance", e.instance);
  }
  void operator()(const RouteCompiled& e) {
    head(w, "route_compiled", stamp, start);
    w.text("route", e.route).millis("took_ms", e.took);
  }
  void operator()(const Notice& e) {
    head(w, "notice", stamp, start);
    w.word("level", to_string(e.level))
        .text_if("code", e.code)
        .text("message", e.message)
        .text_if("fix", e.fix);
    w.text_if("file", e.file);
    if (e.line != 0) w.number("line", e.line);
  }
  void operator()(const InstanceChanged& e) {
    head(w, "instance_changed", stamp, start);
    w.text("instance", e.instance).text_if("from", e.from).text("to", e.to);
    w.text_if("function", e.function).text_if("why", e.why).text_if("death", e.death);
    if (e.memory != 0) w.number("memory", e.memory);
    if (e.pid != 0) w.number("pid", e.pid);
    w.text_if("start", e.start).text_if("uncopied", e.uncopied);
  }
  void operator()(const BackgroundWork& e) {
    head(w, "background_work", stamp, start);
    w.number("id", number_of(e.id)).text("request_id", e.request_id);
    w.text_if("route", e.route).text_if("file", e.file).text_if("instance", e.instance);
    verdicts(e.verdicts);
  }
  void operator()(const CommandRun& e) {
    head(w, "command_run", stamp, start);
    w.text("command", e.command).flag("ended", e.ended);
    if (e.ended) w.number("exit_code", e.exit_code);
  }

  void verdicts(std::span<const limits::Verdict> list) {
    if (list.empty()) return;
    w.open("verdicts", '[');
    for (const limits::Verdict& v : list) verdict(w, v);
    w.close(']');
  }
};

}  // namespace

void encode(std::string& out, const Stamp& stamp, const Event& event, TimePoint start) {
  Writer w(out);
  std::visit(Encode{w, stamp, start}, event);
  w.end_line();
}

}  // namespace vsim::event
