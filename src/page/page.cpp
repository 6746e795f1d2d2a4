#include "page/page.hpp"

#include <fmt/format.h>

#include <vector>

#include "base/json_out.hpp"
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
  std::string out;
  {
    JsonOut all(out, '{');
    for (int i = 1; i < static_cast<int>(limits::Code::kCount); ++i) {
      const auto code = static_cast<limits::Code>(i);
      const limits::CodeInfo& info = limits::info(code);
      JsonOut one = all.in(info.name, '{');
      one.text("title", info.title).text("why", info.why).text("fix", info.fix).text("source", info.source);
      one.flag("violation", report::is_violation_code(code));
    }
  }
  return out;
}

std::string extras_of(const report::Run& run, const report::Extras& extras) {
  std::string out;
  {
    JsonOut all(out, '{');
    all.raw("prefix", json_string(extras.prefix)).number("left_out", run.events_left_out);
    {
      JsonOut list = all.in("expected", '[');
      for (const report::Expected& e : extras.expected) {
        JsonOut one = list.item("");
        one.text("code", limits::info(e.code).name).raw("route", json_string(e.route));
        one.raw("file", json_string(e.file)).raw("path", json_string(e.path));
        one.raw("reason", json_string(e.reason));
      }
    }
    JsonOut list = all.in("findings", '[');
    for (const report::StaticFinding& s : extras.findings) {
      JsonOut one = list.item("");
      one.raw("rule", json_string(s.rule)).raw("level", json_string(s.level));
      one.raw("message", json_string(s.message));
      one.text("place", fmt::format("{}{}:{}", extras.prefix, s.file, s.line));
      one.number("struck", report::times_struck(s, run));
    }
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
