// A whole world for one emulator, in memory and on the emulator's own thread: a clock that moves when it is
// told to, children that are no processes but coroutines (next dev with its agent, instances), a browser, and
// the events as lines. Real are the sockets alone. Nothing here sleeps: a scene waits for lines.
#pragma once

#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include "app/clock.hpp"
#include "app/emulator.hpp"

namespace vsim::app::test {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using asio::ip::tcp;
using asio::local::stream_protocol;
inline constexpr auto kQuietly = asio::as_tuple(asio::use_awaitable);

// Stands still until advance(). Then whoever waits is called at his own instant, in order.
class StandingClock final : public Clock {
 public:
  TimePoint now() const override { return now_; }
  WallTime wall_at(TimePoint at) const override { return {at.time_since_epoch() / 1ms}; }
  std::unique_ptr<Alarm> alarm(asio::io_context&) override { return std::make_unique<Waiting>(*this); }

  asio::awaitable<void> advance(Duration by) {
    for (const TimePoint until = now_ + by;;) {
      const auto first = std::min_element(waiting_.begin(), waiting_.end(), [](auto* a, auto* b) {
        return std::pair(a->at, a->order) < std::pair(b->at, b->order);
      });
      if (first == waiting_.end() || (*first)->at > until) {
        now_ = until;
        co_return;
      }
      Waiting& due = **first;
      now_ = std::max(now_, due.at);
      const Then then = std::move(due.then);
      due.cancel();
      then({});
      co_await asio::post(asio::use_awaitable);  // what came of it has its turn first
    }
  }

 private:
  struct Waiting final : Alarm {
    explicit Waiting(StandingClock& of) : clock(of) {}
    ~Waiting() override { cancel(); }
    void set(TimePoint t, Then f) override {
      at = t;
      then = std::move(f);
      order = ++clock.orders_;
      clock.waiting_.insert(this);
    }
    void cancel() override { clock.waiting_.erase(this); }
    StandingClock& clock;
    TimePoint at{};
    std::uint64_t order = 0;
    Then then;
  };
  TimePoint now_{1h};
  std::uint64_t orders_ = 0;
  std::set<Waiting*> waiting_;
};

// The events of a run as lines; a scene waits for what is to be said. `asides`: an answer may overtake them.
class Lines final : public event::Sink {
 public:
  void on_event(const event::Stamp&, const event::Event& event) override {
    std::string line = word(event);
    if (line.empty()) return;
    (std::holds_alternative<event::InvocationRunning>(event) ? asides : said).push_back(std::move(line));
    if (news_) news_->cancel();
  }
  asio::awaitable<void> until(std::string_view line, std::ptrdiff_t times = 1) {
    if (!news_) news_.emplace(co_await asio::this_coro::executor);
    while (std::count(said.begin(), said.end(), line) + std::count(asides.begin(), asides.end(), line) <
           times) {
      news_->expires_at(asio::steady_timer::time_point::max());
      co_await news_->async_wait(kQuietly);
    }
  }
  // Of one subject: who waits for two sockets is not promised which is read first.
  std::vector<std::string> of(std::string_view subject) const {
    std::vector<std::string> out;
    for (const std::string& line : said)
      if (line.starts_with(subject)) out.push_back(line.substr(subject.size()));
    return out;
  }
  std::vector<std::string> said, asides;

 private:
  static std::string word(const event::Event& event) {
    using std::string;
    if (const auto* e = std::get_if<event::RunStarted>(&event)) return "started " + string(e->isolation);
    if (const auto* e = std::get_if<event::RunStopped>(&event)) return "stopped " + string(e->reason);
    if (const auto* e = std::get_if<event::AppChanged>(&event)) {
      constexpr const char* kStates[] = {"starting", "ready", "crashed", "restarting", "stopped"};
      return string("app ") + kStates[static_cast<std::size_t>(e->state)] + " " + string(e->detail);
    }
    if (const auto* e = std::get_if<event::InvocationRunning>(&event))
      return "running " + string(e->route) + " on " + string(e->instance);
    if (const auto* e = std::get_if<event::InvocationEnded>(&event))
      return "ended " + string(e->target) + " " + std::to_string(e->status) + " " +
             string(limits::info(e->outcome.code).name) + " on " + string(e->instance) + " after " +
             std::to_string(e->charged / 1ms) + " ms";
    if (const auto* e = std::get_if<event::InstanceChanged>(&event))
      return string(e->instance) + " " + string(e->to) + (e->why.empty() ? "" : " " + string(e->why));
    if (const auto* e = std::get_if<event::Notice>(&event))
      // What the test's own thread waits for a processor is no part of the scene.
      if (e->level != event::Level::info && !e->message.starts_with("this machine is too busy"))
        return "notice: " + string(e->message);
    return {};
  }
  std::optional<asio::steady_timer> news_;
};

inline std::string field(const std::string& head, std::string_view name) {
  const std::string begin = "\r\n" + std::string(name) + ": ";
  const auto at = head.find(begin);
  if (at == std::string::npos) return {};
  const auto from = at + begin.size();
  return head.substr(from, head.find("\r\n", from) - from);
}

// A child that is no process: what plays it writes and reads until it is ended.
struct Played {
  asio::io_context& io;
  process::SpawnOptions options;
  process::ChildCallbacks callbacks;
  stream_protocol::acceptor acceptor{io};
  stream_protocol::socket control{io};
  std::string rest;  // of what control has said
  bool runs = true;

  std::string given(std::string_view name) const {
    return std::string(process::get_env(options.env, name).value_or(""));
  }
  void end() {
    if (!std::exchange(runs, false)) return;
    boost::system::error_code ignored;
    acceptor.close(ignored);
    control.close(ignored);
    asio::post(io, [exit = callbacks.exit] {
      if (exit) exit(process::Signaled{SIGKILL, false});
    });
  }
  asio::awaitable<void> say(std::string line) {
    line += '\n';
    co_await asio::async_write(control, asio::buffer(line), kQuietly);
  }
};
using Player = std::function<asio::awaitable<void>(std::shared_ptr<Played>)>;

class PlayedChildren final : public process::Children {
 public:
  PlayedChildren(asio::io_context& io, Player player) : io_(io), player_(std::move(player)) {}

  Result<std::unique_ptr<process::Child>> spawn(process::SpawnOptions options,
                                                process::ChildCallbacks callbacks) override {
    auto played = std::shared_ptr<Played>(new Played{io_, std::move(options), std::move(callbacks)});
    all_.push_back(played);
    asio::co_spawn(io_, player_(played), asio::detached);
    return std::unique_ptr<process::Child>(std::make_unique<One>(std::move(played)));
  }
  Played& next() { return *all_.front(); }
  Result<process::Coming> expect() override { return Error{"nothing is copied here"}; }
  Result<std::unique_ptr<process::Child>> adopt(process::Coming, std::string_view,
                                                process::ChildCallbacks) override {
    return Error{"nothing is copied here"};
  }
  void stop_all(std::chrono::milliseconds, std::function<void()> done) override {
    for (const auto& played : all_) played->end();
    asio::post(io_, std::move(done));
  }

 private:
  struct One final : process::Child {
    explicit One(std::shared_ptr<Played> of) : played(std::move(of)) {}
    ~One() override {
      played->callbacks = {};
      played->end();
    }
    pid_t pid() const override { return ::getpid(); }
    bool running() const override { return played->runs; }
    void stop(std::chrono::milliseconds) override { played->end(); }
    void kill() override { played->end(); }
    void signal(int) override {}
    void freeze() override {}
    void thaw() override {}
    void resize(process::WindowSize) override {}
    void lower() override {}
    void raise() override {}
    void lower_for_good() override {}
    std::shared_ptr<Played> played;
  };
  asio::io_context& io_;
  Player player_;
  std::vector<std::shared_ptr<Played>> all_;
};

// next dev with its agent, as docs/agent-protocol.md has it: every path below /api/ is a function.
inline asio::awaitable<void> answer_as_next(std::shared_ptr<Played> me, stream_protocol::socket socket) {
  for (std::string text;;) {
    const auto [error, size] =
        co_await asio::async_read_until(socket, asio::dynamic_buffer(text), "\r\n\r\n", kQuietly);
    if (error) co_return;
    const std::string head = std::exchange(text, text.substr(size)).substr(0, size - 2);
    const std::string path = head.substr(4, head.find(' ', 4) - 4);
    std::string body = R"({"page":")" + path +
                       R"(/route","kind":"APP_ROUTE","runtime":"nodejs","static":false,"generation":0})"
                       "\nGET " +
                       path + " HTTP/1.1\r\nHost: localhost\r\n";
    const std::string answer =
        "HTTP/1.1 200 OK\r\nx-vsim-dispatch: " + me->given("VSIM_TOKEN") +
        "\r\ncontent-type: application/vnd.vercel-sim\r\ncontent-length: " + std::to_string(body.size()) +
        "\r\n\r\n" + body;
    co_await asio::async_write(socket, asio::buffer(answer), kQuietly);
  }
}

inline asio::awaitable<void> play_next(std::shared_ptr<Played> me) {
  co_await me->control.async_connect(me->given("VSIM_AGENT_SOCKET"), asio::use_awaitable);
  std::filesystem::remove(me->given("VSIM_APP_SOCKET"));  // of the one before
  me->acceptor = stream_protocol::acceptor(me->io, me->given("VSIM_APP_SOCKET"));
  co_await me->say(me->given("VSIM_TOKEN"));
  co_await me->say(
      R"({"t":"hello","pid":1,"next":"16.0.0","bundler":"turbopack","missing":[],"exec":"/bin/node",)"
      R"("compile":true,"isolation":{"ok":true,"missing":[],"grouped":false}})");
  co_await me->say(R"({"t":"boot","file":"/boot.json"})");
  co_await me->say(R"({"t":"config","basePath":""})");
  co_await me->say(R"({"t":"listening"})");
  for (;;) {
    auto [error, socket] = co_await me->acceptor.async_accept(kQuietly);
    if (error) co_return;
    asio::co_spawn(me->io, answer_as_next(me, std::move(socket)), asio::detached);
  }
}

// An instance: /api/slow never answers, all others do at once.
inline asio::awaitable<void> answer_as_instance(std::shared_ptr<Played> me, stream_protocol::socket socket) {
  for (std::string text;;) {
    const auto [error, size] =
        co_await asio::async_read_until(socket, asio::dynamic_buffer(text), "\r\n\r\n", kQuietly);
    if (error) co_return;
    const std::string head = std::exchange(text, text.substr(size)).substr(0, size);
    const std::string mark = field(head, "X-Vsim-Id"), id = mark.substr(mark.find('.') + 1);
    co_await me->say(R"({"t":"handler","id":")" + id + R"("})");
    if (head.starts_with("GET /api/slow ")) continue;
    const std::string body = "from i" + me->given("VSIM_INSTANCE");
    const std::string answer =
        "HTTP/1.1 200 OK\r\ncontent-length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    co_await asio::async_write(socket, asio::buffer(answer), kQuietly);
    co_await me->say(R"({"t":"done","id":")" + id + R"("})");
  }
}

inline asio::awaitable<void> listen_as_instance(std::shared_ptr<Played> me) {
  for (;;) {
    auto [error, socket] = co_await me->acceptor.async_accept(kQuietly);
    if (error) co_return;
    asio::co_spawn(me->io, answer_as_instance(me, std::move(socket)), asio::detached);
  }
}

inline asio::awaitable<void> play_instance(std::shared_ptr<Played> me) {
  me->acceptor = stream_protocol::acceptor(me->io, me->given("VSIM_SOCKET"));
  asio::co_spawn(me->io, listen_as_instance(me), asio::detached);
  co_await me->control.async_connect(me->given("VSIM_CONTROL"), asio::use_awaitable);
  const std::string& secret = me->options.first_input;  // with its newline
  co_await me->say(secret.substr(0, secret.size() - 1) + " instance " + me->given("VSIM_INSTANCE"));
  co_await me->say(R"({"t":"ready","ms":1})");
  for (;;) {
    const auto [error, size] =
        co_await asio::async_read_until(me->control, asio::dynamic_buffer(me->rest), "\n", kQuietly);
    if (error) co_return;
    const std::string line = std::exchange(me->rest, me->rest.substr(size)).substr(0, size);
    if (line.find(R"("bind")") != std::string::npos)
      co_await me->say(R"({"t":"bound","page":"","ms":1,"files":[]})");
    if (line.find(R"("ping")") != std::string::npos) co_await me->say(R"({"t":"pong"})");
  }
}

inline asio::awaitable<void> play(std::shared_ptr<Played> me) {
  return me->given("VSIM_INSTANCE").empty() ? play_next(std::move(me)) : play_instance(std::move(me));
}

// A browser's request, whole answer, connection closed.
inline asio::awaitable<std::string> fetch(std::uint16_t port, std::string path) {
  tcp::socket socket(co_await asio::this_coro::executor);
  co_await socket.async_connect({asio::ip::address_v4::loopback(), port}, asio::use_awaitable);
  const std::string request = "GET " + path + " HTTP/1.1\r\nHost: localhost:" + std::to_string(port) +
                              "\r\nConnection: close\r\n\r\n";
  co_await asio::async_write(socket, asio::buffer(request), asio::use_awaitable);
  std::string answer;
  co_await asio::async_read(socket, asio::dynamic_buffer(answer), kQuietly);
  co_return answer;
}

// A scene, played on the emulator's thread while it runs. At the scene's end, or when it takes longer than
// any machine needs, the emulator is told to stop.
struct Stage {
  using Scene = std::function<asio::awaitable<void>(Stage&)>;

  explicit Stage(const profile::Profile& profile) {
    options.profile = &profile;
    options.addresses = {"127.0.0.1"};
    options.port = 0;
    NextSpec next;
    next.argv = {"next", "dev"};
    next.name = "next, played";
    options.app = std::move(next);
    char name[] = "/tmp/vsim-stage-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    base = name;
  }
  ~Stage() { std::filesystem::remove_all(base); }

  int play(Scene scene) {
    EventHub hub;
    hub.add(lines);
    World world;
    world.clock = &clock;
    world.secret = [] { return std::string("0123456789abcdef"); };
    world.signals = false;
    world.spawn = [this, scene](asio::io_context& io) -> Result<StartedChildren> {
      // Once the emulator's loop turns.
      asio::co_spawn(io, perform(io, scene), [this](std::exception_ptr error) {
        if (error) FAIL_CHECK("the scene broke off");
        emulator->quit();
      });
      auto played = std::make_unique<PlayedChildren>(io, &test::play);
      children = played.get();
      return StartedChildren{nullptr, std::move(played)};
    };
    world.folder = [this](process::Guardian*) -> Result<Folder> {
      auto dir = process::RunDir::create_in(base, nullptr);
      if (!dir) return dir.error();
      return Folder{std::move(*dir), base};
    };
    world.commit = [](const std::string&) { return std::vector<std::pair<std::string, std::string>>(); };
    Emulator program(
        options, hub, [](const OutputLine&) {}, std::move(world));
    emulator = &program;
    const auto code = program.run();
    if (!code) FAIL_CHECK(code.error().message);
    return code ? *code : -1;
  }
  std::uint16_t port() const {
    const std::string& url = emulator->url();
    return static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
  }
  asio::awaitable<std::string> get(std::string path) { return fetch(port(), std::move(path)); }

  StandingClock clock;
  Lines lines;
  EmulatorOptions options;
  Emulator* emulator = nullptr;
  PlayedChildren* children = nullptr;  // while it runs
  std::string base;

 private:
  // Of real time, for a loaded machine under sanitizers; only a failing test waits for it.
  static constexpr auto kDeadline = 60s;

  asio::awaitable<void> perform(asio::io_context& io, Scene scene) {
    asio::steady_timer patience(io, kDeadline);
    patience.async_wait([this](boost::system::error_code error) {
      if (error) return;
      std::string all;
      for (const auto& line : lines.said) all += line + "\n";
      FAIL_CHECK("the scene came to no end; said was\n" << all);
      emulator->quit();
    });
    co_await scene(*this);
  }
};

}  // namespace vsim::app::test
