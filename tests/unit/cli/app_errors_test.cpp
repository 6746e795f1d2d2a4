#include "cli/app_errors.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using vsim::app::OutputLine;
using vsim::cli::AppErrors;

namespace {

std::string shown(const std::vector<OutputLine>& lines) {
  AppErrors errors;
  std::string out;
  for (const OutputLine& line : lines)
    if (errors.shows(line)) out += line.text;
  return out;
}

}  // namespace

TEST_CASE("AppErrors: an error of Next in a terminal, with its stack and its code frame") {
  CHECK(shown({{"   ▲ Next.js 16.2.12 (Turbopack)\n"},
               {" ✓ Ready in 612ms\n"},
               {"\x1b[31m⨯\x1b[39m Error: no such room\n"},
               {"    at GET (app/api/room/route.ts:7:9)\n"},
               {"  5 |   const room = rooms.get(id);\n"},
               {"> 7 |   throw new Error('no such room');\n"},
               {"\n"},
               {"  digest: '123'\n"},
               {"}\n"},
               {" ○ Compiling /api/other ...\n"},
               {"hello from the app\n"},
               {" ⚠ metadataBase is not set\n"}}) ==
        "\x1b[31m⨯\x1b[39m Error: no such room\n"
        "    at GET (app/api/room/route.ts:7:9)\n"
        "  5 |   const room = rooms.get(id);\n"
        "> 7 |   throw new Error('no such room');\n"
        "\n"
        "  digest: '123'\n"
        "}\n");
}

TEST_CASE("AppErrors: what an instance writes to standard error, but no warning") {
  CHECK(shown({{"[i1] GET handled\n"},
               {"[i1] payment failed for order 7\n", true},
               {"[i1] (node:41) [DEP0040] DeprecationWarning: punycode\n", true},
               {"[i1] (Use `node --trace-deprecation ...` to show where)\n", true},
               {"[i2] TypeError [ERR_INVALID_URL]: Invalid URL\n"},
               {"[i1] not of it\n"},
               {"[i2]     at new URL (node:internal/url:797:36)\n"},
               {"[i2] Errors: none\n"}}) ==
        "[i1] payment failed for order 7\n"
        "[i2] TypeError [ERR_INVALID_URL]: Invalid URL\n"
        "[i2]     at new URL (node:internal/url:797:36)\n");
}
