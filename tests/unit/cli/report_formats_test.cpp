// Every row of the formats of reports: a new one is held to this without a line of its own.
#include "cli/report_formats.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>

#include "unit/limits/golden.hpp"
#include "unit/report/sample.hpp"

using namespace vsim;
using namespace vsim::cli;
using report::test::extras;
using report::test::Sample;

TEST_CASE("each format of reports, as published") {
  const Sample sample;
  for (const Format& f : formats())
    if (f.option != "--html")  // the page is tested for itself
      vsim::test::check_golden("report/report." + std::string(f.option.substr(2)),
                               f.render(sample.live(), {}));
}

TEST_CASE("no format of reports shows a secret or bytes that are not UTF-8, and each is in docs/reports.md") {
  const Sample sample;
  std::ifstream in(VSIM_SOURCE_DIR "/docs/reports.md");
  const std::string docs(std::istreambuf_iterator<char>(in), {});
  for (const Format& f : formats()) {
    CAPTURE(f.option);
    const std::string out = f.render(sample.live(), extras());
    CHECK(out.find("s3cret") == std::string::npos);
    CHECK(out.find('\xff') == std::string::npos);
    CHECK(docs.find("\n## " + std::string(f.title)) != std::string::npos);
    // What we wrote, we may write again (output_file.hpp).
    if (!f.value.empty()) CHECK(out.substr(0, 4096).find(f.ours) != std::string::npos);
  }
}
