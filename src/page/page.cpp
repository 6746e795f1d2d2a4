#include "page/page.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "base/text.hpp"
#include "limits/code.hpp"
#include "report/words.hpp"

namespace vsim::page {

std::string_view embedded(std::string_view path);  // page.html, generated
std::vector<std::string_view> embedded_paths();

namespace {

// JSON in a script element: nothing in it may end the element. A '<' stands in strings only.
void append_data(std::string& out, std::string_view id, std::string_view json) {
  out += fmt::format("<script type=\"application/json\" id=\"{}\">", id);
  for (const char c : json) {
    if (c == '<')
      out += "\\u003c";
    else
      out += c;
  }
  out += "</script>\n";
}

// What a code means, for all of them: {"SIM_…":{"title":…,"why":…,"fix":…,"source":…,"violation":true}}
std::string codes() {
  std::string out = "{";
  for (int i = 1; i < static_cast<int>(limits::Code::kCount); ++i) {
    const auto code = static_cast<limits::Code>(i);
    const limits::CodeInfo& info = limits::info(code);
    if (out.size() > 1) out += ',';
    append_json_string(out, info.name);
    out += ":{\"title\":";
    append_json_string(out, info.title);
    out += ",\"why\":";
    append_json_string(out, info.why);
    out += ",\"fix\":";
    append_json_string(out, info.fix);
    out += ",\"source\":";
    append_json_string(out, info.source);
    out += fmt::format(",\"violation\":{}}}", report::is_violation_code(code));
  }
  return out + "}";
}

class Fields {
 public:
  explicit Fields(std::string& out) : out_(out) { out_ += '{'; }
  ~Fields() { out_ += '}'; }
  Fields(const Fields&) = delete;
  Fields& operator=(const Fields&) = delete;
  std::string& name(std::string_view key) { return out_ += fmt::format("{}\"{}\":", first_(), key); }
  Fields& text(std::string_view key, std::string_view value) {
    append_json_string(name(key), value);
    return *this;
  }
  Fields& number(std::string_view key, std::size_t value) {
    name(key) += std::to_string(value);
    return *this;
  }

 private:
  std::string_view first_() { return std::exchange(any_, true) ? "," : ""; }
  std::string& out_;
  bool any_ = false;
};

template <class List, class Tell>
void append_list(std::string& out, const List& list, Tell tell) {
  out += '[';
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (i > 0) out += ',';
    Fields fields(out);
    tell(fields, list[i]);
  }
  out += ']';
}

std::string extras_of(const report::Run& run, const report::Extras& extras) {
  std::string out;
  {
    Fields all(out);
    all.text("prefix", extras.prefix).number("left_out", run.events_left_out);
    append_list(all.name("expected"), extras.expected, [](Fields& f, const report::Expected& e) {
      f.text("code", limits::info(e.code).name).text("route", e.route).text("file", e.file);
      f.text("path", e.path).text("reason", e.reason);
    });
    append_list(all.name("findings"), extras.findings, [&](Fields& f, const report::StaticFinding& s) {
      f.text("rule", s.rule).text("level", s.level).text("message", s.message);
      f.text("place", fmt::format("{}{}:{}", extras.prefix, s.file, s.line));
      f.number("struck", report::times_struck(s, run));
    });
  }
  return out;
}

// The page's text around the place of its data.
std::string with_data(std::string_view data) {
  constexpr std::string_view kPlace = "<!--data-->";
  const std::string_view whole = embedded(embedded_paths().front());
  const std::size_t at = whole.find(kPlace);
  return std::string(whole.substr(0, at)).append(data).append(whole.substr(at + kPlace.size()));
}

}  // namespace

std::string_view live() {
  static const std::string text = [] {
    std::string data;
    append_data(data, "codes", codes());
    return with_data(data);
  }();
  return text;
}

std::string render_html(const report::Run& run, const report::Extras& extras) {
  std::string data;
  append_data(data, "codes", codes());
  append_data(data, "extras", extras_of(run, extras));
  append_data(data, "events", run.events);
  return with_data(data);
}

}  // namespace vsim::page
