// OTLP/JSON (opentelemetry-proto, ExportTraceServiceRequest; ids as hex, 64-bit numbers as text): a trace for
// each invocation, its phases as spans below it, and what was said of it afterwards. The ids follow from the
// invocation's own, so that what is told later finds its trace, whenever that was sent. Names of attributes
// are those of OpenTelemetry's semantic conventions where it has one.
#include <algorithm>
#include <span>

#include "base/hash.hpp"
#include "base/json_out.hpp"
#include "report/words.hpp"

namespace vsim::report {
namespace {

constexpr int kInternal = 1, kServer = 2;  // SpanKind
constexpr int kError = 2;                  // StatusCode

std::string attribute(std::string_view key, std::string_view type, std::string_view value) {
  return fmt::format(R"({{"key":{},"value":{{"{}":{}}}}})", json_string(key), type, value);
}

// A list of attributes; an empty text is left out.
class Attributes {
 public:
  Attributes& text(std::string_view key, std::string_view value) {
    return value.empty() ? *this : add(attribute(key, "stringValue", json_string(value)));
  }
  Attributes& integer(std::string_view key, std::uint64_t value) {
    return add(attribute(key, "intValue", fmt::format("\"{}\"", value)));
  }
  Attributes& real(std::string_view key, std::string_view value) {
    return add(attribute(key, "doubleValue", value));
  }
  Attributes& flag(std::string_view key, bool value) {
    return add(attribute(key, "boolValue", value ? "true" : "false"));
  }
  std::string list() const { return "[" + out_ + "]"; }

 private:
  Attributes& add(std::string_view one) {
    if (!out_.empty()) out_ += ',';
    out_ += one;
    return *this;
  }
  std::string out_;
};

struct SpanPart {
  std::string_view name;
  Duration from{}, length{};
};

// In their order and without gaps, as the page shows them (src/page/story.mjs); of what ran nowhere, what is
// known.
std::vector<SpanPart> phases(const InvocationRecord& i) {
  std::vector<SpanPart> out;
  Duration at{};
  const auto until = [&](std::string_view name, Duration end) {
    end = std::clamp(end, at, i.total);
    if (end > at) out.push_back({name, at, end - at});
    at = end;
  };
  const Duration begins = std::clamp(i.handler.value_or(i.total), Duration{}, i.total);
  const Duration known = std::min(i.compile + i.waited + (i.handler ? i.init : Duration{}), begins);
  if (i.handler) until("edge and routing", begins - known);
  until("compile", std::min(at + i.compile, begins));
  until("waits for an instance", std::min(at + i.waited, begins));
  if (!i.handler) return out;
  until("evaluates its modules", begins);
  until("handler", i.first_byte > begins ? i.first_byte : i.total);
  until("response", i.total);
  return out;
}

bool is_error(const InvocationRecord& i) {
  using event::EndedBy;
  return i.outcome.ended_by == EndedBy::platform || i.outcome.ended_by == EndedBy::app || i.status >= 500;
}

std::string attributes_of(const InvocationRecord& i, const Extras& extras) {
  Attributes a;
  const std::size_t question = i.target.find('?');
  a.text("http.request.method", i.method).text("url.path", std::string_view(i.target).substr(0, question));
  if (question != std::string::npos) a.text("url.query", std::string_view(i.target).substr(question + 1));
  a.text("http.route", i.route);
  if (i.status != 0) a.integer("http.response.status_code", static_cast<std::uint64_t>(i.status));
  a.integer("http.request.body.size", i.bytes_in).integer("http.response.body.size", i.bytes_out);
  a.text("faas.trigger", "http").text("faas.invocation_id", i.request_id).text("faas.instance", i.instance);
  if (!i.start.empty()) a.flag("faas.coldstart", i.start != "warm");
  if (!i.file.empty()) a.text("code.file.path", extras.prefix + i.file);
  if (i.outcome.code != limits::Code::none) a.text("error.type", limits::info(i.outcome.code).name);
  a.text("vercel_sim.kind", i.kind).text("vercel_sim.traffic", to_string(i.traffic));
  a.text("vercel_sim.start", i.start).text("vercel_sim.ended_by", to_string(i.outcome.ended_by));
  a.text("vercel_sim.phase", to_string(i.outcome.phase))
      .real("vercel_sim.charged_ms", exact_millis(i.charged));
  if (i.client_left) a.flag("vercel_sim.client_left", true);
  return a.list();
}

class Traces {
 public:
  Traces(const Run& run, const Extras& extras, JsonOut& list) : run_(run), extras_(extras), list_(list) {}

  void add(const InvocationRecord& i) {
    std::uint64_t id = begin(i.id, i.request_id);
    const std::string root = fmt::format("{:016x}", id);
    {
      JsonOut one = list_.item();
      const std::string& path = i.route.empty() ? i.target.substr(0, i.target.find('?')) : i.route;
      span(one, root, {}, i.method.empty() ? path : i.method + " " + path, kServer, i.began, i.total);
      one.raw("attributes", attributes_of(i, extras_));
      problems(one, std::span(i.problems).first(i.said_in_time), i.began + i.total);
      if (is_error(i)) one.raw("status", fmt::format(R"({{"code":{}}})", kError));
    }
    for (const SpanPart& p : phases(i)) {
      id = fnv1a(p.name, id);
      JsonOut one = list_.item();
      span(one, fmt::format("{:016x}", id), root, p.name, kInternal, i.began + p.from, p.length);
    }
  }
  // A moment after the invocation's end.
  void add(const LateWord& late) {
    constexpr std::string_view kName = "left running after the response";
    const std::uint64_t root = begin(late.id, late.request_id);
    const std::uint64_t id = fnv1a(std::to_string(late.at.count()), fnv1a(kName, root));
    JsonOut one = list_.item();
    span(one, fmt::format("{:016x}", id), fmt::format("{:016x}", root), kName, kInternal, late.at, {});
    Attributes a;
    a.text("http.route", late.route).text("faas.instance", late.instance);
    one.raw("attributes", a.list());
    problems(one, late.problems, late.at);
    if (std::any_of(late.problems.begin(), late.problems.end(),
                    [&](std::size_t p) { return is_violation(run_.problems[p]); }))
      one.raw("status", fmt::format(R"({{"code":{}}})", kError));
  }

 private:
  // Its trace; the number of the invocation's own span.
  std::uint64_t begin(InvocationId id, std::string_view request_id) {
    const std::string own =
        id == InvocationId::none ? std::string(request_id) : std::to_string(static_cast<std::uint64_t>(id));
    // What differs stands in front: what follows mixes it into every digit.
    const std::string key = fmt::format("{}/{}/{}/{}", own, run_.started.unix_ms, run_.url, run_.app);
    const std::uint64_t high = fnv1a(key), low = fnv1a(key, high);
    trace_ = fmt::format("{:016x}{:016x}", high, low);
    return fnv1a(key, low);
  }
  std::string nanoseconds(Duration at) const {
    return fmt::format("\"{}\"", run_.started.unix_ms * 1'000'000 + at.count());
  }
  void span(JsonOut& o, std::string_view id, std::string_view parent, std::string_view name, int kind,
            Duration from, Duration length) const {
    o.text("traceId", trace_).text("spanId", id).text("parentSpanId", parent).text("name", name);
    o.number("kind", kind).raw("startTimeUnixNano", nanoseconds(from));
    o.raw("endTimeUnixNano", nanoseconds(from + length));
  }
  void problems(JsonOut& o, std::span<const std::size_t> said, Duration at) const {
    if (said.empty()) return;
    JsonOut list = o.in("events", '[');
    for (const std::size_t index : said) {
      const Problem& p = run_.problems[index];
      JsonOut one = list.item();
      one.raw("timeUnixNano", nanoseconds(at)).text("name", code_name(p));
      Attributes a;
      a.text("vercel_sim.message", message_of(p)).text("vercel_sim.fix", fix_of(p));
      a.text("vercel_sim.place", file_of(p, extras_)).flag("vercel_sim.violation", is_violation(p));
      one.raw("attributes", a.list());
    }
  }

  const Run& run_;
  const Extras& extras_;
  JsonOut& list_;
  std::string trace_;
};

}  // namespace

std::string render_otlp(const Run& run, const Extras& extras) {
  std::string text;
  {
    JsonOut o(text, '{');
    JsonOut resources = o.in("resourceSpans", '[');
    JsonOut resource = resources.item();
    Attributes about;
    about.text("service.name", "vercel-sim").text("service.version", run.version);
    about.text("vercel_sim.profile", run.profile).text("vercel_sim.isolation", run.isolation);
    resource.raw("resource", fmt::format(R"({{"attributes":{}}})", about.list()));
    JsonOut scopes = resource.in("scopeSpans", '[');
    JsonOut scope = scopes.item();
    scope.raw("scope", fmt::format(R"({{"name":"vercel-sim","version":{}}})", json_string(run.version)));
    JsonOut list = scope.in("spans", '[');
    Traces traces(run, extras, list);
    for (const InvocationRecord& i : run.calls) traces.add(i);
    for (const LateWord& late : run.late_words) traces.add(late);
  }
  return text + "\n";
}

}  // namespace vsim::report
