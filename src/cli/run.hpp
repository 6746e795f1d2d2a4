// `vercel-sim run`: options to a running Emulator. Reads the profile, finds the project, prints what a person
// should know at start.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/emulator.hpp"
#include "app/json_sink.hpp"
#include "cli/exit_code.hpp"
#include "cli/options.hpp"
#include "cli/terminal.hpp"
#include "profile/loader.hpp"

namespace vsim::cli {

int run(const RunOptions& options, Colour colour);

// What --set was given, as load() takes it.
std::vector<std::string> overrides_of(const std::vector<std::pair<std::string, std::string>>& set);

// The profile `name` with the overrides of `--set` and of the run's own options, or its diagnostics on
// standard error and nullopt.
std::optional<profile::Profile> load(const std::string& name, std::span<const std::string> overrides);

// The same, with the diagnostics as the error.
Result<profile::Profile, std::string> try_load(const std::string& name,
                                               std::span<const std::string> overrides);

// What `run` and `test` build from the options they share. The emulator's options point at the profile.
struct Setup {
  profile::Profile profile;
  app::EmulatorOptions emulator;
  std::vector<std::string> notes;      // what a person should know at start
  std::vector<std::string> overrides;  // "duration.default=15s": what was set, whatever the plan
  std::string profile_name;            // by which it is found: of a file, its path
};
// Or the exit code, the reason being told.
Result<std::unique_ptr<Setup>, int> set_up(const RunOptions& options);
void print_banner(Terminal&, const RunOptions&, const Setup&);

// --events: a file of JSON lines, or nothing until open().
class EventsFile {
 public:
  // False: it cannot be written, and that is told. `hub` must not outlive this.
  bool open(const std::string& where, app::EventHub& hub);
  // Who reads the file later must know when it does not hold everything: told, and false.
  bool complete();

 private:
  std::string where_;
  std::unique_ptr<app::LineWriter> writer_;
  std::unique_ptr<app::JsonSink> sink_;
};

// "error: …" and "  fix: …" on standard error.
void print_error(const Error&);

}  // namespace vsim::cli
