#include "page/page.hpp"

#include <fmt/format.h>

#include <vector>

#include "base/text.hpp"
#include "limits/code.hpp"
#include "report/model.hpp"

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

}  // namespace vsim::page
