// What an emulator takes from the process and the machine that it runs in. As it is made it is the machine's;
// a test replaces what it likes. Sockets are real ones always (docs/decisions/0090).
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/clock.hpp"
#include "base/result.hpp"
#include "process/children.hpp"
#include "process/guardian.hpp"
#include "process/run_dir.hpp"
#include "project/git_head.hpp"

namespace vsim::app {

// How children are started, and who ends them when we no longer can (may be null).
struct StartedChildren {
  std::unique_ptr<process::Guardian> guardian;
  std::unique_ptr<process::Children> children;
};

// Where the sockets of a run stand, and the scripts that run in Node (agent::write_scripts).
struct Folder {
  process::RunDir dir;
  std::string scripts;
};

std::string random_secret();
Result<StartedChildren> guarded_children(boost::asio::io_context&);
Result<Folder> private_folder(process::Guardian*);

struct World {
  Clock* clock = nullptr;  // null: the machine's. Outlives the emulator
  // By what the agent in `next dev` and we know each other: nobody else may guess it. Asked once in a run.
  std::function<std::string()> secret = random_secret;
  // The signals of this process are the emulator's: they end it, and a reader that has left is an error code.
  // One emulator in a process at most.
  bool signals = true;
  // Both at most once in a run, when something is to be started.
  std::function<Result<StartedChildren>(boost::asio::io_context&)> spawn = guarded_children;
  std::function<Result<Folder>(process::Guardian*)> folder = private_folder;
  // What a deployment would be told of the commit that is checked out below this directory.
  std::function<std::vector<std::pair<std::string, std::string>>(const std::string& root)> commit =
      project::git_variables;
};

}  // namespace vsim::app
