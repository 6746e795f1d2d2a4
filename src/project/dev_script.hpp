// Reads the `dev` script of package.json: is it `next dev`, with which flags and environment, or a custom
// server that Vercel would never deploy? Best effort by design: a shell script can do anything; what is not
// understood is listed in `notes` and never run. Touches nothing.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vsim::project {

struct DevScript {
  enum class Kind : std::uint8_t {
    none,           // there is no dev script
    next_dev,       // runs `next dev`, perhaps behind wrappers
    custom_server,  // runs a server of its own: `node server.js`
    unknown,        // neither could be seen in it
  };
  enum class Bundler : std::uint8_t { by_version, turbopack, webpack };

  Kind kind = Kind::none;
  std::string text;  // as written in package.json
  std::vector<std::pair<std::string, std::string>>
      env;                              // assignments in front, cross-env; NODE_OPTIONS among them
  std::vector<std::string> env_files;   // dotenv -e FILE
  std::vector<std::string> node_flags;  // node --inspect … next dev
  Bundler bundler = Bundler::by_version;
  std::optional<int> port;
  std::string hostname;
  bool https = false;
  std::vector<std::string> args;   // of `next dev`, as written, without port, hostname and directory
  std::string directory;           // next dev DIR
  std::string custom_server;       // "server.js"
  std::vector<std::string> notes;  // what the script does besides and vercel-sim does not, one sentence each
};

// `scripts` are all scripts of package.json: `npm run x` inside `dev` is followed there.
DevScript parse_dev_script(const std::map<std::string, std::string, std::less<>>& scripts,
                           std::string_view name = "dev");

// A command line split as a POSIX shell would, without expansions. Operators (&& || ; | &) are words of their
// own, marked.
struct ShellWord {
  std::string text;
  bool is_operator = false;
  bool operator==(const ShellWord&) const = default;
};
std::vector<ShellWord> split_shell(std::string_view line);

}  // namespace vsim::project
