// What the story of an invocation has beside events: bounded, masked where it is read, and honest about whose
// line a line is.
#include "app/story_notes.hpp"

#include <catch2/catch.hpp>

#include "app/invocation_notes.hpp"

using namespace vsim;
using namespace vsim::app;
using namespace std::chrono_literals;

namespace {

constexpr auto kOne = static_cast<InvocationId>(1);

std::string asked(const StoryNotes& notes, const NotesAsked& what) {
  std::string out(1, '{');
  return out.append(notes_json(notes.picture(), what)).append(1, '}');
}
bool says(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("notes: heads of one invocation, secrets masked, without what vercel-sim tells its agent") {
  StoryNotes notes;
  const http::Header request[] = {{"Host", "localhost", http::Field::host},
                                  {"Cookie", "sid=s3cret", http::Field::cookie},
                                  {"X-Vsim-Id", "s3cret.1", http::Field::x_vsim}};
  const http::Header response[] = {{"Server", "next", http::Field::server}, {"X-Up", "a\"b"}};
  notes.head(Note::Kind::request, kOne, 1ms, request);
  notes.head(Note::Kind::request, static_cast<InvocationId>(2), 2ms, request);
  notes.head(Note::Kind::response, kOne, 3ms, response, "Server: Vercel\r\nX-Vercel-Id: iad1::x\r\n", true);
  CHECK(asked(notes, {1, "i1", {}, {}}) ==
        R"({"request":{"headers":[{"name":"Host","value":"localhost"},{"name":"Cookie","value":"sid=***"}]},)"
        R"("response":{"headers":[{"name":"X-Up","value":"a\"b"},{"name":"Server","value":"Vercel"},)"
        R"({"name":"X-Vercel-Id","value":"iad1::x"}]},"lines":[],"lines_left_out":0,"notes_left_out":0})");
}

TEST_CASE("notes: an answer of the platform is one, and a long head is cut and counted") {
  StoryNotes notes;
  notes.answer(kOne, 1ms, "HTTP/1.1 504 Gateway Timeout\r\nX-Vercel-Error: FUNCTION\r\n\r\nX-Body: no\r\n");
  CHECK(says(asked(notes, {1, "", {}, {}}),
             R"("response":{"headers":[{"name":"X-Vercel-Error","value":"FUNCTION"}]})"));
  const std::string long_value(StoryNotes::kMostHead, 'x');
  const http::Header heavy[] = {{"A", "1"}, {"B", long_value}, {"C", "3"}};
  notes.head(Note::Kind::request, static_cast<InvocationId>(2), 1ms, heavy);
  CHECK(says(asked(notes, {2, "", {}, {}}),
             R"("request":{"headers":[{"name":"A","value":"1"},{"name":"C","value":"3"}],"left_out":1})"));
}

TEST_CASE("notes: lines of its instance while it ran; sure only where nobody else ran there") {
  StoryNotes notes;
  notes.line(9ms, "i1", "before\n", false);
  notes.line(10ms, "i1", "\x1b[31mred\x1b[0m token=s3cret\n", true);
  notes.line(11ms, "i2", "another's", false);
  notes.line(15ms, "", "of next dev", false);
  notes.line(20ms + kPrintedLate, "i1", "late", false);
  notes.line(21ms + kPrintedLate, "i1", "too late", false);
  const Presence ran{10ms, 20ms};
  CHECK(asked(notes, {1, "i1", ran, {}}) ==
        R"({"lines":[{"at_ms":10.000,"text":"red token=***","error":true,"sure":true},)"
        R"({"at_ms":270.000,"text":"late","sure":true}],"lines_left_out":0,"notes_left_out":0})");
  const std::string shared = asked(notes, {1, "i1", ran, {{11ms, kForever}, {0ms, 9ms - kPrintedLate}}});
  CHECK(says(shared, R"("text":"red token=***","error":true,"sure":true)"));
  CHECK(says(shared, R"("text":"late","sure":false)"));
  CHECK(says(asked(notes, {1, "", ran, {}}), R"([{"at_ms":15.000,"text":"of next dev","sure":false}])"));
}

TEST_CASE("notes: the oldest go and are counted, a picture stays what it was") {
  StoryNotes notes;
  notes.line(1ms, "i1", "first", false);
  const NotesPicture before = notes.picture();
  const std::string text(StoryNotes::kMostLine * 2, 'x');
  std::uint64_t told = 1;
  while (notes.picture().left_out == 0 && told < 100'000) {
    notes.line(2ms, "i1", text, false);
    ++told;
  }
  const NotesPicture after = notes.picture();
  std::uint64_t kept = 0;
  std::size_t size = 0, longest = 0;
  each_note(after, [&](const Note& note) {
    ++kept;
    longest = std::max(longest, note.text.size());
  });
  for (const auto& block : after.blocks) size += block->size();
  CHECK(kept + after.left_out == told);
  CHECK(after.left_out > 0);
  CHECK(size <= (StoryNotes::kBlock + StoryNotes::kMostHead) * StoryNotes::kMostBlocks);
  CHECK(longest < StoryNotes::kMostLine + 10);
  std::string first;
  each_note(before, [&](const Note& note) { first = note.text; });
  CHECK(first == "i1 first");
  // More lines than are told: how many is said.
  StoryNotes many;
  for (std::size_t i = 0; i < kMostLines + 5; ++i) many.line(1ms, "i1", "x", false);
  CHECK(says(asked(many, {1, "i1", {0ms, 2ms}, {}}), R"("lines_left_out":5)"));
}
