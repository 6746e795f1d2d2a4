#include "agent/control.hpp"

#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <functional>

using namespace vsim;
using namespace vsim::agent;
using boost::asio::local::stream_protocol;

namespace {

// Writes down what it is told, one line each.
class Journal final : public ControlHandler {
 public:
  std::vector<std::string> lines;

  void on_hello(const Hello& h) override {
    std::string line =
        "hello " + std::to_string(h.pid) + " " + std::string(h.next) + " " + std::string(h.bundler);
    for (const auto& name : h.missing) line += " -" + name;
    lines.push_back(line);
  }
  void on_listening() override { lines.emplace_back("listening"); }
  void on_config(const AppConfig& config) override {
    std::string line = "config " + config.base_path.value_or("?");
    if (config.page_extensions)
      for (const auto& extension : *config.page_extensions) line += " ." + extension;
    lines.push_back(line);
  }
  void on_dispatch(InvocationId id, std::string_view page, std::string_view kind, std::string_view runtime,
                   bool is_static) override {
    lines.push_back("dispatch " + text(id) + " " + std::string(page) + " " + std::string(kind) + " " +
                    std::string(runtime) + (is_static ? " static" : ""));
  }
  void on_compile(InvocationId id, bool ended) override {
    lines.push_back("compile " + text(id) + (ended ? " end" : " start"));
  }
  void on_handler(InvocationId id) override { lines.push_back("handler " + text(id)); }
  void on_problem(std::string_view message) override {
    lines.push_back("problem " + std::string(message));
    if (at_problem) at_problem();
  }
  void on_boot(const Boot& boot) override { lines.push_back("boot " + boot.file); }
  void on_changed(const Changed& c) override { lines.push_back("changed " + std::to_string(c.generation)); }
  void on_closed(bool) override { lines.emplace_back("closed"); }

  std::function<void()> at_problem;

 private:
  static std::string text(InvocationId id) { return std::to_string(static_cast<std::uint64_t>(id)); }
};

struct World {
  World() {
    char name[] = "/tmp/vsim-agent-XXXXXX";
    folder = ::mkdtemp(name);
    path = folder + "/c.sock";
    channel.emplace(io, journal, "secret");
    REQUIRE(channel->listen(path));
  }
  ~World() {
    channel.reset();
    io.restart();
    io.run_for(std::chrono::milliseconds(50));
    std::filesystem::remove_all(folder);
  }

  stream_protocol::socket connect(std::string_view first = "secret\n") {
    stream_protocol::socket socket(io);
    socket.connect(stream_protocol::endpoint(path));
    boost::asio::write(socket, boost::asio::buffer(first));
    return socket;
  }

  // Runs until the journal has `n` lines; false after a deadline.
  bool until(std::size_t n) {
    return run_until([&] { return journal.lines.size() >= n; });
  }
  bool run_until(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (!done()) {
      io.restart();
      if (std::chrono::steady_clock::now() > deadline) return false;
      io.run_one_until(deadline);
    }
    return true;
  }
  // True when the other side has closed the connection.
  bool closed(stream_protocol::socket& socket) {
    char byte;
    bool over = false;
    socket.async_read_some(boost::asio::buffer(&byte, 1),
                           [&](boost::system::error_code error, std::size_t) { over = bool(error); });
    return run_until([&] { return over; });
  }

  boost::asio::io_context io;
  Journal journal;
  std::optional<ControlChannel> channel;
  std::string folder, path;
};

void write(stream_protocol::socket& socket, std::string_view text) {
  boost::asio::write(socket, boost::asio::buffer(text));
}

std::vector<std::string> delivered(std::string_view line) {
  Journal journal;
  Said said;
  if (!deliver(line, journal, said)) return {"not understood"};
  return journal.lines;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("Ahead: what the command guesses of its server, and nothing else, is understood") {
  const auto told = ahead(
      R"({"t":"ahead","file":"/r/ahead.json","exec":"/bin/node","grouped":true,"tmp":["/tmp/x"],"project":"/p"})");
  REQUIRE(told);
  CHECK(told->boot.file == "/r/ahead.json");
  CHECK(told->boot.tmp == Lines{"/tmp/x"});
  CHECK(told->boot.project == "/p");
  CHECK(told->exec == "/bin/node");
  CHECK(told->grouped);
  for (const char* line : {"", "x", R"({"t":"boot","file":"/r/ahead.json","exec":"/bin/node"})",
                           R"({"t":"ahead","exec":"/bin/node"})", R"({"t":"ahead","file":"/r/ahead.json"})"})
    CHECK_FALSE(ahead(line));
}

TEST_CASE("Control line: every message of the protocol") {
  CHECK(delivered(
            R"({"t":"hello","pid":7,"next":"16.4.6","bundler":"turbopack","missing":["edge","render"]})") ==
        Lines{"hello 7 16.4.6 turbopack -edge -render"});
  CHECK(delivered(R"({"t":"listening"})") == Lines{"listening"});
  CHECK(delivered(R"({"t":"config","basePath":"/shop","pageExtensions":["tsx","mdx"]})") ==
        Lines{"config /shop .tsx .mdx"});
  CHECK(delivered(R"({"t":"config"})") == Lines{"config ?"});
  CHECK(
      delivered(
          R"({"t":"dispatch","id":"5","page":"/a/page","kind":"APP_PAGE","runtime":"nodejs","static":true})") ==
      Lines{"dispatch 5 /a/page APP_PAGE nodejs static"});
  CHECK(delivered(R"({"t":"compile","id":"5","phase":"start"})") == Lines{"compile 5 start"});
  CHECK(delivered(R"({"t":"compile","id":"5","phase":"end","ms":12.5})") == Lines{"compile 5 end"});
  CHECK(delivered(R"({"t":"handler","id":"5"})") == Lines{"handler 5"});
}

TEST_CASE("Control line: an id that is no 64-bit number is nobody's") {
  CHECK(delivered(R"({"t":"handler","id":"18446744073709551615"})") == Lines{"handler 18446744073709551615"});
  for (const char* id :
       {"18446744073709551616", "", "0", "-1", "+1", " 1", "1 ", "0x1", "99999999999999999999999"})
    CHECK(delivered(R"({"t":"handler","id":")" + std::string(id) + "\"}") == Lines{"handler 0"});
  CHECK(delivered(R"({"t":"compile","id":"5"})") == Lines{"not understood"});
}

TEST_CASE("Control line: unknown types and fields are for later versions; junk is junk") {
  CHECK(delivered(R"({"t":"invalidated","paths":["a"]})").empty());
  CHECK(delivered(R"({"t":"listening","port":3000})") == Lines{"listening"});
  CHECK(delivered(R"({"t":"hello","pid":1e300,"missing":["edge",4]})") == Lines{"hello 0   -edge"});
  for (const char* junk :
       {"", "x", "null", "[]", "{}", R"({"t":5})", R"({"t":"listening"}x)", "{\"t\":\"\xff\"}"})
    CHECK(delivered(junk) == Lines{"not understood"});
  CHECK(delivered(std::string(1000, '[')) == Lines{"not understood"});
}

TEST_CASE("Control channel: the first line is the token, then messages, split anywhere") {
  World w;
  auto socket = w.connect("");
  const std::string_view text = "secret\n{\"t\":\"listening\"}\n{\"t\":\"handler\",\"id\":\"9\"}\n";
  for (const char c : text) {
    write(socket, {&c, 1});
    w.io.restart();
    w.io.poll();
  }
  REQUIRE(w.until(2));
  socket.close();
  REQUIRE(w.until(3));
  CHECK(w.journal.lines == Lines{"listening", "handler 9", "closed"});
}

TEST_CASE("Control channel: whoever does not know the token is put out and heard by nobody") {
  World w;
  auto wrong = w.connect("guess!\n{\"t\":\"listening\"}\n"), longer = w.connect("secret and more\n"),
       shorter = w.connect("sec\n"), empty = w.connect("\n");
  CHECK(w.closed(wrong));
  CHECK(w.closed(longer));
  CHECK(w.closed(shorter));
  CHECK(w.closed(empty));
  CHECK(w.journal.lines.empty());
}

TEST_CASE("Control channel: junk is told a few times, and what follows it is still heard") {
  World w;
  auto socket = w.connect();
  for (int i = 0; i < 20; ++i) write(socket, "junk\n");
  write(socket, "{\"t\":\"listening\"}\n");
  REQUIRE(w.until(6));
  CHECK(w.journal.lines.front() == "problem a line on the agent's channel was not understood: junk");
  CHECK(w.journal.lines[5] == "listening");
}

TEST_CASE("Control channel: of a stranger no more is kept than a token is long") {
  World w;
  auto socket =
      w.connect("a line that never ends, and is longer than any secret with a number behind it can be");
  CHECK(w.closed(socket));
  CHECK(w.journal.lines.empty());
}

TEST_CASE("Control channel: next dev may restart and connect again") {
  World w;
  auto first = w.connect();
  write(first, "{\"t\":\"listening\"}\n");
  REQUIRE(w.until(1));
  first.close();
  REQUIRE(w.until(2));
  auto second = w.connect();
  write(second, "{\"t\":\"listening\"}\n");
  REQUIRE(w.until(3));
  CHECK(w.journal.lines == Lines{"listening", "closed", "listening"});
}

TEST_CASE("Control channel: destroyed in the midst of a message, it calls nobody any more") {
  World w;
  auto socket = w.connect();
  w.journal.at_problem = [&] { w.channel.reset(); };
  write(socket, "junk\n{\"t\":\"listening\"}\n");
  CHECK(w.closed(socket));
  CHECK(w.journal.lines.size() == 1);
}

TEST_CASE("Control channel: a path that cannot be bound is an error that names it") {
  World w;
  ControlChannel other(w.io, w.journal, "secret");
  const auto result = other.listen(w.path);
  REQUIRE_FALSE(result);
  CHECK(result.error().message.find(w.path) != std::string::npos);
}
