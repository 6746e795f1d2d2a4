#include "project/sources.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <condition_variable>
#include <mutex>

#include <fmt/format.h>

#include "project/watcher.hpp"
#include "temp_tree.hpp"

using namespace vsim::project;
using namespace vsim::routes;
using namespace std::chrono_literals;

namespace {

// Collects snapshots from the index's thread; a test waits for the one it needs.
class Inbox {
 public:
  SourceIndex::Callback callback() {
    return [this](std::shared_ptr<const Snapshot> s) {
      const std::lock_guard lock(mutex_);
      last_ = std::move(s);
      ++count_;
      arrived_.notify_all();
    };
  }
  template <class Predicate>
  std::shared_ptr<const Snapshot> wait(Predicate wanted) {
    std::unique_lock lock(mutex_);
    const bool came = arrived_.wait_for(lock, 20s, [&] { return last_ && wanted(*last_); });
    INFO("waited 20 s for a snapshot");
    REQUIRE(came);
    return last_;
  }
  int count() {
    const std::lock_guard lock(mutex_);
    return count_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::shared_ptr<const Snapshot> last_;
  int count_ = 0;
};

int seconds_of(const Snapshot& s, std::string_view path) {
  const Function* f = s.table->match(path);
  if (f == nullptr) return -2;
  if (!f->max_duration) return -1;
  return static_cast<int>(std::chrono::duration_cast<std::chrono::seconds>(f->max_duration->value).count());
}

void small_app(const TempTree& t) {
  t.write("package.json", R"({"dependencies":{"next":"16"}})");
  t.write("app/layout.tsx", "export const maxDuration = 20");
  t.write("app/page.tsx", "export default function P() { return null }");
  t.write("app/api/slow/route.ts", "export const maxDuration = 5\nexport function GET() {}");
}

}  // namespace

TEST_CASE("sources: one scan of a project") {
  TempTree t;
  small_app(t);
  t.write("app/node_modules/x/page.tsx");
  t.write("app/.git/page.tsx");
  t.write(
      "vercel.json",
      R"({"fluid": true, "functions": {"app/api/**": {"maxDuration": 7, "supportsCancellation": true}}})");
  t.write("next.config.mjs", "export default { basePath: '/docs' }");
  SourceIndex index({t.path()});
  const auto s = index.scan();
  REQUIRE(s != nullptr);
  CHECK(s->version == 1);
  CHECK(s->table->functions().size() == 2);
  CHECK(s->table->base_path() == "/docs");
  CHECK(seconds_of(*s, "/docs") == 20);
  CHECK(seconds_of(*s, "/docs/api/slow") == 5);
  CHECK(s->table->match("/docs/api/slow")->supports_cancellation);
  REQUIRE(s->findings.size() == 1);
  CHECK(s->findings[0].message ==
        "vercel.json says \"fluid\": true: Vercel runs this project on Fluid compute.");
  CHECK(s->parsed == 3);
  // Nothing changed: the same snapshot, and no file read again.
  CHECK(index.scan() == s);
}

TEST_CASE("sources: links are followed, circles are not") {
  TempTree t;
  small_app(t);
  t.write("shared/inner/page.tsx", "export const maxDuration = 8");
  t.link(t.path("shared"), "app/linked");
  t.link(t.path("app"), "app/loop");
  SourceIndex index({t.path()});
  CHECK(seconds_of(*index.scan(), "/linked/inner") == 8);
}

TEST_CASE("sources: too many files are cut off with a finding") {
  TempTree t;
  for (int i = 0; i < 30; ++i) t.write(fmt::format("app/p{}/page.tsx", i));
  SourceOptions options{t.path()};
  options.max_files = 10;
  SourceIndex index(options);
  const auto s = index.scan();
  CHECK(s->table->functions().size() <= 10);
  REQUIRE(s->findings.size() == 1);
  CHECK(s->findings[0].message == "More than 10 files below app/ and pages/: the rest is not looked at.");
}

TEST_CASE("sources: what Next says of its configuration replaces what was read") {
  TempTree t;
  t.write("next.config.js", "module.exports = { basePath: process.env.B, pageExtensions: ['tsx'] }");
  t.write("app/page.tsx");
  t.write("app/x/page.mdx");
  SourceIndex index({t.path()});
  CHECK(index.scan()->table->base_path().empty());
  CHECK(index.scan()->config.base_path.known == Known::computed);
  index.set_known({"/real", std::vector<std::string>{"tsx", "mdx"}});
  CHECK(index.scan()->table->base_path() == "/real");
  CHECK(index.scan()->table->functions().size() == 2);
}

static void watched(bool polling) {
  TempTree t;
  small_app(t);
  SourceOptions options{t.path()};
  options.force_polling = polling;
  options.poll_interval = 20ms;
  Inbox inbox;
  SourceIndex index(options);
  index.start(inbox.callback());
  inbox.wait([](const Snapshot& s) { return seconds_of(s, "/api/slow") == 5; });

  t.write("app/api/slow/route.ts", "export const maxDuration = 9\nexport function GET() {}");
  const auto edited = inbox.wait([](const Snapshot& s) { return seconds_of(s, "/api/slow") == 9; });
  CHECK(edited->parsed <= 1);

  t.write("app/new/deep/page.tsx", "export const maxDuration = 3");  // two directories that did not exist
  inbox.wait([](const Snapshot& s) { return seconds_of(s, "/new/deep") == 3; });
  t.write("app/new/deep/page.tsx", "export const maxDuration = 4 ");
  inbox.wait([](const Snapshot& s) { return seconds_of(s, "/new/deep") == 4; });

  t.write("vercel.json", R"({"functions":{"app/late/*":{"maxDuration":6}}})");
  t.write("app/late/route.ts", "export function GET() {}");
  inbox.wait([](const Snapshot& s) { return seconds_of(s, "/late") == 6; });

  t.remove("app/new");
  inbox.wait([](const Snapshot& s) { return seconds_of(s, "/new/deep") == -2; });
  t.write("app/new/deep/page.tsx", "export const maxDuration = 2");  // the same name again
  inbox.wait([](const Snapshot& s) { return seconds_of(s, "/new/deep") == 2; });

  // A file saved the way many editors do: written beside and moved over.
  t.write("app/api/slow/route.ts.tmp", "export const maxDuration = 11\n");
  std::filesystem::rename(t.path("app/api/slow/route.ts.tmp"), t.path("app/api/slow/route.ts"));
  inbox.wait([](const Snapshot& s) { return seconds_of(s, "/api/slow") == 11; });

  index.set_known({"/base", std::nullopt});
  inbox.wait([](const Snapshot& s) { return s.table->base_path() == "/base"; });
  t.write("pages/old.tsx", "");
  inbox.wait([](const Snapshot& s) { return s.table->match("/base/old") != nullptr; });

  const auto before = std::chrono::steady_clock::now();
  index.stop();
  CHECK(std::chrono::steady_clock::now() - before < 5s);
  const int count = inbox.count();
  t.write("app/api/slow/route.ts", "export const maxDuration = 1");
  index.stop();
  CHECK(inbox.count() == count);
}

TEST_CASE("sources: changes arrive, by inotify") { watched(false); }
TEST_CASE("sources: changes arrive, by polling") { watched(true); }

TEST_CASE("sources: a change that says nothing new is not told") {
  TempTree t;
  small_app(t);
  Inbox inbox;
  SourceIndex index({t.path()});
  index.start(inbox.callback());
  inbox.wait([](const Snapshot& s) { return s.version == 1; });
  t.write("app/page.tsx", "export default function Other() { return 1 }");  // no setting in it
  t.write("app/helper.ts", "export const x = 1");
  t.write("app/api/slow/route.ts", "export const maxDuration = 6");
  const auto s = inbox.wait([](const Snapshot& n) { return seconds_of(n, "/api/slow") == 6; });
  CHECK(s->version == 2);
  index.stop();
  CHECK(inbox.count() == 2);
}

TEST_CASE("watcher: wake is remembered, and a timeout is told from a change") {
  TempTree t;
  for (auto& w : {make_inotify_watcher(), make_polling_watcher(10s)}) {
    if (w == nullptr) continue;
    w->watch({t.path()});
    CHECK(w->wait(0ms) == Watcher::Wake::timeout);
    w->wake();
    w->wake();
    CHECK(w->wait(-1ms) == Watcher::Wake::woken);
    CHECK(w->wait(0ms) == Watcher::Wake::timeout);
  }
}
