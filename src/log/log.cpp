#include "log/log.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <future>
#include <mutex>
#include <vector>

#include "base/plain_text.hpp"
#include "files/own_file.hpp"

#define SPDLOG_PREVENT_CHILD_FD
#include <spdlog/async_logger.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/rotating_file_sink.h>

namespace vsim::log {
namespace {

constexpr std::size_t kMostWaiting = 4096;  // lines
constexpr std::chrono::seconds kPatience{1};
constexpr std::string_view kFirstLine = "vercel-sim: its own log\n";  // by which a file is known for ours
constexpr std::array<std::string_view, 4> kWords{"debug", "info", "warn", "error"};
constexpr std::array<const char*, static_cast<std::size_t>(Logger::kCount)> kNames{
    "cli", "app", "agent", "process", "project", "net"};

constexpr auto to_spdlog(LogLevel level) {
  return static_cast<spdlog::level::level_enum>(spdlog::level::debug + static_cast<int>(level));
}
static_assert(to_spdlog(LogLevel::debug) == spdlog::level::debug &&
              to_spdlog(LogLevel::error) == spdlog::level::err);

// Made with mode 0600 and its first line if it is new. Empty, or why it will not be written to.
std::string refusal(const std::string& file, bool create) {
  struct stat found {};
  if (!create && ::lstat(file.c_str(), &found) != 0 && errno == ENOENT) return {};
  const auto is_ours = [](std::string_view begin) { return begin.starts_with(kFirstLine); };
  const auto fd = files::open_own(file, create ? O_CREAT | O_APPEND : 0,
                                  {is_ours, "a file that is no log of vercel-sim"});
  if (!fd) return fd.error().message;
  const bool written =
      !create || ::lseek(*fd, 0, SEEK_END) > 0 ||
      ::write(*fd, kFirstLine.data(), kFirstLine.size()) == static_cast<ssize_t>(kFirstLine.size());
  std::string why = written ? "" : std::strerror(errno);
  ::close(*fd);
  return why;
}

// A refusal has no code to be told from others by: spdlog carries errors as texts.
void prepare(const std::string& file) {
  if (const std::string why = refusal(file, true); !why.empty()) throw spdlog::spdlog_ex(file + ": " + why);
}

// A descriptor of its own: whoever puts another in the place of 2 does not get our lines into it.
class StandardError final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  StandardError() : fd_(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)) {}
  ~StandardError() override {
    if (fd_ >= 0) ::close(fd_);
  }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t text;
    formatter_->format(message, text);
    std::size_t done = 0;
    while (done < text.size()) {
      const ssize_t n = ::write(fd_, text.data() + done, text.size() - done);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return;
      done += static_cast<std::size_t>(n);
    }
  }
  void flush_() override {}

  const int fd_;
};

// Behind the others: when it is flushed, all that came before is written.
class Landmark final : public spdlog::sinks::sink {
 public:
  std::future<void> reached() { return reached_.get_future(); }
  void log(const spdlog::details::log_msg&) override {}
  void flush() override {
    std::call_once(once_, [this] { reached_.set_value(); });
  }
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

 private:
  std::promise<void> reached_;
  std::once_flag once_;
};

}  // namespace

struct LogSession::Impl {
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::array<std::shared_ptr<spdlog::async_logger>, kNames.size()> loggers;
  std::shared_ptr<spdlog::async_logger> last;
  std::shared_ptr<Landmark> landmark = std::make_shared<Landmark>();
  std::string file;
  std::string (*mask)(std::string_view) = nullptr;
  std::atomic<bool> has_failed = false;

  static inline Impl* current = nullptr;

  void failed(const std::string& why) {
    if (has_failed.exchange(true)) return;
    fmt::print(stderr, "error: --log-file {}: {}: lines are missing from now on\n", plain(file), plain(why));
  }
};

bool parse_level(std::string_view word, LogLevel& out) {
  for (std::size_t i = 0; i < kWords.size(); ++i)
    if (kWords[i] == word) return out = static_cast<LogLevel>(i), true;
  return false;
}

Result<std::unique_ptr<LogSession>> LogSession::begin(const LogOptions& options) {
  auto impl = std::make_unique<Impl>();
  impl->file = options.file;
  impl->mask = options.mask;
  spdlog::sink_ptr sink;
  try {
    if (options.file.empty()) {
      sink = std::make_shared<StandardError>();
    } else {
      using Rotating = spdlog::sinks::rotating_file_sink<spdlog::details::null_mutex>;
      for (std::size_t i = 0; i <= options.kept; ++i) {
        const std::string name = Rotating::calc_filename(options.file, i);
        if (const std::string why = refusal(name, i == 0); !why.empty())
          return Error{fmt::format("--log-file {}: {}", name, why),
                       "name a file of its own, in a directory that exists"};
      }
      spdlog::file_event_handlers handlers;
      handlers.before_open = prepare;
      // What was moved away has made room for a new one, which spdlog empties once more.
      handlers.after_open = [](const std::string&, std::FILE* f) {
        if (std::fseek(f, 0, SEEK_END) == 0 && std::ftell(f) == 0)
          std::fwrite(kFirstLine.data(), 1, kFirstLine.size(), f);
      };
      sink = std::make_shared<Rotating>(options.file, options.most_bytes, options.kept, false, handlers);
    }
    impl->pool = std::make_shared<spdlog::details::thread_pool>(kMostWaiting, 1, [] {
      sigset_t all;
      sigfillset(&all);
      ::pthread_sigmask(SIG_BLOCK, &all, nullptr);  // they are the I/O thread's
    });
  } catch (const std::exception& e) {
    return Error{fmt::format("--log-file {}", e.what()), "name a file that can be written"};
  }
  sink->set_formatter(std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%eZ %-7l %-7n %v",
                                                                  spdlog::pattern_time_type::utc));
  const auto logger = [&](const char* name, std::vector<spdlog::sink_ptr> sinks) {
    auto one = std::make_shared<spdlog::async_logger>(name, sinks.begin(), sinks.end(), impl->pool,
                                                      spdlog::async_overflow_policy::overrun_oldest);
    one->set_level(spdlog::level::trace);  // whoever calls has looked
    one->flush_on(
        spdlog::level::trace);  // a file that somebody follows is never behind; the thread is idle otherwise
    one->set_error_handler([at = impl.get()](const std::string& why) { at->failed(why); });
    return one;
  };
  for (std::size_t i = 0; i < kNames.size(); ++i) impl->loggers[i] = logger(kNames[i], {sink});
  impl->last = logger("cli", {sink, impl->landmark});
  impl->last->flush_on(spdlog::level::off);
  Impl::current = impl.get();
  internal::level = options.level;
  return std::unique_ptr<LogSession>(new LogSession(std::move(impl)));
}

LogSession::LogSession(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

LogSession::~LogSession() {
  internal::level = LogLevel::off;
  Impl::current = nullptr;
  auto reached = impl_->landmark->reached();
  impl_->last->flush();
  const std::size_t lost = impl_->pool->overrun_counter();
  if (reached.wait_for(kPatience) != std::future_status::ready) {
    // Its thread stands in write() and would hold up our end: what waits is lost, and it ends with the
    // process.
    static Impl* stuck = nullptr;
    stuck = impl_.release();
    if (!stuck->file.empty()) stuck->failed("too slow, its last lines are lost");
    return;
  }
  if (lost > 0) fmt::print(stderr, "error: the log was too slow: {} lines are missing\n", lost);
}

void internal::write(Logger logger, LogLevel of_line, std::string text) {
  LogSession::Impl* const to = LogSession::Impl::current;
  if (to == nullptr) return;
  text = plain(text);
  if (to->mask != nullptr) text = to->mask(text);
  to->loggers[static_cast<std::size_t>(logger)]->log(to_spdlog(of_line), text);
}

}  // namespace vsim::log
