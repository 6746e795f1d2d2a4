#include <fmt/format.h>

#include "base/text.hpp"
#include "replay/recording.hpp"

namespace vsim::replay {
namespace {

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t n = utf8_length(text);
    if (n == 0) return false;
    text.remove_prefix(n);
  }
  return true;
}

// A string, or what is none as {"base64":…}.
void bytes(std::string& out, std::string_view value) {
  if (is_utf8(value)) return append_json_string(out, value);
  out += "{\"base64\":\"";
  out += base64(value);
  out += "\"}";
}

void millis(std::string& out, Duration d) {
  const auto ns = d.count() < 0 ? 0 : d.count();
  fmt::format_to(std::back_inserter(out), "{}.{:06}", ns / 1'000'000, ns % 1'000'000);
  while (out.back() == '0') out.pop_back();
  if (out.back() == '.') out.pop_back();
}

class Object {
 public:
  Object(std::string& out, bool line) : out_(out), line_(line) { out_ += '{'; }
  ~Object() { out_ += line_ ? "}\n" : "}"; }
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;
  void text(std::string_view key, std::string_view value) {
    if (value.empty()) return;
    name(key);
    append_json_string(out_, value);
  }
  void raw(std::string_view key, std::string_view value) {
    name(key);
    bytes(out_, value);
  }
  template <class Number>
  void number(std::string_view key, Number value) {
    name(key);
    fmt::format_to(std::back_inserter(out_), "{}", value);
  }
  void flag(std::string_view key, bool value) {
    name(key);
    out_ += value ? "true" : "false";
  }
  void ms(std::string_view key, Duration d) {
    name(key);
    millis(out_, d);
  }
  void headers(std::string_view key, const std::vector<RecordedHeader>& list) {
    name(key);
    out_ += '[';
    for (const RecordedHeader& h : list) {
      if (&h != list.data()) out_ += ',';
      out_ += '[';
      bytes(out_, h.name);
      out_ += ',';
      bytes(out_, h.value);
      out_ += ']';
    }
    out_ += ']';
  }
  void codes(std::string_view key, const std::vector<limits::Code>& list) {
    if (list.empty()) return;
    name(key);
    out_ += '[';
    for (const limits::Code& c : list)
      fmt::format_to(std::back_inserter(out_), "{}\"{}\"", &c == list.data() ? "" : ",",
                     limits::info(c).name);
    out_ += ']';
  }
  void name(std::string_view key) {
    fmt::format_to(std::back_inserter(out_), "{}\"{}\":", first_ ? "" : ",", key);
    first_ = false;
  }

 private:
  std::string& out_;
  bool line_, first_ = true;
};

}  // namespace

void encode(std::string& out, const About& a) {
  Object o(out, true);
  o.text("type", "recording");
  o.number("format", 1);
  o.text("version", a.version);
  o.text("profile", a.profile);
  o.text("profile_as_of", a.profile_as_of);
  o.text("isolation", a.isolation);
  o.text("app", a.app);
  o.text("url", a.url);
  o.text("build", a.build);
  o.number("time_scale", a.time_scale);
  o.number("started_ms", a.started.unix_ms);
}

void encode(std::string& out, const RecordedRequest& r) {
  Object o(out, true);
  o.text("type", "request");
  o.number("n", r.n);
  o.ms("at_ms", r.at);
  o.raw("method", r.method);
  o.raw("target", r.target);
  o.headers("headers", r.headers);
  if (r.upgrade) o.flag("upgrade", true);
  if (r.body.size > 0 || !r.body.whole) {
    o.raw("body", r.body.bytes);
    o.number("body_size", r.body.size);
    if (!r.body.whole) o.flag("body_whole", false);
  }
  o.text("id", r.id);
  o.name("outcome");
  Object e(out, false);
  const RecordedOutcome& x = r.outcome;
  e.number("status", x.status);
  e.codes("codes", x.codes);
  e.text("ended_by", to_string(x.ended_by));
  e.text("phase", to_string(x.phase));
  e.text("traffic", to_string(x.traffic));
  e.text("route", x.route);
  e.text("file", x.file);
  e.text("kind", x.kind);
  e.ms("total_ms", x.total);
  e.ms("charged_ms", x.charged);
  if (x.left) e.ms("left_ms", *x.left);
  if (!x.set_cookies.empty()) e.headers("set_cookies", x.set_cookies);
}

void encode_later(std::string& out, std::uint64_t n, limits::Code code) {
  Object o(out, true);
  o.text("type", "later");
  o.number("n", n);
  o.codes("codes", {code});
}

void encode_end(std::string& out, std::uint64_t requests, std::uint64_t lost) {
  Object o(out, true);
  o.text("type", "end");
  o.number("requests", requests);
  o.number("lost", lost);
}

}  // namespace vsim::replay
