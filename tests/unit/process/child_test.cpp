#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <set>

#include "world.hpp"

using namespace vsim;
using namespace vsim::process;
using namespace vsim::process::test;

TEST_CASE("Child: exit code, both streams, and all output before the exit") {
  World w;
  auto t = w.start({"sh", "-c", "echo to-out; echo to-err >&2; exit 3"});
  CHECK(t->child->running());
  REQUIRE(w.until_ended(*t));
  CHECK(*t->cause == ExitCause(Exited{3}));
  CHECK(t->out == "to-out\n");
  CHECK(t->err == "to-err\n");
  CHECK_FALSE(t->child->running());
  CHECK(describe(*t->cause) == "exited with code 3");
}

TEST_CASE("Child: death by a signal is told with its name") {
  World w;
  auto t = w.start({"sh", "-c", "ulimit -c 0; kill -SEGV $$"});
  REQUIRE(w.until_ended(*t));
  CHECK(*t->cause == ExitCause(Signaled{SIGSEGV, false}));
  CHECK(describe(*t->cause) == "killed by SIGSEGV");
  CHECK(describe(Signaled{SIGABRT, true}) == "killed by SIGABRT (core dumped)");
}

TEST_CASE("Child: a stop lets it say its last word") {
  World w;
  auto t = w.start({fixture("obeys_sigterm.mjs")});
  REQUIRE(w.until_said(*t, "ready"));
  const auto from = Clock::now();
  t->child->stop(15s);
  CHECK_FALSE(t->cause);
  REQUIRE(w.until_ended(*t));
  CHECK(*t->cause == ExitCause(Exited{7}));
  CHECK(t->out.ends_with("bye\n"));
  CHECK(Clock::now() - from < 10s);
}

TEST_CASE("Child: one that ignores SIGTERM is killed after the grace, with its own child") {
  World w;
  auto t = w.start({fixture("ignores_sigterm.sh")});
  REQUIRE(w.until_said(*t, "\n"));
  const pid_t grandchild = static_cast<pid_t>(std::stol(t->out.substr(t->out.rfind(' '))));
  CHECK(alive(grandchild));
  const auto from = Clock::now();
  t->child->stop(150ms);
  REQUIRE(w.until_ended(*t));
  CHECK(*t->cause == ExitCause(Signaled{SIGKILL, false}));
  CHECK(Clock::now() - from >= 150ms);
  CHECK_FALSE(alive(grandchild));
}

TEST_CASE("Child: a second stop with a shorter grace hurries the first") {
  World w;
  auto t = w.start({fixture("ignores_sigterm.sh")});
  REQUIRE(w.until_said(*t, "\n"));
  const auto from = Clock::now();
  t->child->stop(1h);
  t->child->stop(50ms);
  REQUIRE(w.until_ended(*t));
  CHECK(Clock::now() - from >= 50ms);
  CHECK(*t->cause == ExitCause(Signaled{SIGKILL, false}));
}

TEST_CASE("Child: what the leader leaves in its group is gone when its exit is told") {
  World w;
  auto t = w.start({fixture("leaves_orphan.sh")});
  REQUIRE(w.until_ended(*t));
  CHECK(*t->cause == ExitCause(Exited{4}));
  CHECK_FALSE(alive(pid_after(t->out, "orphan")));
}

TEST_CASE("Child: a grandchild gets the rest of the grace when the leader stops first") {
  World w;
  auto t =
      w.start({"sh", "-c",
               "(trap 'echo late; exit' TERM; echo up; sleep 1000 & wait) & trap 'exit 0' TERM; wait; wait"});
  REQUIRE(w.until_said(*t, "up"));
  t->child->stop(15s);
  REQUIRE(w.until_ended(*t));
  CHECK(t->out == "up\nlate\n");
}

TEST_CASE("Child: a grandchild in a session of its own is killed too") {
  World w;
  for (const char* environment : {"same", "clean"}) {
    for (const char* leader : {"stay", "leave"}) {
      CAPTURE(environment, leader);
      auto t = w.start({"node", fixture("detaches.mjs"), environment, leader});
      REQUIRE(w.until_said(*t, "\n"));
      const pid_t grandchild = pid_after(t->out, "detached");
      if (leader == std::string("stay")) {
        CHECK(alive(grandchild));
        t->child->stop(10s);
      }
      REQUIRE(w.until_ended(*t));
      CHECK_FALSE(alive(grandchild));
    }
  }
}

TEST_CASE("Child: keep_detached leaves a session of its own alone") {
  World w;
  SpawnOptions o;
  o.argv = {"node", fixture("detaches.mjs"), "same", "leave"};
  o.keep_detached = true;
  auto t = w.start(std::move(o));
  REQUIRE(w.until_ended(*t));
  const pid_t grandchild = pid_after(t->out, "detached");
  CHECK(alive(grandchild));
  ::kill(grandchild, SIGKILL);
  CHECK(gone_within(grandchild, 10s));
}

TEST_CASE("Child: stopping one child does not touch what another one started") {
  World w;
  auto a = w.start({fixture("obeys_sigterm.mjs")});
  auto b = w.start({"node", fixture("detaches.mjs"), "same", "stay"});
  REQUIRE(w.until_said(*a, "ready"));
  REQUIRE(w.until_said(*b, "\n"));
  const pid_t grandchild = pid_after(b->out, "detached");
  a->child->kill();
  REQUIRE(w.until_ended(*a));
  CHECK(b->child->running());
  CHECK(alive(grandchild));
  b->child->kill();
  REQUIRE(w.until_ended(*b));
  CHECK_FALSE(alive(grandchild));
}

TEST_CASE("Child: output comes as it is written, not at the end of a line") {
  World w;
  SpawnOptions o;
  o.argv = {"sh", "-c", "printf part; read never; printf unreachable"};
  o.input = SpawnOptions::Input::open;
  auto t = w.start(std::move(o));
  REQUIRE(w.until_said(*t, "part"));
  CHECK(t->child->running());
  t->child->kill();
  REQUIRE(w.until_ended(*t));
  CHECK(t->out == "part");
}

TEST_CASE("Child: its input is at its end unless asked otherwise") {
  World w;
  auto t = w.start({"sh", "-c", "cat; exit 5"});
  REQUIRE(w.until_ended(*t));
  CHECK(*t->cause == ExitCause(Exited{5}));
}

TEST_CASE("Child: a burst of 1 MiB before the exit arrives whole") {
  World w;
  auto t = w.start({"node", fixture("burst.mjs")});
  REQUIRE(w.until_ended(*t));
  CHECK(*t->cause == ExitCause(Exited{9}));
  CHECK(t->err == "before\n");
  CHECK(t->out.size() == 1u << 20);
  CHECK(t->out.find_first_not_of('x') == std::string::npos);
}

TEST_CASE("Child: what fills a pipe to the brim at the moment of death arrives whole") {
  World w;
  auto t = w.start({"sh", "-c", "head -c 65536 /dev/zero; kill -9 $$"});
  REQUIRE(w.until_ended(*t));
  CHECK(*t->cause == ExitCause(Signaled{SIGKILL, false}));
  CHECK(t->out.size() == 65536);
}

TEST_CASE("Child: output that is being read at the moment of death is not lost") {
  World w;
  for (int i = 0; i < 100; ++i) {
    auto t = w.start({"sh", "-c", "head -c 300000 /dev/zero; head -c 70000 /dev/zero >&2; exit 2"});
    REQUIRE(w.until_ended(*t));
    REQUIRE(t->out.size() == 300000);
    REQUIRE(t->err.size() == 70000);
  }
}

TEST_CASE("Child: on a pty it believes in a terminal, of our size, and follows its changes") {
  World w;
  SpawnOptions o;
  o.argv = {"node", fixture("terminal.mjs")};
  o.output = SpawnOptions::Output::pty;
  o.window = {123, 45};
  set_env(o.env, "TERM", "xterm-256color");
  unset_env(o.env, "NO_COLOR");
  unset_env(o.env, "NODE_DISABLE_COLORS");
  unset_env(o.env, "CI");  // with it Node assumes a log without colours
  auto t = w.start(std::move(o));
  REQUIRE(w.until_said(*t, "start"));
  CHECK(t->out == "start true 123x45 depth true\n");
  t->child->resize({99, 20});
  REQUIRE(w.until_ended(*t));
  CHECK(t->out == "start true 123x45 depth true\nresized true 99x20 depth true\n");
  CHECK(t->err.empty());
}

TEST_CASE("Child: a frozen one is killed") {
  World w;
  auto t = w.start({fixture("ignores_sigterm.sh")});
  REQUIRE(w.until_said(*t, "\n"));
  const pid_t grandchild = static_cast<pid_t>(std::stol(t->out.substr(t->out.rfind(' '))));
  t->child->freeze();
  CHECK(t->child->running());
  t->child->kill();
  REQUIRE(w.until_ended(*t));
  CHECK(*t->cause == ExitCause(Signaled{SIGKILL, false}));
  CHECK_FALSE(alive(grandchild));
}

TEST_CASE("Child: a frozen one does nothing until it is thawed, and obeys a stop") {
  World w;
  auto t = w.start({fixture("obeys_sigterm.mjs")});
  REQUIRE(w.until_said(*t, "ready"));
  const auto leader = static_cast<id_t>(t->child->pid());
  t->child->freeze();
  siginfo_t info{};
  REQUIRE(::waitid(P_PID, leader, &info, WSTOPPED | WNOWAIT) == 0);
  CHECK(info.si_code == CLD_STOPPED);
  t->child->signal(SIGUSR1);
  w.io.poll();
  CHECK(t->child->running());
  CHECK(t->out == "ready\n");
  t->child->thaw();
  REQUIRE(w.until_said(*t, "pong"));
  t->child->freeze();
  t->child->stop(15s);
  REQUIRE(w.until_ended(*t));
  CHECK(*t->cause == ExitCause(Exited{7}));
}

TEST_CASE("Child: a command that cannot start says why") {
  World w;
  auto error = [&](SpawnOptions o) {
    auto r = w.supervisor.spawn(std::move(o), {});
    REQUIRE_FALSE(r);
    return r.error();
  };
  auto with = [](std::vector<std::string> argv, std::string cwd = {}) {
    SpawnOptions o;
    o.argv = std::move(argv);
    o.cwd = std::move(cwd);
    return o;
  };
  CHECK(error(with({})).message == "cannot start a command: it is empty");
  CHECK(error(with({"nextt", "dev"})).message == "cannot start nextt: no such program in PATH");
  CHECK(error(with({"nextt"})).fix == "install it, or give its path, such as ./node_modules/.bin/nextt");
  CHECK(error(with({"./nowhere"})).message == "cannot start ./nowhere: there is no such file");
  CHECK(error(with({"/tmp"})).message == "cannot start /tmp: it is a directory");
  CHECK(error(with({"sh"}, "/nowhere/at/all")).message ==
        "cannot start sh: the directory /nowhere/at/all does not exist");

  char name[] = "/tmp/vsim-test-XXXXXX";
  const int fd = ::mkstemp(name);
  REQUIRE(fd >= 0);
  const std::string file = name;
  CHECK(error(with({file})).message == "cannot start " + file + ": the file is not executable");
  const std::string text = "#!/no/such/interpreter\n";
  REQUIRE(::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  ::fchmod(fd, 0755);
  ::close(fd);
  CHECK(error(with({file})).message ==
        "cannot start " + file + ": the interpreter named in the first line of " + file + " does not exist");
  ::unlink(name);
}

TEST_CASE("Child: a program is looked up in the child's own PATH and directory") {
  World w;
  SpawnOptions o;
  o.argv = {"./obeys_sigterm.mjs"};
  o.cwd = fixture("");
  auto t = w.start(std::move(o));
  REQUIRE(w.until_said(*t, "ready"));
  t->child->kill();
  REQUIRE(w.until_ended(*t));

  SpawnOptions p;
  p.argv = {"obeys_sigterm.mjs"};
  set_env(p.env, "PATH", fixture("") + ":/usr/bin:/bin");
  auto u = w.start(std::move(p));
  REQUIRE(w.until_said(*u, "ready"));
}

TEST_CASE("Child: no descriptor, signal mask or signal disposition of ours is inherited") {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);  // as Asio opens them: without close-on-exec
  const int high = ::dup2(socket, 200);
  sigset_t set, before;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &set, &before);
  const auto pipe_before = ::signal(SIGPIPE, SIG_IGN);
  {
    World w;
    auto t = w.start({"ls", "/proc/self/fd"});
    REQUIRE(w.until_ended(*t));
    CHECK(t->out == "0\n1\n2\n3\n");  // 3 is the listed directory itself
    auto u = w.start({"grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"});
    REQUIRE(w.until_ended(*u));
    CHECK(u->out ==
          "SigBlk:\t0000000000000000\n"
          "SigIgn:\t0000000000000000\n");
  }
  ::signal(SIGPIPE, pipe_before);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::close(socket);
  ::close(high);
}

TEST_CASE("Child: descriptors that are handed over become 3, 4, …, whatever their numbers were") {
  World w;
  auto a = os::make_pipe(), b = os::make_pipe();
  REQUIRE(a);
  REQUIRE(b);
  SpawnOptions o;
  o.argv = {"sh", "-c", "echo three >&3; echo four >&4"};
  o.inherit = {b->write.get(), a->write.get()};
  auto t = w.start(std::move(o));
  REQUIRE(w.until_ended(*t));
  char buffer[16];
  CHECK(std::string(buffer, static_cast<std::size_t>(::read(b->read.get(), buffer, sizeof buffer))) ==
        "three\n");
  CHECK(std::string(buffer, static_cast<std::size_t>(::read(a->read.get(), buffer, sizeof buffer))) ==
        "four\n");
}

TEST_CASE("Child: it leads a session and a group of its own") {
  World w;
  auto t = w.start({fixture("obeys_sigterm.mjs")});
  const auto info = os::inspect(t->child->pid());
  REQUIRE(info);
  CHECK(info->group == t->child->pid());
  CHECK(info->session == t->child->pid());
  CHECK(info->parent == ::getpid());
}

TEST_CASE("Child: destroying it kills it without a callback") {
  World w;
  auto t = w.start({fixture("ignores_sigterm.sh")});
  REQUIRE(w.until_said(*t, "\n"));
  const pid_t leader = t->child->pid();
  const pid_t grandchild = static_cast<pid_t>(std::stol(t->out.substr(t->out.rfind(' '))));
  t->child.reset();
  bool done = false;
  w.supervisor.stop_all(0ms, [&] { done = true; });
  REQUIRE(w.until([&] { return done; }));
  CHECK_FALSE(alive(leader));
  CHECK_FALSE(alive(grandchild));
  CHECK_FALSE(t->cause);
}

TEST_CASE("Child: the end of the event loop is the end of the child") {
  pid_t leader, grandchild;
  {
    World w;
    auto t = w.start({fixture("ignores_sigterm.sh")});
    REQUIRE(w.until_said(*t, "\n"));
    leader = t->child->pid();
    grandchild = static_cast<pid_t>(std::stol(t->out.substr(t->out.rfind(' '))));
  }
  CHECK_FALSE(alive(leader));
  CHECK(gone_within(grandchild, 10s));
}

TEST_CASE("Child: may be destroyed in its own exit callback") {
  World w;
  std::unique_ptr<Child> child;
  bool ended = false;
  SpawnOptions o;
  o.argv = {"true"};
  auto r = w.supervisor.spawn(std::move(o), {nullptr, [&](const ExitCause&) {
                                               child.reset();
                                               ended = true;
                                             }});
  REQUIRE(r);
  child = std::move(*r);
  REQUIRE(w.until([&] { return ended; }));
  CHECK_FALSE(child);
}

TEST_CASE("Supervisor: stop_all stops every child and then says so, also when there is none") {
  World w;
  auto a = w.start({fixture("ignores_sigterm.sh")});
  auto b = w.start({fixture("obeys_sigterm.mjs")});
  REQUIRE(w.until_said(*a, "\n"));
  REQUIRE(w.until_said(*b, "\n"));
  bool done = false;
  w.supervisor.stop_all(100ms, [&] {
    CHECK(a->cause == ExitCause(Signaled{SIGKILL, false}));
    CHECK(b->cause == ExitCause(Exited{7}));
    done = true;
  });
  CHECK_FALSE(done);
  REQUIRE(w.until([&] { return done; }));
  done = false;
  w.supervisor.stop_all(1h, [&] { done = true; });
  REQUIRE(w.until([&] { return done; }));
}

TEST_CASE("Supervisor: 40 children at once, each told once with its own code") {
  World w;
  std::vector<std::unique_ptr<Talker>> all;
  for (int i = 0; i < 40; ++i)
    all.push_back(w.start({"sh", "-c", "echo " + std::to_string(i) + "; exit " + std::to_string(i)}));
  for (int i = 0; i < 40; ++i) {
    REQUIRE(w.until_ended(*all[static_cast<std::size_t>(i)]));
    CHECK(all[static_cast<std::size_t>(i)]->cause == ExitCause(Exited{i}));
    CHECK(all[static_cast<std::size_t>(i)]->out == std::to_string(i) + "\n");
  }
}

namespace {

// In our place it has our own streams, so it talks on descriptor 3.
struct InPlace {
  os::Fd read;
  std::unique_ptr<Talker> talker;
  InPlace(World& w, const std::string& script) {
    auto pipe = os::make_pipe();
    REQUIRE(pipe);
    SpawnOptions o;
    o.argv = {"sh", "-c", script};
    o.in_place = true;
    o.inherit = {pipe->write.get()};
    talker = w.start(std::move(o));
    read = std::move(pipe->read);
  }
  std::string line() {
    std::string out;
    char c = 0;
    for (;;) {
      const ssize_t n = ::read(read.get(), &c, 1);
      if (n < 0 && errno == EINTR) continue;  // the death of another child
      if (n != 1 || c == '\n') return out;
      out += c;
    }
  }
};

}  // namespace

TEST_CASE("Child in place: our session and process group, and the mark in its environment") {
  World w;
  InPlace p(w, "cut -d' ' -f5,6 /proc/$$/stat >&3; echo \"${VERCEL_SIM_CHILD%%-*}\" >&3; exit 4");
  CHECK(p.line() == fmt::format("{} {}", ::getpgrp(), ::getsid(0)));
  CHECK(p.line() == std::to_string(::getpid()));
  REQUIRE(w.until_ended(*p.talker));
  CHECK(*p.talker->cause == ExitCause(Exited{4}));
}

TEST_CASE("Child in place: what it leaves behind ends with it, detached or not; we and others do not") {
  World w;
  auto other = w.start({"sh", "-c", "echo ready; exec sleep 1000"});
  REQUIRE(w.until_said(*other, "ready"));
  InPlace p(w,
            "sleep 1001 & echo $! >&3; setsid sleep 1002 & echo $! >&3; (sleep 1003 & echo $! >&3); exit 0");
  std::vector<pid_t> left;
  for (int i = 0; i < 3; ++i) left.push_back(static_cast<pid_t>(std::stol(p.line())));
  REQUIRE(w.until_ended(*p.talker));
  CHECK(*p.talker->cause == ExitCause(Exited{0}));
  for (const pid_t pid : left) CHECK_FALSE(alive(pid));
  CHECK(other->child->running());
}

TEST_CASE("Child in place: a signal reaches all of its descendants, and nobody else of our group") {
  World w;
  InPlace p(w,
            "trap 'echo outer >&3; wait; exit 5' USR1; "
            "sh -c 'trap \"echo inner >&3; exit 0\" USR1; echo ready >&3; while :; do sleep 0.02; done' & "
            "wait");
  CHECK(p.line() == "ready");
  const auto before = ::signal(SIGUSR1, SIG_DFL);  // it would end us
  p.talker->child->signal(SIGUSR1);
  const std::set<std::string> said{p.line(), p.line()};
  CHECK(said == std::set<std::string>{"inner", "outer"});
  REQUIRE(w.until_ended(*p.talker));
  ::signal(SIGUSR1, before);
  CHECK(*p.talker->cause == ExitCause(Exited{5}));
}

TEST_CASE("Child in place: stop gives the grace, then kills all of it") {
  World w;
  InPlace p(w,
            "trap '' TERM; sh -c 'trap \"\" TERM; echo $$ >&3; while :; do sleep 0.02; done' & wait; wait");
  const pid_t inner = static_cast<pid_t>(std::stol(p.line()));
  p.talker->child->stop(100ms);
  REQUIRE(w.until_ended(*p.talker));
  CHECK(*p.talker->cause == ExitCause(Signaled{SIGKILL, false}));
  CHECK_FALSE(alive(inner));
}
