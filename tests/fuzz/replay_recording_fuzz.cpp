// Recordings from anywhere: whatever the bytes are, they are read or refused with a place; what is read is
// written and read again the same, and gives no head with a line more than it should have.
//   mkdir corpus && replay_recording_fuzz -max_total_time=60 corpus tests/fuzz/seeds/replay_recording
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/require.hpp"
#include "replay/compare.hpp"
#include "replay/recording.hpp"
#include "replay/resend.hpp"
#include "replay/schedule.hpp"

using namespace vsim;
using namespace vsim::replay;

namespace {

std::string written(const Recording& recording) {
  std::string out;
  encode(out, recording.about);
  for (const RecordedRequest& r : recording.requests) encode(out, r);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto got = read_recording(text, "r");
  if (!got) {
    require(got.error().message.starts_with("r:"), "an error without the file's name");
    return 0;
  }
  const std::string once = written(*got);
  const auto again = read_recording(once, "r");
  require(again.ok(), "what was written cannot be read");
  require(written(*again) == once, "written again it differs");

  const Destination to{"http://localhost:1", got->about.build};
  Cookies cookies(got->requests);
  std::vector<Span> spans;
  std::vector<Met> met;
  for (std::size_t i = 0; i < got->requests.size(); ++i) {
    const RecordedRequest& r = got->requests[i];
    (void)obstacle(r, got->about, to);
    std::string cookie;
    for (const RecordedHeader& h : r.headers) cookie += h.value;
    const std::string head = head_of(r, got->about, to, cookies.field(i, cookie).value, "0");
    std::size_t lines = 0;
    for (std::size_t at = 0; (at = head.find('\n', at)) != std::string::npos; ++at) ++lines;
    require(lines <= r.headers.size() + 6, "a header line too many");
    cookies.answered(i, r.outcome.set_cookies);
    (void)body_of(r);
    spans.push_back({r.at, r.end()});
    met.push_back({i % 2 == 0 ? std::optional(r.outcome) : std::nullopt, "why", {}});
  }
  std::vector<Replayed> all;
  all.push_back(make_replayed(*got, "hobby", std::move(met)));
  (void)render_comparison(*got, all[0]);
  (void)render_table(*got, all);
  (void)render_json(*got, all);

  Schedule schedule(spans);
  TimePoint now{};
  std::vector<std::size_t> running;
  while (!schedule.done()) {
    while (const auto i = schedule.take(now)) running.push_back(*i);
    if (const auto next = schedule.next()) {
      now = *next;
    } else {
      require(!running.empty(), "a schedule that stands still");
      schedule.ended(running.back(), now);
      running.pop_back();
    }
    if (schedule.next() == std::nullopt && running.empty()) break;
  }
  require(schedule.done(), "a schedule without an end");
  return 0;
}
