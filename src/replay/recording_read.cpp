#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <unordered_map>

#include "event/json_value.hpp"
#include "replay/recording.hpp"

namespace vsim::replay {
namespace {

using event::JsonValue;
using Type = JsonValue::Type;

constexpr std::string_view kBegin = "{\"type\":\"recording\"";
// All that a run left that ended before it began, up to version 0.1.0.
constexpr std::string_view kEndOnly = "{\"type\":\"end\",\"requests\":0,";

bool is_token(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kMarks.find(c) != std::string_view::npos;
  });
}
// What a recording gives is written into a request head: nothing may end a line or a word of it.
bool is_value(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return (u < 0x20 && c != '\t') || u == 0x7f;
  });
}
bool is_target(std::string_view text) {
  return (text.starts_with('/') || text == "*") && std::none_of(text.begin(), text.end(), [](char c) {
           return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f;
         });
}

template <class E>
bool find_word(std::string_view text, E last, E& out) {
  for (int i = 0; i <= static_cast<int>(last); ++i) {
    if (to_string(static_cast<E>(i)) != text) continue;
    out = static_cast<E>(i);
    return true;
  }
  return false;
}

// The members of one object; remembers the first thing that is wrong and where.
class Reader {
 public:
  struct Problem {
    std::size_t at = 0;
    std::string text;
    explicit operator bool() const { return !text.empty(); }
  };
  Reader(const JsonValue& object, std::string path, Problem& problem)
      : object_(object), path_(std::move(path)), problem_(problem) {}

  // False: it is not there, or wrong.
  bool text(std::string_view key, std::string& out, bool required = false) {
    const JsonValue* v = get(key, Type::string, "a string", required);
    if (v != nullptr) out = v->text;
    return v != nullptr;
  }
  // A string or {"base64":…}.
  bool bytes(std::string_view key, std::string& out, bool required = false) {
    const JsonValue* v = find(key, required, "a string or {\"base64\":…}");
    return v != nullptr && bytes_of(*v, key, out);
  }
  bool flag(std::string_view key, bool& out) {
    const JsonValue* v = get(key, Type::boolean, "true or false", false);
    if (v != nullptr) out = v->boolean;
    return v != nullptr;
  }
  template <class Int>
  bool number(std::string_view key, Int& out, bool required = false) {
    constexpr std::string_view kWhat = "a whole number";
    const JsonValue* v = get(key, Type::number, kWhat, required);
    if (v == nullptr) return false;
    const char* end = v->text.data() + v->text.size();
    const auto read = std::from_chars(v->text.data(), end, out);
    return (read.ec == std::errc() && read.ptr == end) || wrong(*v, key, kWhat);
  }
  bool millis(std::string_view key, Duration& out, bool required = false) {
    // A year: beyond it the sum of two would not fit.
    constexpr double kMost = 366.0 * 24 * 3600 * 1000;
    constexpr std::string_view kWhat = "milliseconds, not negative, at most a year";
    const JsonValue* v = get(key, Type::number, kWhat, required);
    if (v == nullptr) return false;
    double ms = 0;
    const char* end = v->text.data() + v->text.size();
    const auto read = std::from_chars(v->text.data(), end, ms);
    if (read.ec != std::errc() || read.ptr != end || !(ms >= 0) || ms > kMost) return wrong(*v, key, kWhat);
    out = Duration(static_cast<Duration::rep>(std::llround(ms * 1e6)));
    return true;
  }
  bool headers(std::string_view key, std::vector<RecordedHeader>& out, bool required) {
    constexpr std::string_view kWhat = "a list of [name, value]";
    const JsonValue* v = get(key, Type::array, kWhat, required);
    if (v == nullptr) return false;
    for (const JsonValue& item : v->items) {
      if (item.type != Type::array || item.items.size() != 2) return wrong(item, key, "[name, value]");
      RecordedHeader h;
      if (!bytes_of(item.items[0], key, h.name) || !bytes_of(item.items[1], key, h.value)) return false;
      if (!is_token(h.name)) return wrong(item.items[0], key, "the name of a header");
      if (!is_value(h.value)) return wrong(item.items[1], key, "the value of a header, without line breaks");
      out.push_back(std::move(h));
    }
    return true;
  }
  bool codes(std::vector<limits::Code>& out) {
    const JsonValue* v = get("codes", Type::array, "a list of codes", false);
    if (v == nullptr) return false;
    for (const JsonValue& item : v->items) {
      const limits::Code code = item.type == Type::string ? limits::find_code(item.text) : limits::Code::none;
      if (code == limits::Code::none)
        return wrong(item, "codes", "a code of this version, such as FUNCTION_INVOCATION_TIMEOUT");
      if (std::find(out.begin(), out.end(), code) == out.end()) out.push_back(code);
    }
    return true;
  }
  template <class E>
  void word(std::string_view key, E last, E& out) {
    std::string text_of;
    if (!text(key, text_of)) return;
    if (find_word(text_of, last, out)) return;
    std::string all;
    for (int i = 0; i <= static_cast<int>(last); ++i)
      all += (i == 0 ? "one of " : ", ") + std::string(to_string(static_cast<E>(i)));
    wrong(*object_.find(key), key, all);
  }
  const JsonValue* object(std::string_view key) { return get(key, Type::object, "an object", true); }
  bool wrong(std::string_view key, std::string_view expected) {
    const JsonValue* v = object_.find(key);
    return wrong(v != nullptr ? *v : object_, key, expected);
  }

 private:
  const JsonValue* find(std::string_view key, bool required, std::string_view expected) {
    const JsonValue* v = object_.find(key);
    if (v == nullptr && required) wrong(object_, key, expected);
    return v;
  }
  const JsonValue* get(std::string_view key, Type type, std::string_view expected, bool required) {
    const JsonValue* v = find(key, required, expected);
    if (v != nullptr && v->type != type) {
      wrong(*v, key, expected);
      return nullptr;
    }
    return v;
  }
  bool bytes_of(const JsonValue& v, std::string_view key, std::string& out) {
    if (v.type == Type::string) {
      out = v.text;
      return true;
    }
    const JsonValue* coded = v.type == Type::object ? v.find("base64") : nullptr;
    if (coded == nullptr || coded->type != Type::string) return wrong(v, key, "a string or {\"base64\":…}");
    auto decoded = unbase64(coded->text);
    if (!decoded) return wrong(*coded, key, "base64 with its padding");
    out = std::move(*decoded);
    return true;
  }
  bool wrong(const JsonValue& v, std::string_view key, std::string_view expected) {
    if (!problem_) problem_ = {v.at, fmt::format("{}.{}: expected {}", path_, key, expected)};
    return false;
  }

  const JsonValue& object_;
  std::string path_;
  Problem& problem_;
};

class Lines {
 public:
  Lines(std::string_view text, std::string_view name) : text_(text), name_(name) {}

  Result<Recording> read() {
    while (!text_.empty() && !failure_) {
      const std::size_t end = text_.find('\n');
      std::string_view line = text_.substr(0, end);
      ++line_;
      const bool whole = end != std::string_view::npos;
      text_.remove_prefix(whole ? end + 1 : text_.size());
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (line_ == 1 && !whole) break;
      if (!whole || line.find_first_not_of(" \t") == std::string_view::npos) continue;  // cut short, or empty
      if (!take(line)) break;
    }
    if (failure_) return *failure_;
    if (!begun_)
      return Error{fmt::format("{}: expected a recording; this is none, or an empty one", name_),
                   "record one: vercel-sim run --record FILE"};
    std::stable_sort(out_.requests.begin(), out_.requests.end(),
                     [](const RecordedRequest& a, const RecordedRequest& b) {
                       return a.at != b.at ? a.at < b.at : a.n < b.n;
                     });
    return std::move(out_);
  }

 private:
  bool fail(std::size_t at, std::string_view why) {
    failure_ = Error{fmt::format("{}:{}:{}: {}", name_, line_, at + 1, why),
                     "the file must be as --record wrote it"};
    return false;
  }

  bool take(std::string_view line) {
    std::size_t at = 0;
    const auto value = event::parse_json(line, &at);
    if (!value) {
      std::string_view why = value.error().message;
      return fail(at, why.substr(0, why.rfind(" at byte ")));
    }
    if (value->type != Type::object) return fail(value->at, "expected an object");
    const JsonValue* type = value->find("type");
    const std::string word = type != nullptr && type->type == Type::string ? type->text : "";
    if (!begun_ && word != "recording")
      return fail(value->at, "expected the first line of a recording, {\"type\":\"recording\",…}");
    Reader::Problem problem;
    if (word == "recording" && !begun_)
      begin(Reader(*value, "recording", problem));
    else if (word == "request")
      request(Reader(*value, "request", problem), problem);
    else if (word == "later")
      later(Reader(*value, "later", problem));
    else if (word == "end")
      end(Reader(*value, "end", problem));
    else
      return fail(type != nullptr ? type->at : value->at, "type: expected one of request, later, end");
    return !problem || fail(problem.at, problem.text);
  }

  void begin(Reader r) {
    begun_ = true;
    int format = 0;
    if (r.number("format", format, true) && format != 1) r.wrong("format", "1, the format of this version");
    About& a = out_.about;
    r.text("version", a.version);
    r.text("profile", a.profile);
    r.text("profile_as_of", a.profile_as_of);
    r.text("isolation", a.isolation);
    r.text("app", a.app);
    r.text("url", a.url, true);
    r.text("build", a.build);
    if (r.number("time_scale", a.time_scale) && !(a.time_scale > 0 && a.time_scale <= 1000))
      r.wrong("time_scale", "a factor above 0 and up to 1000");
    r.number("started_ms", a.started.unix_ms);
    if (!a.url.starts_with("http://") && !a.url.starts_with("https://"))
      r.wrong("url", "an http or https origin");
  }

  void request(Reader r, Reader::Problem& problem) {
    RecordedRequest q;
    if (r.number("n", q.n, true) && !known_.try_emplace(q.n, out_.requests.size()).second)
      r.wrong("n", "a number that no other request has");
    r.millis("at_ms", q.at, true);
    if (r.bytes("method", q.method, true) && !is_token(q.method)) r.wrong("method", "an HTTP method");
    if (r.bytes("target", q.target, true) && !is_target(q.target))
      r.wrong("target", "a path and query that begin with /, without spaces and control characters");
    r.headers("headers", q.headers, true);
    r.flag("upgrade", q.upgrade);
    r.bytes("body", q.body.bytes);
    q.body.size = q.body.bytes.size();
    r.number("body_size", q.body.size);
    r.flag("body_whole", q.body.whole);
    if (q.body.whole && q.body.size != q.body.bytes.size()) r.wrong("body_size", "the size of the body");
    r.text("id", q.id);
    if (const JsonValue* o = r.object("outcome")) outcome(Reader(*o, "request.outcome", problem), q.outcome);
    out_.requests.push_back(std::move(q));
  }

  static void outcome(Reader r, RecordedOutcome& x) {
    if (r.number("status", x.status, true) && x.status != 0 && (x.status < 100 || x.status > 999))
      r.wrong("status", "0 or an HTTP status");
    r.codes(x.codes);
    r.word("ended_by", event::EndedBy::emulator, x.ended_by);
    r.word("phase", event::Phase::tunnel, x.phase);
    r.word("traffic", event::Traffic::socket, x.traffic);
    r.text("route", x.route);
    r.text("file", x.file);
    r.text("kind", x.kind);
    r.millis("total_ms", x.total, true);
    r.millis("charged_ms", x.charged);
    if (Duration left{}; r.millis("left_ms", left)) x.left = left;
    r.headers("set_cookies", x.set_cookies, false);
  }

  void later(Reader r) {
    std::uint64_t n = 0;
    if (!r.number("n", n, true)) return;
    std::vector<limits::Code> of_nobody;  // of a request that was lost
    const auto found = known_.find(n);
    r.codes(found != known_.end() ? out_.requests[found->second].outcome.codes : of_nobody);
  }

  void end(Reader r) {
    out_.ended = true;
    r.number("lost", out_.lost);
  }

  std::string_view text_, name_;
  std::size_t line_ = 0;
  bool begun_ = false;
  Recording out_;
  std::unordered_map<std::uint64_t, std::size_t> known_;
  std::optional<Error> failure_;
};

}  // namespace

bool looks_like_recording(std::string_view beginning) {
  return beginning.starts_with(kBegin) || beginning.starts_with(kEndOnly);
}

Result<Recording> read_recording(std::string_view text, std::string_view name) {
  return Lines(text, name).read();
}

}  // namespace vsim::replay
