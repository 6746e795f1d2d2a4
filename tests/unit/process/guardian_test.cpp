// The guardian is our own program run again, and so is the stand-in for a vercel-sim that gets killed: both
// are this test's binary, which looks at its arguments before Catch does.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "process/run_dir.hpp"
#include "world.hpp"

using namespace vsim;
using namespace vsim::process;
using namespace vsim::process::test;

namespace {

// Starts children of every awkward kind, says their pids and its run directory on stdout, and waits to be
// killed.
int stand_in(const char* how) {
  auto guardian = Guardian::start();
  if (!guardian) return 1;
  World w(guardian->get());
  auto dir = RunDir::create(guardian->get());
  if (!dir) return 1;
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, dir->socket_path("front.sock").c_str(), sizeof address.sun_path - 1);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return 1;

  auto stubborn = w.start({fixture("ignores_sigterm.sh")});
  auto frozen = w.start({fixture("ignores_sigterm.sh")});
  auto daemon = w.start({"node", fixture("detaches.mjs"), "same", "stay"});
  for (auto* t : {stubborn.get(), frozen.get(), daemon.get()}) w.until_said(*t, "\n");
  frozen->child->freeze();
  std::string out = "dir " + dir->path() + " guardian " + std::to_string((*guardian)->pid());
  for (auto* t : {stubborn.get(), frozen.get(), daemon.get()}) {
    out += " pid " + std::to_string(t->child->pid());
    out += " pid " + t->out.substr(t->out.rfind(' ') + 1, t->out.size() - t->out.rfind(' ') - 2);
  }
  out += " end\n";
  if (::write(1, out.data(), out.size()) < 0) return 1;
  if (std::strcmp(how, "clean") == 0) {
    bool done = false;
    w.supervisor.stop_all(50ms, [&] { done = true; });
    return w.until([&] { return done; }) ? 0 : 1;
  }
  w.until([] { return false; });
  return 1;
}

__attribute__((constructor)) void other_mains(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "__guardian") == 0) ::_exit(guardian_main(argc, argv));
}

// After all static initialisation, as the stand-in uses everything.
const bool stand_in_asked = [] {
  std::string command;
  if (FILE* f = std::fopen("/proc/self/cmdline", "r")) {
    char buffer[256];
    command.assign(buffer, std::fread(buffer, 1, sizeof buffer, f));
    std::fclose(f);
  }
  const auto at = command.find('\0');
  if (at == std::string::npos || command.compare(at + 1, 9, "__standin") != 0) return false;
  std::exit(stand_in(command.c_str() + at + 11));
}();

struct StandIn {
  os::Fd says;
  pid_t pid = 0;
  std::string words;
  std::vector<pid_t> pids;
  std::string dir;
  pid_t guardian = 0;
};

StandIn start_stand_in(const char* how) {
  StandIn s;
  auto pipe = os::make_pipe();
  REQUIRE(pipe);
  const os::Fd null = os::open_null_device();
  os::Launch l;
  l.program = os::own_program();
  l.argv = {"stand-in", "__standin", how};
  l.env = current_environment();
  l.input = null.get();
  l.output = pipe->write.get();
  l.error = 2;
  auto pid = os::launch(l);
  REQUIRE(pid);
  s.pid = *pid;
  pipe->write.reset();
  char buffer[512];
  while (s.words.find("end\n") == std::string::npos) {
    pollfd p{pipe->read.get(), POLLIN, 0};
    REQUIRE(::poll(&p, 1, 20000) == 1);
    const ssize_t n = ::read(pipe->read.get(), buffer, sizeof buffer);
    REQUIRE(n > 0);
    s.words.append(buffer, static_cast<std::size_t>(n));
  }
  s.says = std::move(pipe->read);
  s.dir = s.words.substr(4, s.words.find(" guardian") - 4);
  s.guardian = pid_after(s.words, "guardian");
  for (std::size_t at = 0; (at = s.words.find(" pid ", at)) != std::string::npos; at += 5)
    s.pids.push_back(static_cast<pid_t>(std::stol(s.words.substr(at + 5))));
  REQUIRE(s.pids.size() == 6);
  return s;
}

}  // namespace

TEST_CASE("Guardian: kill -9 of vercel-sim leaves no process, no directory and no guardian within a second") {
  StandIn s = start_stand_in("wait");
  for (pid_t p : s.pids) REQUIRE(alive(p));
  REQUIRE(std::filesystem::exists(s.dir + "/front.sock"));
  const auto from = Clock::now();
  ::kill(s.pid, SIGKILL);
  for (pid_t p : s.pids) CHECK(gone_within(p, 1000ms));
  CHECK(gone_within(s.guardian, 1000ms));
  CHECK(Clock::now() - from < 1000ms);
  CHECK_FALSE(std::filesystem::exists(s.dir));
  os::reap(s.pid);
}

TEST_CASE("Guardian: kill -9 of the whole process group of vercel-sim does not reach it") {
  StandIn s = start_stand_in("wait");
  ::kill(-s.pid, SIGKILL);
  for (pid_t p : s.pids) CHECK(gone_within(p, 1000ms));
  CHECK(gone_within(s.guardian, 1000ms));
  CHECK_FALSE(std::filesystem::exists(s.dir));
  os::reap(s.pid);
}

TEST_CASE("Guardian: a clean end leaves nothing either, and holds no output open") {
  StandIn s = start_stand_in("clean");
  CHECK(gone_within(s.pid, 20s));
  CHECK(os::peek_exit(s.pid) == ExitCause(Exited{0}));
  for (pid_t p : s.pids) CHECK_FALSE(alive(p));
  CHECK_FALSE(std::filesystem::exists(s.dir));
  CHECK(gone_within(s.guardian, 1000ms));
  char byte;
  CHECK(::read(s.says.get(), &byte, 1) == 0);
  os::reap(s.pid);
}

TEST_CASE("Guardian: has a session of its own, and signals meant for vercel-sim do not end it") {
  auto g = Guardian::start();
  REQUIRE(g);
  const auto info = os::inspect((*g)->pid());
  REQUIRE(info);
  CHECK(info->session == (*g)->pid());
  const pid_t pid = (*g)->pid();
  g->reset();
  CHECK(gone_within(pid, 10s));
}

TEST_CASE("Guardian: one that was killed is replaced and told everything again") {
  auto g = Guardian::start();
  REQUIRE(g);
  const pid_t first = (*g)->pid();
  World w;
  auto a = w.start({fixture("ignores_sigterm.sh")});
  auto b = w.start({fixture("ignores_sigterm.sh")});
  REQUIRE(w.until_said(*a, "\n"));
  REQUIRE(w.until_said(*b, "\n"));
  (*g)->watch(a->child->pid());
  ::kill(first, SIGKILL);
  REQUIRE(gone_within(first, 10s));
  (*g)->watch(b->child->pid());
  const pid_t second = (*g)->pid();
  CHECK(second != first);
  g->reset();  // it acts on what is still registered
  REQUIRE(w.until_ended(*a));
  REQUIRE(w.until_ended(*b));
  CHECK(gone_within(second, 10s));
}

TEST_CASE("Guardian: what was unregistered is left alone") {
  auto g = Guardian::start();
  REQUIRE(g);
  World w;
  auto a = w.start({fixture("ignores_sigterm.sh")});
  REQUIRE(w.until_said(*a, "\n"));
  char path[] = "/tmp/vsim-test-XXXXXX";
  REQUIRE(::mkdtemp(path) != nullptr);
  (*g)->watch(a->child->pid());
  (*g)->remove_on_death(path);
  (*g)->forget_path(path);
  (*g)->unwatch(a->child->pid());
  const pid_t guardian = (*g)->pid();
  g->reset();
  REQUIRE(gone_within(guardian, 10s));
  CHECK(alive(a->child->pid()));
  CHECK(std::filesystem::exists(path));
  std::filesystem::remove(path);
}
