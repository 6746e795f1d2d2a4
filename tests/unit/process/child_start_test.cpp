// How a child begins: why one does not, where its program is looked up, what it inherits and leads.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "world.hpp"

using namespace vsim;
using namespace vsim::process;
using namespace vsim::process::test;

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
