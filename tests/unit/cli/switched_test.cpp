// The lines of what is switched, and of deployments; which key is which.
#include <catch2/catch.hpp>
#include <set>
#include <vector>

#include "cli/hotkeys.hpp"
#include "cli/run_keys.hpp"
#include "cli/terminal.hpp"

using namespace vsim;
using namespace vsim::cli;
using namespace std::chrono_literals;

namespace {

std::string line(const event::Event& e, bool quiet = false) {
  std::string out;
  TerminalStyle style;
  style.quiet = quiet;
  format_event(out, e, style);
  return out;
}

}  // namespace

TEST_CASE("Keys: each key of the help does something, and no two the same") {
  const std::string help = hotkeys_help();
  std::set<Hotkey> seen;
  std::size_t lines = 0;
  for (std::size_t at = 0; (at = help.find("\n  ", at)) != std::string::npos; at += 3) {
    const char key = help[at + 3];
    INFO(key);
    CHECK(hotkey_of(key) != Hotkey::none);
    seen.insert(hotkey_of(key));
    ++lines;
  }
  CHECK(lines == 10);
  CHECK(seen.size() == lines);
  CHECK(hotkey_of('x') == Hotkey::none);
}

TEST_CASE("Keys: the time scale goes 1, 2, 5, 10 and again 1, and from any other to the next of these") {
  CHECK(next_time_scale(1) == 2);
  CHECK(next_time_scale(2) == 5);
  CHECK(next_time_scale(5) == 10);
  CHECK(next_time_scale(10) == 1);
  CHECK(next_time_scale(0.5) == 1);
  CHECK(next_time_scale(7) == 10);
  CHECK(next_time_scale(60) == 1);
}

TEST_CASE("Keys: a line that is typed, mended and begun anew") {
  TypedLine line;
  std::string shown;
  const auto type = [&](std::string_view keys) {
    TypedLine::End end = TypedLine::End::not_yet;
    for (const char key : keys) {
      end = line.take(key);
      shown += line.echo();
    }
    return end;
  };
  CHECK(type("xy\x7f\x7f\x7f") == TypedLine::End::not_yet);
  CHECK(shown == "xy\b \b\b \b");
  type("abc\x15");
  CHECK(line.text().empty());
  CHECK(type("duration.default=5 s\xc3\xa4\n") == TypedLine::End::enter);
  CHECK(line.text() == "duration.default=5s");
  CHECK(line.echo() == "\n");
  TypedLine other;
  CHECK(other.take('\r') == TypedLine::End::given_up);
  TypedLine third;
  third.take('a');
  CHECK(third.take('\x04') == TypedLine::End::given_up);
}

TEST_CASE("Terminal: a plan that is switched, key by key") {
  const std::vector<event::ValueChange> changes = {{"compute", "serverless", "fluid"},
                                                   {"duration.default", "10s", "300s"}};
  CHECK(
      line(event::ProfileChanged{"hobby-fluid", "2026-09-20", "hobby", "fluid", 1, changes}) ==
      "plan hobby-fluid (as of 2026-09-20) for requests that come from now on, after hobby; those under way "
      "keep the limits they came under\n"
      "  compute           serverless → fluid\n"
      "  duration.default  10s → 300s\n");
  CHECK(line(event::ProfileChanged{"mine", "2026-09-20", "hobby", "fluid", 1, {}})
            .ends_with("  nothing that is enforced here differs\n"));
  const std::vector<event::ValueChange> scale = {{"time_scale", "1", "2.5"}};
  CHECK(
      line(event::ProfileChanged{"hobby", "2026-09-20", "hobby", "fluid", 2.5, scale}) ==
      "time scale 2.5x for requests that come from now on (limits are divided by it, none below 1 s of real "
      "time; verdicts name the limit as it is)\n");
}

TEST_CASE("Terminal: a deployment, what it met, and its score") {
  using event::Fate;
  CHECK(line(event::Deployed{2, "dpl_vercelsim2", 0, 0, 0}) ==
        "deployment 2: new requests go to it, on fresh instances; nothing is open on the one before\n");
  CHECK(line(event::Deployed{2, "dpl_vercelsim2", 1, 0, 0}) ==
        "deployment 2: new requests go to it, on fresh instances; 1 socket stays on the one before until it "
        "ends\n");
  CHECK(line(event::Deployed{3, "dpl_vercelsim3", 2, 1, 3}) ==
        "deployment 3: new requests go to it, on fresh instances; 2 sockets, 1 stream, 3 requests stay on "
        "the one "
        "before until they end\n");
  const auto met = [](bool socket, Fate fate) {
    return line(event::DeploymentMet{2, InvocationId::none, "/api/x", socket, fate, 12'300ms, 400ms});
  };
  CHECK(met(true, Fate::reconnected) ==
        " deployment 2 WS /api/x came back after 400ms (it had stayed 12.3s on the old one)\n");
  CHECK(met(true, Fate::lost) ==
        " deployment 2 WS /api/x is lost: it was ended, and nobody came back within 10s (it had stayed 12.3s "
        "on "
        "the old one)\n");
  CHECK(met(false, Fate::ended) ==
        " deployment 2 stream /api/x had said all, and nobody asked again (it had stayed 12.3s on the old "
        "one)\n");
  CHECK(
      met(false, Fate::left) ==
      " deployment 2 stream /api/x was closed by its client, which did not come back (it had stayed 12.3s on "
      "the old one)\n");
  CHECK(line(event::DeploymentScored{2, 2, 1, 1, 0, 1, 1, 0, 400ms}) ==
        "deployment 2 met 2 sockets and 1 stream: 1 came back (slowest 400ms), 1 left, 1 lost\n");
  CHECK(line(event::DeploymentScored{2, 0, 1, 0, 0, 0, 0, 1, 0ms}) ==
        "deployment 2 met 0 sockets and 1 stream: 0 came back, 1 still open, 0 lost\n");
  CHECK(line(event::DeploymentScored{2}).empty());
  CHECK(line(event::Deployed{2, "", 1, 0, 0}, true).empty());
}
