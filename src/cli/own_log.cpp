#include "cli/own_log.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include "event/mask.hpp"

namespace vsim::cli {
namespace {

const RunOptions* run_of(const decltype(Options::command)& command) {
  if (const auto* o = std::get_if<RunOptions>(&command)) return o;
  if (const auto* o = std::get_if<TestOptions>(&command)) return &o->run;
  if (const auto* o = std::get_if<ReplayOptions>(&command)) return &o->test.run;
  return nullptr;
}

// Secrets replaced by "***", word by word, as a command line is in events.
std::string mask_line(std::string_view line) {
  std::string out;
  std::string_view before;
  for (std::size_t at = 0; at <= line.size();) {
    const std::size_t end = std::min(line.find(' ', at), line.size());
    const std::string_view word = line.substr(at, end - at);
    out += event::mask_word(word, before);
    if (end < line.size()) out += ' ';
    before = word;
    at = end + 1;
  }
  return out;
}

}  // namespace

Result<std::unique_ptr<log::LogSession>> begin_log(const Options& options) {
  const RunOptions* const run = run_of(options.command);
  if (run == nullptr || (!run->log_level && !run->log_file)) return std::unique_ptr<log::LogSession>();
  log::LogOptions made;
  made.level = run->log_level.value_or(log::LogLevel::debug);
  made.file = run->log_file.value_or("");
  made.mask = mask_line;
  auto session = log::LogSession::begin(made);
  if (!session) return session.error();
  log::info(log::Logger::cli, "vercel-sim {}, profile {}, port {}, in {}", VSIM_VERSION, run->profile,
            run->port, run->cwd.empty() ? "the current directory" : run->cwd);
  return session;
}

}  // namespace vsim::cli
