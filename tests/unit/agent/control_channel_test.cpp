// The channel on a real unix socket.
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>

#include "recorder.hpp"

using namespace vsim;
using namespace vsim::agent;
using namespace vsim::agent::test;
using namespace std::chrono_literals;

namespace {

constexpr auto kDeadline = 5s;
const std::string kToken = "0123456789abcdef";
const std::string kHello = R"({"t":"hello","pid":1,"next":"16.4.6","bundler":"webpack","missing":[]})";
const std::string kHelloSaid = "hello 1 16.4.6 webpack []";

// A plain blocking peer, as the agent is one.
struct Agent {
  int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  explicit Agent(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    REQUIRE(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }
  Agent(const Agent&) = delete;
  ~Agent() { close(); }
  void close() {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
  // As much as the socket takes at once.
  std::size_t offer(std::string_view bytes) const {
    const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return n > 0 ? static_cast<std::size_t>(n) : 0;
  }
  void write(std::string_view bytes) const { REQUIRE(offer(bytes) == bytes.size()); }
  bool was_closed() const {
    char byte;
    const ssize_t n = ::recv(fd, &byte, 1, MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno == ECONNRESET);
  }
};

struct World {
  World() {
    char name[] = "/tmp/vsim-agent-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    folder = name;
    path = folder + "/agent.sock";
    REQUIRE(channel->listen(path));
  }
  ~World() {
    channel.reset();
    std::filesystem::remove_all(folder);
  }
  bool until(const std::function<bool()>& done) {
    const auto end = std::chrono::steady_clock::now() + kDeadline;
    while (!done()) {
      if (std::chrono::steady_clock::now() > end) return false;
      io.run_one_for(20ms);
    }
    return true;
  }
  bool until_said(std::size_t lines) {
    return until([&] { return r.said.size() >= lines; });
  }

  boost::asio::io_context io;
  Recorder r;
  std::unique_ptr<ControlChannel> channel = std::make_unique<ControlChannel>(io, r, kToken);
  std::string folder, path;
};

}  // namespace

TEST_CASE("Control channel: lines may come in any pieces") {
  World w;
  Agent agent(w.path);
  const std::string all = kToken + "\n" + kHello + "\n{\"t\":\"handler\",\"id\":\"7\"}\n";
  for (const char c : all) {
    agent.write({&c, 1});
    w.io.poll();
  }
  REQUIRE(w.until_said(2));
  CHECK(w.r.said == std::vector<std::string>{kHelloSaid, "handler 7"});
}

TEST_CASE("Control channel: a line without an end is given up, and its sender with it") {
  World w;
  Agent agent(w.path);
  agent.write(kToken + "\n");
  const std::string much(16 * 1024, 'x');
  std::size_t sent = 0;
  REQUIRE(w.until([&] {
    sent += agent.offer(much);
    return !w.r.said.empty() || sent > 20'000'000;
  }));
  CHECK(w.r.said == std::vector<std::string>{"problem a line on the agent's channel is too long", "closed"});
  REQUIRE(w.until([&] { return agent.was_closed(); }));
}

TEST_CASE("Control channel: a long line that ends is a line") {
  World w;
  Agent agent(w.path);
  const std::string page = "/" + std::string(100'000, 'a');
  const std::string line =
      kToken + "\n{\"t\":\"dispatch\",\"id\":\"1\",\"page\":\"" + page + "\",\"kind\":\"PAGES\"}\n";
  std::size_t sent = 0;
  REQUIRE(w.until([&] {
    sent += agent.offer(std::string_view(line).substr(sent));
    return !w.r.said.empty();
  }));
  CHECK(w.r.said.front() == "dispatch 1 " + page + " PAGES  dynamic");
}

namespace {

struct Instances final : InstanceHandler {
  std::vector<std::string> said;
  std::uint64_t known = 3;

  static std::string i(std::uint64_t n) { return "i" + std::to_string(n) + " "; }
  void say(std::uint64_t n, const std::string& what) { said.push_back(i(n) + what); }
  bool on_instance(std::uint64_t n, std::string_view secret, pid_t pid) override {
    return n <= known && secret == "s" + std::to_string(n) && pid == ::getpid();
  }
  bool is_of_instance(pid_t) override { return inside; }
  bool inside = false;  // the agent that comes next is in an instance
  void on_ready(std::uint64_t n, double ms) override {
    say(n, "ready " + std::to_string(static_cast<int>(ms)));
  }
  void on_bound(std::uint64_t n, BoundReport told) override {
    say(n, "bound " + std::string(told.page) + " " + Recorder::joined(told.files));
  }
  void on_handler(std::uint64_t n, InvocationId id) override { say(n, "handler " + Recorder::text(id)); }
  void on_dispatch(std::uint64_t n, InvocationId id, std::string_view page, std::string_view kind,
                   std::string_view runtime, bool is_static) override {
    say(n, "dispatch " + Recorder::text(id) + " " + std::string(page) + " " + std::string(kind) + " " +
               std::string(runtime) + (is_static ? " static" : ""));
  }
  void on_compile(std::uint64_t n, InvocationId id, bool ended) override {
    say(n, "compile " + Recorder::text(id) + (ended ? " end" : " start"));
  }
  void on_call(std::uint64_t n, bool open) override { say(n, open ? "call" : "called"); }
  void on_done(std::uint64_t n, InvocationId id, std::optional<std::vector<std::string>> files,
               const std::vector<Hanging>& hanging, bool untouched) override {
    std::string line = "done " + Recorder::text(id) + " " + (files ? Recorder::joined(*files) : "same");
    for (const Hanging& h : hanging) line += " " + h.kind + "@" + h.at;
    if (untouched) line += " untouched";
    say(n, line);
  }
  void on_state(std::uint64_t n, InvocationId id, const StateReport& report) override {
    std::string line = "state " + Recorder::text(id);
    for (const StateSeen& s : report.seen) line += " " + s.name + Recorder::joined(s.had);
    say(n, line);
  }
  void on_pong(std::uint64_t n) override { say(n, "pong"); }
  void on_answer_at(std::uint64_t n, InvocationId id, std::string_view place) override {
    say(n, "answer " + Recorder::text(id) + " " + std::string(place));
  }
  void on_refused(std::uint64_t n, InvocationId id, const Refused& r) override {
    say(n, "refused " + Recorder::text(id) + " " + std::string(r.what) + " at " + std::string(r.at) +
               (r.failed ? " failed" : "") + (r.middleware ? " middleware" : ""));
  }
  void on_machine(std::uint64_t n, InvocationId id, const Machine& m) override {
    say(n, "machine " + Recorder::text(id) + " " + std::string(m.kind) + " " + std::string(m.what) + " " +
               std::string(m.to) + " at " + std::string(m.at) + (m.refused ? " refused" : "") +
               (m.doubt.empty() ? "" : " " + std::string(m.doubt)) +
               (m.variable.empty() ? "" : " by " + std::string(m.variable)));
  }
  void on_missing(std::uint64_t n, const std::vector<std::string>& names) override {
    std::string all;
    for (const std::string& name : names) all += " " + name;
    say(n, "missing" + all);
  }
  void on_socket_failed(std::uint64_t n, InvocationId id) override {
    say(n, "socket_failed " + std::to_string(static_cast<std::uint64_t>(id)));
  }
  void on_broken_off(std::uint64_t n, InvocationId id, std::string_view message,
                     std::string_view source) override {
    say(n, "broken_off " + Recorder::text(id) + " " + std::string(message) + "@" + std::string(source));
  }
  void on_crashed(std::uint64_t n, InvocationId id, int exit_status) override {
    say(n, "crashed " + Recorder::text(id) + " " + std::to_string(exit_status));
  }
  void on_dying(std::uint64_t n, std::string_view why, std::string_view message, std::string_view) override {
    say(n, "dying " + std::string(why) + " " + std::string(message));
  }
  void on_closed(std::uint64_t n) override { say(n, "closed"); }
};

using Lines = std::vector<std::string>;

Lines heard(std::string_view line, bool understood = true) {
  Instances instances;
  Said said;
  CHECK(deliver(line, 1, instances, said) == understood);
  return instances.said;
}

}  // namespace

TEST_CASE("Control channel: what an instance says") {
  CHECK(heard(R"({"t":"ready","pid":5,"ms":412.5})") == Lines{"i1 ready 412"});
  CHECK(heard(R"({"t":"bound","page":"/api/x/route","ms":3,"files":["/a.js",4]})") ==
        Lines{"i1 bound /api/x/route [/a.js]"});
  CHECK(heard(R"({"t":"handler","id":"18446744073709551615"})") == Lines{"i1 handler 18446744073709551615"});
  CHECK(heard(R"({"t":"compile","id":"7","phase":"end","ms":1})") == Lines{"i1 compile 7 end"});
  CHECK(
      heard(
          R"({"t":"dispatch","id":"7","page":"/a/page","kind":"APP_PAGE","runtime":"nodejs","static":true})") ==
      Lines{"i1 dispatch 7 /a/page APP_PAGE nodejs static"});
  CHECK(heard(R"({"t":"call","open":true})") == Lines{"i1 call"});
  CHECK(heard(R"({"t":"done","id":"7"})") == Lines{"i1 done 7 same"});
  CHECK(heard(R"({"t":"done","id":"7","untouched":true})") == Lines{"i1 done 7 same untouched"});
  CHECK(
      heard(
          R"({"t":"done","id":"7","files":[],"hanging":[{"kind":"interval","at":"chunk.js:1:2","source":"app/x.ts:3:4","ms":5},{"kind":"socket","at":"c.js:9:9"},3]})") ==
      Lines{"i1 done 7 [] interval@app/x.ts:3:4 socket@c.js:9:9"});
  CHECK(heard(R"-({"t":"missing","names":["AppRouteRouteModule","edge",7]})-") ==
        Lines{"i1 missing AppRouteRouteModule edge"});
  CHECK(heard(R"-({"t":"socket_failed","id":"7"})-") == Lines{"i1 socket_failed 7"});
  CHECK(
      heard(
          R"-({"t":"machine","id":"7","kind":"self","what":"fetch","to":"http://localhost:3000/x","at":"c:1:2",)-"
          R"-("source":"app/page.js:4:32","refused":true,"doubt":""})-") ==
      Lines{"i1 machine 7 self fetch http://localhost:3000/x at app/page.js:4:32 refused"});
  CHECK(
      heard(
          R"-({"t":"machine","id":"7","kind":"disk","what":"writeFile","to":"/var/task/a","doubt":"package"})-") ==
      Lines{"i1 machine 7 disk writeFile /var/task/a at  package"});
  CHECK(
      heard(
          R"-({"t":"machine","id":"7","kind":"loopback","to":"localhost:5432","variable":"DATABASE_URL"})-") ==
      Lines{"i1 machine 7 loopback  localhost:5432 at  by DATABASE_URL"});
  CHECK(heard(R"-({"t":"answer","id":"7","source":"pages/api/file.js:6:5"})-") ==
        Lines{"i1 answer 7 pages/api/file.js:6:5"});
  CHECK(heard(R"-({"t":"refused","id":"7","what":"eval()","at":"c.js:1:1","failed":true})-") ==
        Lines{"i1 refused 7 eval() at c.js:1:1 failed"});
  CHECK(heard(R"({"t":"broken_off","id":"7","message":"no","source":"app/x.ts:3:4"})") ==
        Lines{"i1 broken_off 7 no@app/x.ts:3:4"});
  CHECK(heard(R"({"t":"broken_off","id":"7"})") == Lines{"i1 broken_off 7 @"});
  CHECK(heard(R"({"t":"crashed","id":"7","code":129})") == Lines{"i1 crashed 7 129"});
  CHECK(heard(R"-({"t":"dying","why":"exit","message":"process.exit(3)","code":3})-") ==
        Lines{"i1 dying exit process.exit(3)"});
  CHECK(heard(R"({"t":"pong"})") == Lines{"i1 pong"});
}

TEST_CASE("Control channel: junk of an instance is refused, what it may say in later versions is not") {
  CHECK(heard("", false).empty());
  CHECK(heard("{", false).empty());
  CHECK(heard("[]", false).empty());
  CHECK(heard(R"({"t":7})", false).empty());
  CHECK(heard(R"({"t":"compile","id":"7","phase":"middle"})", false).empty());
  CHECK(heard(std::string(100, '[') + std::string(100, ']'), false).empty());
  CHECK(heard(R"({"t":"later","id":"7"})").empty());
  // Numbers no id can be are nobody's.
  for (const char* id : {R"("-1")", R"("1x")", R"("")", "7", R"("99999999999999999999999")"})
    CHECK(heard(std::string(R"({"t":"handler","id":)") + id + "}") == Lines{"i1 handler 0"});
}

TEST_CASE("Control channel: instances and agents, many at once, each heard as itself") {
  World w;
  Instances instances;
  w.channel->set_instances(&instances);
  Agent agent(w.path), first(w.path), second(w.path);
  agent.write(kToken + "\n" + kHello + "\n");
  second.write("s2 instance 2\n{\"t\":\"pong\"}\n");
  first.write("s1 instance 1\n{\"t\":\"ready\",\"ms\":1}\n{\"t\":\"po");
  REQUIRE(w.until([&] { return instances.said.size() >= 2 && !w.r.said.empty(); }));
  first.write("ng\"}\n");
  REQUIRE(w.until([&] { return instances.said.size() >= 3; }));
  std::sort(instances.said.begin(), instances.said.end());
  CHECK(instances.said == Lines{"i1 pong", "i1 ready 1", "i2 pong"});
  CHECK(w.r.said == Lines{kHelloSaid});
  second.close();
  REQUIRE(w.until([&] { return instances.said.size() >= 4; }));
  CHECK(instances.said.back() == "i2 closed");
  w.channel->set_instances(nullptr);
}

TEST_CASE("Control channel: what a template has told before it left, its copies need not tell") {
  World w;
  Instances instances;
  w.channel->set_instances(&instances);
  Agent of_template(w.path);
  const std::string rooms = R"({"t":"variables","told":[{"variable":1,"name":"rooms","had":["a"]}]})";
  const std::string hits = R"({"t":"variables","told":[{"variable":2,"name":"hits","had":["0"]}]})";
  of_template.write("s1 instance 1\n" + rooms + "\n" + hits + "\n");
  of_template.close();
  REQUIRE(w.until([&] { return !instances.said.empty(); }));
  CHECK(instances.said == Lines{"i1 closed"});
  REQUIRE(w.channel->told_by(1) != nullptr);
  w.channel->begins_with(2, w.channel->told_by(1));
  w.channel->forget(1);
  CHECK(w.channel->told_by(1) == nullptr);

  Agent copy(w.path), other(w.path);
  const std::string state = R"({"t":"state","id":"7","seen":[1,2]})";
  copy.write("s2 instance 2\n" + state + "\n");
  other.write("s3 instance 3\n" + state + "\n");
  REQUIRE(w.until([&] { return instances.said.size() >= 3; }));
  std::sort(instances.said.begin(), instances.said.end());
  CHECK(instances.said == Lines{"i1 closed", "i2 state 7 rooms[a] hits[0]", "i3 state 7"});
  copy.close();
  REQUIRE(w.until([&] { return instances.said.size() >= 4; }));
  CHECK(w.channel->told_by(2) == nullptr);  // it is no template
  w.channel->set_instances(nullptr);
}

TEST_CASE("Control channel: a number that is not known, taken or forgotten is put out") {
  World w;
  Instances instances;
  Agent early(w.path);
  early.write("s1 instance 1\n");
  REQUIRE(w.until([&] { return early.was_closed(); }));
  w.channel->set_instances(&instances);
  Agent unknown(w.path), zero(w.path), word(w.path), stranger(w.path), first(w.path);
  unknown.write("s4 instance 4\n");
  zero.write("s0 instance 0\n");
  word.write("s1 instance 1x\n");
  stranger.write("fedcba9876543210 instance 1\n");
  first.write("s1 instance 1\n{\"t\":\"pong\"}\n");
  REQUIRE(w.until([&] {
    return unknown.was_closed() && zero.was_closed() && word.was_closed() && stranger.was_closed() &&
           !instances.said.empty();
  }));
  Agent twice(w.path);
  twice.write("s1 instance 1\n{\"t\":\"pong\"}\n");
  REQUIRE(w.until([&] { return twice.was_closed(); }));
  CHECK(instances.said == Lines{"i1 pong"});
  w.channel->forget(1);
  REQUIRE(w.until([&] { return first.was_closed(); }));
  CHECK(instances.said == Lines{"i1 pong"});  // nobody asked, nobody is told
  CHECK_FALSE(w.channel->send(1, ping_line()));
  CHECK(w.r.said.empty());
}

TEST_CASE("Control channel: with the secret of another it is nobody, and so is the run's token") {
  World w;
  Instances instances;
  w.channel->set_instances(&instances);
  for (const std::string& line :
       {std::string("s2 instance 1\n"), kToken + " instance 1\n", std::string(" instance 1\n")}) {
    Agent wrong(w.path);
    wrong.write(line + "{\"t\":\"pong\"}\n");
    CHECK(w.until([&] { return wrong.was_closed(); }));
  }
  CHECK(instances.said.empty());
}

TEST_CASE("Control channel: what runs in an instance does not speak for next dev, though it has the token") {
  World w;
  Instances instances;
  instances.inside = true;
  w.channel->set_instances(&instances);
  Agent forged(w.path);
  forged.write(kToken + "\n" + kHello + "\n");
  CHECK(w.until([&] { return forged.was_closed(); }));
  CHECK(w.r.said.empty());
}

TEST_CASE("Control channel: a second agent is believed when the process of the first has ended") {
  World w;
  const pid_t child = ::fork();
  if (child == 0) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, w.path.c_str(), sizeof address.sun_path - 1);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    const std::string text = kToken + "\n" + kHello + "\n";
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::write(fd, text.data(), text.size()) < 0)
      ::_exit(1);
    for (;;) ::pause();
  }
  REQUIRE(w.until_said(1));
  {
    Agent second(w.path);
    second.write(kToken + "\n" + kHello + "\n");
    CHECK(w.until([&] { return second.was_closed(); }));
  }
  CHECK(w.r.said == std::vector<std::string>{kHelloSaid});
  ::kill(child, SIGKILL);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  Agent third(w.path);
  third.write(kToken + "\n" + kHello + "\n");
  CHECK(w.until([&] { return std::count(w.r.said.begin(), w.r.said.end(), kHelloSaid) == 2; }));
}

TEST_CASE("Control channel: who comes while no descriptor is left is heard later") {
  World w;
  Agent agent(w.path);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit none = before;
  none.rlim_cur = 0;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  w.io.run_for(20ms);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  agent.write(kToken + "\n" + kHello + "\n");
  REQUIRE(w.until_said(1));
  CHECK(w.r.said.front() == kHelloSaid);
}

TEST_CASE("Control channel: lines to an instance arrive whole and in order, however long") {
  World w;
  Instances instances;
  w.channel->set_instances(&instances);
  Agent first(w.path);
  first.write("s1 instance 1\n{\"t\":\"pong\"}\n");
  REQUIRE(w.until([&] { return !instances.said.empty(); }));
  const std::string head(1'000'000, 'h');
  std::string expected;
  for (const std::string& line :
       {ping_line(), bind_line("/api/x/route", "APP_ROUTE", "nodejs", head), expire_line(InvocationId{9})}) {
    REQUIRE(w.channel->send(1, line));
    expected += line + "\n";
  }
  std::string got;
  REQUIRE(w.until([&] {
    std::vector<char> bytes(64 * 1024);
    const ssize_t n = ::recv(first.fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (n > 0) got.append(bytes.data(), static_cast<std::size_t>(n));
    return got.size() >= expected.size();
  }));
  CHECK((got == expected));
  CHECK(got.starts_with("{\"t\":\"ping\"}\n{\"t\":\"bind\",\"page\":\"/api/x/route\""));
  CHECK(got.ends_with("{\"t\":\"expire\",\"id\":\"9\"}\n"));
}

TEST_CASE("Control channel: what the agent tells of isolation, and which agent has gone") {
  World w;
  Agent parent(w.path), agent(w.path);
  parent.write(kToken + "\n" + kHello + "\n");
  REQUIRE(w.until_said(1));
  agent.write(kToken +
              "\n{\"t\":\"hello\",\"pid\":2,\"next\":\"16.4.6\",\"bundler\":\"turbopack\",\"missing\":[],"
              "\"exec\":\"/usr/bin/node\",\"isolation\":{\"ok\":true,\"missing\":[],\"grouped\":true}}\n"
              "{\"t\":\"boot\",\"file\":\"/run/boot.json\"}\n"
              "{\"t\":\"changed\",\"generation\":4,\"all\":true,\"files\":[\"/a\"]}\n"
              "{\"t\":\"state\",\"id\":\"7\",\"method\":\"GET\",\"seen\":[{\"name\":\"hits\"}]}\n"
              "{\"t\":\"boot\"}\n");
  REQUIRE(w.until_said(6));
  parent.close();
  REQUIRE(w.until_said(7));
  agent.close();
  REQUIRE(w.until_said(8));
  CHECK(w.r.said == Lines{kHelloSaid, "hello 2 16.4.6 turbopack [] /usr/bin/node ok [] grouped",
                          "boot /run/boot.json", "changed 4 all [/a]", "state 7 GET 1",
                          "problem a line on the agent's channel was not understood: {\"t\":\"boot\"}",
                          "closed", "closed booted"});
}

TEST_CASE("Channel: a line to the agent reaches the one that came last, which answers it") {
  World w;
  CHECK_FALSE(w.channel->send_to_agent(compile_line("/a/route", "APP_ROUTE")));
  Agent first(w.path);
  first.write(kToken + "\n" + kHello + "\n");
  REQUIRE(w.until_said(1));
  Agent agent(w.path);
  agent.write(kToken + "\n" + kHello.substr(0, kHello.size() - 1) + R"(,"compile":true})" + "\n");
  REQUIRE(w.until_said(2));
  CHECK(w.r.said[1] == kHelloSaid + " compile");
  REQUIRE(w.channel->send_to_agent(compile_line("/a \"b\"/route", "APP_ROUTE")));
  std::string line;
  REQUIRE(w.until([&] {
    char bytes[256];
    const ssize_t n = ::recv(agent.fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n > 0) line.append(bytes, static_cast<std::size_t>(n));
    return line.ends_with('\n');
  }));
  CHECK(line == R"({"t":"compile","page":"/a \"b\"/route","kind":"APP_ROUTE"})"
                "\n");
  agent.write(R"({"t":"precompiled","page":"/a","kind":"PAGES","ms":7.5,"status":"failed","error":"no"})"
              "\n"
              R"({"t":"precompiled","page":"/a","kind":"PAGES","status":"odd"})"
              "\n");
  REQUIRE(w.until_said(4));
  CHECK(w.r.said[2] == "precompiled /a PAGES failed 7 no");
  CHECK(w.r.said[3].starts_with("problem "));
  agent.close();
  REQUIRE(w.until_said(5));
  CHECK_FALSE(w.channel->send_to_agent("x"));
}
