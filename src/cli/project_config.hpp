// vercel-sim.yaml: what a project says once for everybody who runs or tests it. Defaults for the options of
// `run` and `test` (the command line wins) and the violations that are meant. All mistakes at once, each with
// its place. read_project_config is pure; load_project_config finds and reads the file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/expectations.hpp"
#include "cli/options.hpp"
#include "profile/diagnostic.hpp"

namespace vsim::cli {

struct ProjectConfig {
  std::string file;  // as the user can open it; empty: there is none
  std::vector<Expectation> expect;
};

// `options` comes from the command line and gets the defaults; a relative profile path is seen from
// `directory`, where the file lies. Appends to `problems`; when it does, options and config are not to be
// used.
ProjectConfig read_project_config(std::string_view file, std::string_view directory, std::string_view text,
                                  TestOptions& options, std::vector<profile::Diagnostic>& problems);

// The file in --cwd or, when there is none, beside the package.json of the project around it. False: it is
// wrong, and that is told on standard error.
bool load_project_config(TestOptions& options, ProjectConfig& out);

}  // namespace vsim::cli
