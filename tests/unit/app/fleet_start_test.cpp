// How instances of a fleet begin: copies of a template (tests/fixtures/children/fake_template.cjs) where that
// can be had, else processes of their own, with a word about why.
#include "agent/scripts.hpp"
#include "process/os.hpp"
#include "unit/app/fleet_world.hpp"

using namespace vsim;
using namespace vsim::app;
using namespace vsim::app::test;

namespace {

void with_copies(FleetOptions& o) {
  const auto scripts = agent::write_scripts(o.run_dir);
  REQUIRE(scripts);
  process::set_env(o.env, "FAKE_ADDON", *scripts + "/fork.node");
  o.template_script = VSIM_SOURCE_DIR "/tests/fixtures/children/fake_template.cjs";
  o.fork = true;
  o.fold_starts = false;
}

std::vector<pid_t> templates() {
  std::vector<pid_t> found;
  for (const pid_t pid : process::os::children_of(::getpid())) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/cmdline");
    const std::string text(std::istreambuf_iterator<char>(file), {});
    if (text.find("fake_template.cjs") != std::string::npos) found.push_back(pid);
  }
  return found;
}

}  // namespace

TEST_CASE("Fleet: an instance is a copy of the template; one that is asked for early waits for it") {
  World w(options(), {}, with_copies);
  w.ask("/ok");
  w.ask("/ok");
  CHECK(w.until_said("done 1"));
  CHECK(w.until_said("done 2"));
  CHECK(w.copies == 2);
  CHECK(w.spawned.size() == 2);
  CHECK(w.no_copies.empty());
  CHECK(w.output.find("[template] a template\n") != std::string::npos);
  REQUIRE(w.until([&] { return w.processes() == 0; }));
}

TEST_CASE(
    "Fleet: a copy that crashes, is killed or runs out of time is told as any instance, and the next works") {
  World w(options(), {}, with_copies);
  const auto crashes = w.ask("/crash");
  CHECK(w.until_said("lost 1 FUNCTION_INVOCATION_FAILED"));
  CHECK(w.causes[crashes].find("i1 exited with code 129: uncaught exception: boom") != std::string::npos);
  w.loop.engine().set_time_scale(kQuick);
  w.ask("/loop");
  CHECK(w.until_said("lost 2 FUNCTION_INVOCATION_TIMEOUT"));
  w.loop.engine().set_time_scale(1);
  const auto killed = w.ask("/hang");
  REQUIRE(w.until_said("handler 3"));
  ::kill(w.fleet->figures(w.spawned.back()).pid, SIGKILL);
  CHECK(w.until_said("lost 3 FUNCTION_INVOCATION_FAILED"));
  CHECK(w.causes[killed].find("killed by SIGKILL, not by vercel-sim") != std::string::npos);
  w.ask("/ok");
  CHECK(w.until_said("done 4"));
  CHECK(w.copies == 4);
}

TEST_CASE("Fleet: a template that says that it cannot be copied is told once, and instances are started") {
  World w(options(), {"FAKE_TEMPLATE=refuse"}, with_copies);
  for (int i = 1; i <= 3; ++i) {
    w.ask("/ok");
    CHECK(w.until_said("done " + std::to_string(i)));
  }
  w.fleet->boot(kBoot, "node");  // again
  w.ask("/ok");
  CHECK(w.until_said("done 4"));
  CHECK(w.copies == 0);
  CHECK(w.no_copies == Lines{"it does not want to"});
}

TEST_CASE("Fleet: a template that has begun ahead goes on when it is told the boot file, and is copied") {
  World w(options(), {"FAKE_AHEAD=on"}, with_copies);
  w.ask("/ok");
  CHECK(w.until_said("done 1"));
  CHECK(w.copies == 1);
  CHECK(w.no_copies.empty());
  CHECK(w.output == "[template] told " + kBoot.file + "\n[template] a template\n");
  CHECK(templates().size() == 1);
  w.fleet->boot(kBoot, "node");  // again, which is another environment
  w.ask("/ok");
  CHECK(w.until_said("done 2"));
  CHECK(w.copies == 2);
  CHECK(w.output.ends_with("\n[template] a template\n[template] a template\n"));
}

TEST_CASE(
    "Fleet: what lays V8's memory is loaded into the template, but for a path that the list of such cannot "
    "have") {
  const auto heap_of = [](const std::string& path, std::vector<std::string> more) {
    more.emplace_back("FAKE_TELLS=LD_PRELOAD");
    World w(options(), more, [&](FleetOptions& o) {
      with_copies(o);
      o.template_heap = path == "ours" ? o.run_dir + "/node_modules/vercel-sim/heap.node" : path;
    });
    w.ask("/ok");
    CHECK(w.until_said("done 1"));
    CHECK(w.copies == 1);
    const std::string told = w.output.substr(w.output.find("LD_PRELOAD "));
    return told.substr(11, told.find('\n') - 11);
  };
  CHECK(heap_of("ours", {}).ends_with("/node_modules/vercel-sim/heap.node"));
  CHECK(heap_of("/some where/heap.node", {}) == "undefined");
  CHECK(heap_of("/some:where/heap.node", {}) == "undefined");
  CHECK(heap_of("", {}) == "undefined");
}

TEST_CASE("Fleet: one that has begun ahead and is of no use is begun anew, and nothing is said of it") {
  for (const char* how : {"FAKE_AHEAD=anew", "FAKE_AHEAD=crash"}) {
    World w(options(), {how}, with_copies);
    w.ask("/ok");
    CHECK(w.until_said("done 1"));
    CHECK(w.copies == 1);
    CHECK(w.no_copies.empty());
    CHECK(w.warnings.empty());
    CHECK(w.output == "[template] a template\n");
  }
}

TEST_CASE("Fleet: a template that dies before it is ready is given up, with how it died") {
  World w(options(), {"FAKE_TEMPLATE=crash"}, with_copies);
  w.ask("/ok");
  CHECK(w.until_said("done 1"));
  CHECK(w.copies == 0);
  REQUIRE(w.no_copies.size() == 1);
  CHECK(w.no_copies[0] == "the process that is copied for them exited with code 3");
}

TEST_CASE("Fleet: who waits for a copy of a template that is killed gets a process all the same") {
  World w(options(), {"FAKE_TEMPLATE=mute"}, with_copies);
  w.ask("/ok");
  REQUIRE(w.until([&] { return w.output.find("was asked") != std::string::npos; }));
  for (const pid_t pid : templates()) ::kill(pid, SIGKILL);
  CHECK(w.until_said("done 1"));
  CHECK(w.copies == 0);
}

TEST_CASE(
    "Fleet: a new boot retires the template, and what was asked of the old one comes from the new one") {
  World w(options(), {}, with_copies);
  w.ask("/ok");
  REQUIRE(w.until_said("done 1"));
  const auto before = templates();
  REQUIRE(before.size() == 1);
  w.fleet->boot(kBoot, "node");
  w.ask("/ok");
  CHECK(w.until_said("done 2"));
  CHECK(w.copies == 2);
  CHECK(templates().size() == 1);
  CHECK(templates() != before);
}

TEST_CASE("Fleet: a copy that nobody waits for any more is not begun when its template is retired") {
  auto o = options();
  o.spawn_limit = 3s;  // longer than its template needs to be there
  o.spawn_tries = 1;
  World w(o, {"FAKE_TEMPLATE=mute"}, with_copies);
  w.ask("/ok");
  CHECK(w.until_said("refused 1 SIM_NOT_READY"));
  REQUIRE(w.until([&] { return w.output.find("was asked") != std::string::npos; }));
  w.fleet->gone();
  CHECK(w.until([&] { return w.processes() == 0; }));
  CHECK(w.spawned.empty());
  CHECK(w.until([&] { return templates().empty(); }));
}

TEST_CASE("Fleet: with an inspector in each instance nothing is copied, and that is told once") {
  World w(options(), {}, [](FleetOptions& o) {
    with_copies(o);
    o.inspect = true;
  });
  w.ask("/ok");
  CHECK(w.until_said("done 1"));
  w.fleet->boot(kBoot, "node");
  w.ask("/ok");
  CHECK(w.until_said("done 2"));
  CHECK(w.copies == 0);
  CHECK(templates().empty());
  CHECK(w.no_copies == Lines{"--inspect-instance opens an inspector in each, and a copy has none"});
}

namespace {

instance::SchedulerOptions for_templates() {
  auto o = options();
  o.spares = 1;
  o.bound_functions = 1;
  o.templates = true;
  return o;
}

// Its function has been asked for once, and what is to follow has been made ready.
void serve_first(World& w) {
  w.fleet->start();
  w.ask("/ok");
  REQUIRE(w.until_said("done 1"));
}

pid_t template_of_function(World& w) {
  for (const auto& [id, state] : w.states)
    if (state == "template") return w.fleet->figures(id).pid;
  return 0;
}

}  // namespace

TEST_CASE("Fleet: a function that was used has a template, whose copies serve and never it") {
  World w(for_templates(), {}, with_copies);
  serve_first(w);
  REQUIRE(w.until([&] { return w.count("template") == 1 && w.count("bound") == 1; }));
  const pid_t before = template_of_function(w);
  REQUIRE(before > 0);
  for (int i = 2; i <= 4; ++i) {
    w.ask("/ok");
    CHECK(w.until_said("done " + std::to_string(i)));
  }
  w.ask("/crash");
  CHECK(w.until_said("lost 5 FUNCTION_INVOCATION_FAILED"));
  CHECK(w.forks >= 4);
  CHECK(w.uncopied.empty());
  CHECK(template_of_function(w) == before);
}

TEST_CASE("Fleet: why a function has no template is told once, and it is served by bound spares") {
  World w(for_templates(), {"FAKE_BIND=refuse"}, with_copies);
  serve_first(w);
  REQUIRE(w.until([&] { return w.count("bound") == 1; }));
  w.ask("/ok");
  CHECK(w.until_said("done 2"));
  w.fleet->changed({1, true, false, {}});
  w.ask("/ok");
  CHECK(w.until_said("done 3"));
  REQUIRE(w.until([&] { return w.count("bound") == 1; }));
  CHECK(w.forks == 0);
  CHECK(w.uncopied == Lines{"Date.now() by lib/x.ts:1:2"});
}

TEST_CASE("Fleet: one that ends while it becomes a template is bound the next time") {
  World w(for_templates(), {"FAKE_BIND=crash"}, with_copies);
  serve_first(w);
  REQUIRE(w.until([&] { return w.count("bound") == 1; }));
  w.ask("/ok");
  CHECK(w.until_said("done 2"));
  CHECK(w.forks == 0);
}

TEST_CASE("Fleet: the template of a function that is killed takes nobody along, and another one follows") {
  World w(for_templates(), {}, with_copies);
  serve_first(w);
  REQUIRE(w.until([&] { return w.count("template") == 1 && w.count("bound") == 1; }));
  const pid_t before = template_of_function(w);
  ::kill(before, SIGKILL);
  w.ask("/ok");
  CHECK(w.until_said("done 2"));
  CHECK(w.until([&] { return template_of_function(w) > 0 && template_of_function(w) != before; }));
  w.ask("/ok");
  CHECK(w.until_said("done 3"));
}

TEST_CASE("Fleet: who waits for a copy of a template that does not copy is served otherwise") {
  auto o = for_templates();
  o.copy_limit = 300ms;
  World w(o, {"FAKE_BIND=mute"}, with_copies);
  serve_first(w);
  REQUIRE(w.until([&] { return w.count("template") == 1; }));
  w.ask("/ok");
  CHECK(w.until_said("done 2"));
  CHECK(w.until([&] { return w.count("template") == 0; }));
}

TEST_CASE("Fleet: without a base template nobody becomes the template of a function") {
  World w(for_templates(), {"FAKE_TEMPLATE=refuse"}, with_copies);
  serve_first(w);
  REQUIRE(w.until([&] { return w.count("bound") == 1; }));
  w.ask("/ok");
  CHECK(w.until_said("done 2"));
  CHECK(w.copies == 0);
}
