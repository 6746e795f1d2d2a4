// The app behind the edge while something tests it: what `test` and `replay` share. Starts everything as
// `run` does, keeps people's lines back while it is tested, stops everything, and keeps what the reports are
// made of.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "app/wrapped_command.hpp"
#include "cli/expectations.hpp"
#include "cli/options.hpp"
#include "cli/project_config.hpp"
#include "cli/verdicts.hpp"
#include "profile/profile.hpp"
#include "report/model.hpp"

namespace vsim::app {
class RecordTarget;
}

namespace vsim::cli {

struct Tested {
  int code = 0;         // of what tested it, or why that did not come to its end
  app::CommandEnd end;  // of what tested it
  profile::Profile profile;
  report::Run run;
  std::uint64_t seed = 0;
  std::string sources;     // the project's folder; empty: none
  bool unseen = false;     // SIM_HANDLER_NOT_SEEN was said: it was not measured as there
  std::string last_lines;  // what the app wrote last meanwhile, for people
};
// For `replay`: who is told how each request ended, and who wants to know, once the app is ready, which build
// it is (build_of).
struct Watch {
  app::RecordTarget& outcomes;
  std::function<std::string()>& build;  // set before the command starts
};
// `options` have the project's defaults. `watch` may be null. Or the exit code when nothing was tested, the
// reason being told.
Result<Tested, int> run_tested(const TestOptions& options, app::CommandSpec command, const Watch* watch,
                               Colour colour);

// What of it fails and what is meant, the sources asked too.
Judgement judge(const Tested&, Expectations&);

// The exit code of a run whose own is `code`: where functions were not seen, no run is a success or a
// violation.
int unless_unseen(int code, const Tested&);

// "violations", "interrupted": why the code is what it is; empty for 0.
std::string why(int code, const Tested&);

}  // namespace vsim::cli
