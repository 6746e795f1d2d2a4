// Any bytes as a vercel-sim.yaml, which a project brings along: nothing crashes or hangs; what is read
// without a word can be used as it is, and is read alike twice; what is said of it has a place in it and no
// control character.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/project_config.hpp"
#include "fuzz/require.hpp"
#include "profile/schema.hpp"

using namespace vsim;

namespace {

struct Read {
  cli::TestOptions test;
  cli::ProjectConfig config;
  std::vector<profile::Diagnostic> problems;
};

Read read(std::string_view text) {
  Read out;
  out.config = cli::read_project_config("vercel-sim.yaml", "/project", text, out.test, out.problems);
  return out;
}

void said(const std::vector<profile::Diagnostic>& problems, int lines) {
  for (const profile::Diagnostic& d : problems)
    require(d.line >= 1 && d.line <= lines && d.col >= 1 && d.caret_length >= 1, "a place that is none");
  for (const char c : profile::to_string(problems))
    require(c == '\n' || c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f),
            "a control character");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 65'536) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Read one = read(text);
  int lines = 2;  // what is missing at the end is told behind it
  for (const char c : text) lines += c == '\n' || c == '\r' ? 1 : 0;
  said(one.problems, lines);
  const Read other = read(text);
  require(profile::to_string(one.problems) == profile::to_string(other.problems) &&
              one.config.expect.size() == other.config.expect.size() &&
              one.test.run.set == other.test.run.set,
          "read otherwise when it is read again");
  if (!one.problems.empty()) return 0;
  for (const auto& [name, value] : one.test.run.set) {
    const profile::Key* key = profile::find_key(name);
    profile::Profile probe;
    require(key != nullptr && !profile::assign(probe, *key, value, {}), "a limit that is none");
  }
  for (const cli::Expectation& e : one.config.expect)
    require(e.code != limits::Code::none && !e.route.empty() && e.line >= 1, "an entry that means nothing");
  cli::Expectations meant(std::move(one.config.expect));
  (void)meant.match(limits::Code::function_invocation_timeout, "/api/slow", "app/api/slow/route.ts:3",
                    "/api/slow");
  require(meant.stale().size() <= meant.size(), "more that never matched than there are");
  return 0;
}
