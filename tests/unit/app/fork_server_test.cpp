// Copies of a real Node process (tests/fixtures/children/copies.cjs) as children of ours.
#include "process/fork_server.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <filesystem>

#include "agent/scripts.hpp"
#include "unit/process/world.hpp"

using namespace vsim;
using namespace vsim::process;
using namespace vsim::process::test;

namespace {

struct Server {
  World world;
  std::string dir;
  std::unique_ptr<ForkServer> server;
  std::optional<ExitCause> end;
  std::string said;
  bool is_ready = false;

  explicit Server(Guardian* guardian = nullptr) : world(guardian) {
    ::signal(SIGPIPE, SIG_IGN);
    char name[] = "/tmp/vsim-copies-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    dir = name;
    const auto scripts = agent::write_scripts(dir);
    REQUIRE(scripts);
    SpawnOptions options;
    options.argv = {"node", "--single-threaded", "--v8-pool-size=0", fixture("copies.cjs"),
                    *scripts + "/fork.node"};
    ForkServer::Callbacks callbacks;
    callbacks.output = [this](OutputStream, std::string_view text) { said += text; };
    callbacks.ready = [this] { is_ready = true; };
    callbacks.ended = [this](const ExitCause& cause) { end = cause; };
    auto started = ForkServer::start(world.io, world.supervisor, std::move(options), std::move(callbacks));
    REQUIRE(started);
    server = std::move(*started);
    REQUIRE(world.until([&] { return is_ready || end; }));
    INFO(said);
    REQUIRE(server->ready());
  }
  ~Server() { std::filesystem::remove_all(dir); }

  std::unique_ptr<Talker> copy(const std::string& how) {
    std::optional<Result<Coming>> answer;
    server->fork(
        [&](std::string_view mark) { return fmt::format(R"({{"how":"{}","mark":"{}"}})", how, mark); },
        [&](Result<Coming> coming) { answer.emplace(std::move(coming)); });
    CHECK_FALSE(answer);
    REQUIRE(world.until([&] { return answer.has_value(); }));
    REQUIRE(*answer);
    auto t = std::make_unique<Talker>();
    Talker* raw = t.get();
    auto child = world.supervisor.adopt(std::move(**answer), "secret\n",
                                        {[raw](OutputStream s, std::string_view bytes) {
                                           (s == OutputStream::out ? raw->out : raw->err) += bytes;
                                         },
                                         [raw](const ExitCause& c) { raw->cause = c; }});
    REQUIRE(child);
    t->child = std::move(*child);
    return t;
  }
};

}  // namespace

TEST_CASE("ForkServer: a copy's output, input and cause of death are its own") {
  Server s;
  auto exits = s.copy("exit"), killed = s.copy("kill");
  REQUIRE(s.world.until_ended(*exits));
  REQUIRE(s.world.until_ended(*killed));
  CHECK(*exits->cause == ExitCause(Exited{3}));
  CHECK(exits->out == fmt::format("exit VERCEL_SIM_CHILD secret pid {}\n", exits->child->pid()));
  CHECK(exits->err == "to-err\n");
  REQUIRE(std::holds_alternative<Signaled>(*killed->cause));
  CHECK(std::get<Signaled>(*killed->cause).signal == SIGSEGV);
  CHECK_FALSE(s.end);
}

TEST_CASE("ForkServer: a copy is a child of ours, with a session of its own, and freezes") {
  Server s;
  auto t = s.copy("count");
  REQUIRE(s.world.until_said(*t, "."));
  const auto info = os::inspect(t->child->pid());
  REQUIRE(info);
  CHECK(info->parent == ::getpid());
  CHECK(info->session == t->child->pid());
  CHECK(info->group == t->child->pid());
  t->child->freeze();
  s.world.io.run_for(100ms);
  const std::size_t before = t->out.size();
  s.world.io.run_for(200ms);
  CHECK(t->out.size() == before);
  t->child->thaw();
  REQUIRE(s.world.until([&] { return t->out.size() > before; }));
  t->child->kill();
  REQUIRE(s.world.until_ended(*t));
  CHECK(*t->cause == ExitCause(Signaled{SIGKILL, false}));
}

TEST_CASE("ForkServer: what a copy has started goes with it") {
  Server s;
  auto t = s.copy("leave");
  REQUIRE(s.world.until_said(*t, "pid"));
  pid_t below = 0;
  REQUIRE(s.world.until([&] {
    const auto children = os::children_of(t->child->pid());
    if (!children.empty()) below = children.front();
    return below != 0 || t->cause;
  }));
  REQUIRE(s.world.until_ended(*t));
  CHECK(*t->cause == ExitCause(Exited{0}));
  if (below != 0) CHECK(gone_within(below, 5000ms));
}

TEST_CASE("ForkServer: its end is told, ends no copy, and answers who waits for one") {
  Server s;
  auto t = s.copy("count");
  ::kill(s.server->pid(), SIGSTOP);
  std::optional<Result<Coming>> answer;
  s.server->fork([](std::string_view) { return std::string("{}"); },
                 [&](Result<Coming> coming) { answer.emplace(std::move(coming)); });
  ::kill(s.server->pid(), SIGKILL);
  REQUIRE(s.world.until([&] { return s.end.has_value(); }));
  CHECK(*s.end == ExitCause(Signaled{SIGKILL, false}));
  REQUIRE(answer);
  CHECK_FALSE(*answer);
  CHECK_FALSE(s.server->ready());
  const std::size_t before = t->out.size();
  REQUIRE(s.world.until([&] { return t->out.size() > before; }));
  CHECK(t->child->running());
  t->child->kill();
  REQUIRE(s.world.until_ended(*t));
}
