// Sources from anywhere, as a pull request brings them: whatever the bytes are, `check` reads them in its
// time and what it finds has a place in them; the renderings hold no control character.
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "check/checker.hpp"
#include "check/render.hpp"
#include "fuzz/require.hpp"
#include "unit/profile/files.hpp"

using namespace vsim;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 16'384) return 0;
  static const profile::Profile hobby = profile::test::must_load("hobby");
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check::Input input;
  input.files["app/api/a/route.ts"] = text;
  input.files["pages/api/b.js"] = text;
  input.files["vercel.json"] = input.files["tsconfig.json"] = input.files["package.json"] = text;
  check::Bounds bounds;
  bounds.elapsed = [begin = std::chrono::steady_clock::now()] {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
  };
  bounds.file = bounds.run = std::chrono::seconds(2);
  const check::Report report = check::check(input, hobby, bounds);
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
