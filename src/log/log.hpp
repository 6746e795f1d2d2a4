// Diagnostics of vercel-sim itself, for whoever looks for a fault of it: `--log-level`, `--log-file`. What a
// person reads about their app is the terminal's, what a tool reads are events; neither goes through here.
// Written by a thread of spdlog's: a slow disk or a pipe that nobody reads holds up nobody, lines that there
// is no room for are lost and counted. No line belongs to a request that goes well.
#pragma once

#include <fmt/format.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"

namespace vsim::log {

enum class LogLevel : std::uint8_t { debug, info, warn, error, off };

// "debug"; false for another word.
bool parse_level(std::string_view word, LogLevel& out);

// Whose line it is: one logger for each module that does something in the world.
enum class Logger : std::uint8_t { cli, app, agent, process, project, net, kCount };

struct LogOptions {
  LogLevel level = LogLevel::off;
  std::string file = {};             // empty: standard error
  std::size_t most_bytes = 5 << 20;  // then FILE.log becomes FILE.1.log, and so on
  std::size_t kept = 3;              // files besides the one that is written
  // What replaces secrets in a line that is to be written (event::mask_word belongs to another module).
  std::string (*mask)(std::string_view line) = nullptr;
};

// Lines are written from its begin to its end; one at a time in a process.
class LogSession {
 public:
  // The file is refused as those of --events are: a link, a device, somebody else's, one that is no log of
  // ours; so are the names that it will be moved to.
  static Result<std::unique_ptr<LogSession>> begin(const LogOptions& options);
  // Writes what waits, for a second at most, and says on standard error what was lost.
  ~LogSession();
  LogSession(const LogSession&) = delete;
  LogSession& operator=(const LogSession&) = delete;

  struct Impl;

 private:
  explicit LogSession(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

namespace internal {
inline std::atomic<LogLevel> level{LogLevel::off};
void write(Logger, LogLevel, std::string text);
}  // namespace internal

inline bool is_on(LogLevel level) { return level >= internal::level.load(std::memory_order_relaxed); }

// Nothing is formatted when the level is off.
template <class... A>
void line(Logger logger, LogLevel level, fmt::format_string<A...> format, A&&... arguments) {
  if (is_on(level)) internal::write(logger, level, fmt::format(format, std::forward<A>(arguments)...));
}
template <class... A>
void debug(Logger logger, fmt::format_string<A...> format, A&&... arguments) {
  line(logger, LogLevel::debug, format, std::forward<A>(arguments)...);
}
template <class... A>
void info(Logger logger, fmt::format_string<A...> format, A&&... arguments) {
  line(logger, LogLevel::info, format, std::forward<A>(arguments)...);
}
template <class... A>
void warn(Logger logger, fmt::format_string<A...> format, A&&... arguments) {
  line(logger, LogLevel::warn, format, std::forward<A>(arguments)...);
}

}  // namespace vsim::log
