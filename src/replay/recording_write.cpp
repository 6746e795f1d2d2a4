#include <algorithm>

#include "base/json_out.hpp"
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
std::string bytes(std::string_view value) {
  return is_utf8(value) ? json_string(value) : fmt::format(R"({{"base64":"{}"}})", base64(value));
}

std::string header(const RecordedHeader& h) { return fmt::format("[{},{}]", bytes(h.name), bytes(h.value)); }

std::string code_name(limits::Code code) { return fmt::format("\"{}\"", limits::info(code).name); }

void outcome(JsonOut o, const RecordedOutcome& x) {
  o.number("status", x.status);
  if (!x.codes.empty()) o.list("codes", x.codes, code_name);
  o.text("ended_by", to_string(x.ended_by)).text("phase", to_string(x.phase));
  o.text("traffic", to_string(x.traffic)).text("route", x.route).text("file", x.file).text("kind", x.kind);
  const auto ms = [&](std::string_view key, Duration d) { o.ms(key, std::max(d, Duration{})); };
  ms("total_ms", x.total);
  ms("charged_ms", x.charged);
  if (x.left) ms("left_ms", *x.left);
  if (!x.set_cookies.empty()) o.list("set_cookies", x.set_cookies, header);
}

// One line of what `tell` says.
template <class Tell>
void line(std::string& out, std::string_view type, Tell tell) {
  {
    JsonOut o(out, '{');
    o.text("type", type);
    tell(o);
  }
  out += '\n';
}

}  // namespace

void encode(std::string& out, const About& a) {
  line(out, "recording", [&](JsonOut& o) {
    o.number("format", 1).text("version", a.version).text("profile", a.profile);
    o.text("profile_as_of", a.profile_as_of).text("isolation", a.isolation).text("app", a.app);
    o.text("url", a.url).text("build", a.build).number("time_scale", a.time_scale);
    o.number("started_ms", a.started.unix_ms);
  });
}

void encode(std::string& out, const RecordedRequest& r) {
  line(out, "request", [&](JsonOut& o) {
    o.number("n", r.n).ms("at_ms", std::max(r.at, Duration{}));
    o.raw("method", bytes(r.method)).raw("target", bytes(r.target)).list("headers", r.headers, header);
    if (r.upgrade) o.flag("upgrade", true);
    if (r.body.size > 0 || !r.body.whole) {
      o.raw("body", bytes(r.body.bytes)).number("body_size", r.body.size);
      if (!r.body.whole) o.flag("body_whole", false);
    }
    o.text("id", r.id);
    outcome(o.in("outcome", '{'), r.outcome);
  });
}

void encode_later(std::string& out, std::uint64_t n, limits::Code code) {
  line(out, "later", [&](JsonOut& o) {
    o.number("n", n).list("codes", std::initializer_list<limits::Code>{code}, code_name);
  });
}

void encode_end(std::string& out, std::uint64_t requests, std::uint64_t lost) {
  line(out, "end", [&](JsonOut& o) { o.number("requests", requests).number("lost", lost); });
}

}  // namespace vsim::replay
