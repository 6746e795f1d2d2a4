// Sources from anywhere, as a pull request brings them: whatever the bytes are, `check` reads them in its
// time and what it finds has a place in them; the renderings hold no control character. An input is one text
// for several kinds of files, or a project whose files begin with "// file: path", as the rules' own examples
// are.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "check/checker.hpp"
#include "check/render.hpp"
#include "fuzz/require.hpp"
#include "unit/profile/files.hpp"

using namespace vsim;

namespace {

check::Input project(std::string_view text) {
  constexpr std::string_view kMark = "// file: ";
  check::Input input;
  if (!text.starts_with(kMark)) {
    for (const char* name :
         {"app/api/a/route.ts", "pages/api/b.js", "vercel.json", "tsconfig.json", "package.json"})
      input.files[name] = text;
    return input;
  }
  while (!text.empty()) {
    text.remove_prefix(kMark.size());
    const std::size_t name = std::min(text.find('\n'), text.size());
    const std::size_t next = text.find("\n// file: ", name);
    const std::size_t end = next == std::string_view::npos ? text.size() : next + 1;
    if (name > 0)
      input.files[std::string(text.substr(0, name))] =
          text.substr(std::min(name + 1, end), end - std::min(name + 1, end));
    text.remove_prefix(end);
  }
  return input;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 16'384) return 0;
  static const profile::Profile hobby = profile::test::must_load("hobby");
  static check::Queries queries;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const check::Input input = project(text);
  check::Bounds bounds;
  bounds.elapsed = [begin = std::chrono::steady_clock::now()] {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
  };
  bounds.file = bounds.run = std::chrono::seconds(2);
  const check::Report report = check::check(input, hobby, bounds, &queries);
  for (const check::Finding& f : report.findings) {
    require(input.files.contains(f.file), "a finding in no file");
    require(f.line >= 0 && f.column >= 0 && f.length >= 1, "a place that is none");
  }
  const check::RenderOptions options{"", "hobby"};
  for (const char c : check::render_text(report, options))
    require(c == '\n' || c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f),
            "a control character");
  (void)check::render_json(report, options);
  (void)check::render_sarif(report, options);
  (void)check::render_github(report, options);
  return 0;
}
