#include "project/command_output.hpp"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <utility>

#include "process/environment.hpp"
#include "process/os.hpp"

namespace vsim::project {
namespace {

using SteadyClock = std::chrono::steady_clock;
using process::os::Fd;

// False: the time was over before.
bool readable(int fd, SteadyClock::time_point until) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - SteadyClock::now());
    pollfd ready{fd, POLLIN, 0};
    const int n = ::poll(&ready, 1, left.count() <= 0 ? 0 : static_cast<int>(left.count()));
    if (n >= 0 || errno != EINTR) return n > 0;
  }
}

// All that comes until its end; nullopt: the time was over before.
std::optional<std::string> read_all(int from, SteadyClock::time_point until) {
  std::string text;
  std::array<char, 65536> buffer{};
  while (readable(from, until)) {
    const ssize_t got = ::read(from, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return std::nullopt;
}

}  // namespace

std::string shell_quoted(std::string_view word) {
  std::string out = "'";
  for (const char c : word) {
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  }
  return out + "'";
}

CommandOutput output_of(std::vector<std::string> command, std::chrono::milliseconds patience,
                        process::Environment env) {
  auto pipe = process::os::make_pipe();
  const Fd null = process::os::open_null_device();
  if (!pipe || !null) return {};
  process::os::Launch l;
  l.argv = std::move(command);
  l.env = std::move(env);
  l.input = l.error = null.get();
  l.output = pipe->write.get();
  const auto pid = process::os::launch(l);
  if (!pid) return {};
  pipe->write.reset();
  const auto until = SteadyClock::now() + patience;
  auto text = read_all(pipe->read.get(), until);
  const auto ended = process::os::open_exit_fd(*pid);
  if (!text || !ended || !readable(ended->get(), until)) {
    ::kill(-*pid, SIGKILL);
    text.reset();
    if (ended) readable(ended->get(), SteadyClock::now() + std::chrono::seconds(1));
  }
  const auto cause = process::os::peek_exit(*pid);
  process::os::reap(*pid);
  CommandOutput out;
  out.succeeded = text && cause == process::ExitCause(process::Exited{0});
  if (text) out.text = std::move(*text);
  return out;
}

CommandOutput git_output(const std::string& root, std::vector<std::string> words) {
  process::Environment env = process::current_environment();
  process::set_env(env, "GIT_ALLOW_PROTOCOL", "none");
  process::set_env(env, "GIT_NO_LAZY_FETCH", "1");
  std::vector<std::string> command = {"git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null",
                                      "-C",  root};
  command.insert(command.end(), std::make_move_iterator(words.begin()), std::make_move_iterator(words.end()));
  return output_of(std::move(command), kPatience, std::move(env));
}

}  // namespace vsim::project
