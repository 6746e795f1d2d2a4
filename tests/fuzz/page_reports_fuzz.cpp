// Events files from anywhere, as `report` reads them: each report is well formed whatever the words in it
// are. No control character on a terminal, one command a line for GitHub, no end of the page's script.
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/require.hpp"
#include "page/page.hpp"
#include "report/collector.hpp"
#include "report/render.hpp"

using namespace vsim;

namespace {

std::size_t count(std::string_view text, std::string_view what) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string_view::npos; at += what.size()) ++n;
  return n;
}

void no_controls(std::string_view text, const char* what) {
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    require((u >= 0x20 && u != 0x7f) || u == '\n' || u == '\t', what);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 65'536) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto got = report::read_events(text, "e", true);
  if (!got) {
    require(got.error().message.starts_with("e"), "an error without the file's name");
    return 0;
  }
  const report::Run& run = got->run;
  no_controls(report::render_text(run), "a control character on the terminal");
  no_controls(report::render_junit(run), "a control character in XML");
  no_controls(report::render_json(run), "a control character in JSON");
  no_controls(report::render_sarif(run), "a control character in SARIF");
  const std::string markdown = report::render_markdown(run), commands = report::render_github(run);
  no_controls(markdown, "a control character in the summary");
  require(count(markdown, "<script") == 0, "a script in the summary");
  for (std::string_view rest = commands; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    require(line.starts_with("::error ") || line.starts_with("::warning ") || line.starts_with("::notice "),
            "a line that is no command of ours");
  }
  const std::string html = page::render_html(run);
  static const std::size_t scripts = count(page::render_html({}), "<script"),
                           ends = count(page::render_html({}), "</script");
  require(count(html, "<script") == scripts && count(html, "</script") == ends, "another script in the page");
  return 0;
}
