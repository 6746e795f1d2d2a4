// Every option of every command, each written once: what the words of a command line mean (options.cpp), what
// vercel-sim.yaml may say (project_config.cpp), help, manual page and completion (help.cpp) are walks of
// these rows. Reads no words and opens no file. Private to this module.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/options.hpp"

namespace vsim::cli {

using Commands = unsigned;  // a set of them
constexpr Commands in(HelpTopic command) { return 1u << static_cast<unsigned>(command); }

// What one command line has said so far.
struct Given {
  HelpTopic command = HelpTopic::general;
  ReplayOptions replay;  // run and test are parts of it
  CheckOptions check;
  std::string url;  // of mcp
  bool json = false;
  std::vector<std::pair<std::string_view, std::optional<std::string_view>>> options;  // long names
  std::vector<std::string_view> words;                                                // that are no options
  bool after_dashes = false;                                                          // there was a "--"
  std::vector<std::string> problems;

  RunOptions& run() { return replay.test.run; }
  bool has(std::string_view option) const;
};

struct OptionHelp {
  Commands commands = 0;
  std::string_view section;  // the title above it; "" when it stands below the usage or apart
  std::string_view text;     // after the choices; broken by hand
};

struct Option {
  Commands commands = 0;     // that know it
  std::string_view names;    // "-p, --port"
  std::string_view value;    // "N"; "[ADDR]" when it may be left out; "" when it takes none
  std::string_view choices;  // "pack | spread:N": the words that are its values
  std::string_view expects;  // completes "--port expects …"; "" when the choices say it
  std::string_view example;
  bool (*set)(Given&, std::string_view value) = nullptr;  // false: not what is expected
  bool in_file = false;                                   // vercel-sim.yaml may say it
  OptionHelp help[4] = {};                                // a command without one refers to run's
  const Format* format = nullptr;                         // a report

  std::string_view name() const { return names.substr(names.rfind(' ') + 1); }
  bool takes_value() const { return !value.empty() && value.front() != '['; }
  bool may_take_value() const { return !value.empty(); }
  const OptionHelp* help_in(HelpTopic command) const;
};

// The rows of all commands, in the order of the help.
const std::vector<Option>& option_table();
// nullptr: `command` does not know it. `name` has its dashes.
const Option* find_option(std::string_view name, HelpTopic command);
// The long names of all that `command` knows.
std::vector<std::string_view> names_of(HelpTopic command);
// "one of pack, spread:N", or what the row says in its own words.
std::string expected(const Option&);

inline constexpr std::string_view kAsInRun =
    "the plan, where it listens, what stands behind it: as in vercel-sim run";

}  // namespace vsim::cli
