// Shared by the tests of process/: an event loop with a deadline, and children that collect what they say.
#pragma once

#include <poll.h>
#include <signal.h>

#include <boost/asio.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "process/guardian.hpp"
#include "process/supervisor.hpp"

namespace vsim::process::test {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
// Long enough for a loaded machine under sanitizers; only a failing test waits for it.
inline constexpr auto kDeadline = 20s;

inline std::string fixture(const std::string& name) {
  return VSIM_SOURCE_DIR "/tests/fixtures/children/" + name;
}

struct Talker {
  std::unique_ptr<Child> child;
  std::string out, err;
  std::optional<ExitCause> cause;
};

struct World {
  boost::asio::io_context io;
  Supervisor supervisor;

  explicit World(Guardian* guardian = nullptr) : supervisor(io, guardian) {}

  // Runs the loop until `done`; false when the deadline passed first.
  template <class F>
  bool until(F done) {
    const auto end = Clock::now() + kDeadline;
    while (!done()) {
      if (Clock::now() >= end) return false;
      if (io.stopped()) io.restart();
      io.run_one_until(end);
    }
    return true;
  }

  std::unique_ptr<Talker> start(SpawnOptions options) {
    auto t = std::make_unique<Talker>();
    Talker* raw = t.get();
    auto child = supervisor.spawn(std::move(options), {[raw](OutputStream s, std::string_view bytes) {
                                                         (s == OutputStream::out ? raw->out : raw->err) +=
                                                             bytes;
                                                       },
                                                       [raw](const ExitCause& c) { raw->cause = c; }});
    if (!child) FAIL(child.error().message);
    t->child = std::move(*child);
    return t;
  }
  std::unique_ptr<Talker> start(std::vector<std::string> argv) {
    SpawnOptions o;
    o.argv = std::move(argv);
    return start(std::move(o));
  }
  bool until_said(Talker& t, std::string_view text) {
    return until([&] { return t.out.find(text) != std::string::npos; }) &&
           t.out.find(text) != std::string::npos;
  }
  bool until_ended(Talker& t) {
    return until([&] { return t.cause.has_value(); });
  }
};

// The number after `word` in what a fixture printed.
inline pid_t pid_after(const std::string& text, const std::string& word) {
  const auto at = text.find(word + " ");
  REQUIRE(at != std::string::npos);
  return static_cast<pid_t>(std::stol(text.substr(at + word.size() + 1)));
}

inline bool alive(pid_t pid) {
  const auto info = os::inspect(pid);
  return info && info->alive;
}

// Waits until the process, which need not be our child, has ended.
inline bool gone_within(pid_t pid, std::chrono::milliseconds time) {
  const auto fd = os::open_exit_fd(pid);
  if (!fd) return true;
  pollfd p{fd->get(), POLLIN, 0};
  return ::poll(&p, 1, static_cast<int>(time.count())) == 1;
}

// What a shell with a /tmp or a disk of its own prints.
inline std::string said(World& w, const OwnTmp& own, const std::string& cwd, const std::string& script) {
  SpawnOptions o;
  o.argv = {"/bin/sh", "-c", script};
  o.cwd = cwd;
  o.own_tmp = own;
  const auto t = w.start(std::move(o));
  REQUIRE(w.until_ended(*t));
  return t->out + t->err;
}

}  // namespace vsim::process::test
