// What a function does that the machine of a developer allows and the one of a deployment does not: it asks
// its own server by a loopback name, connects to what else runs on the laptop, writes to the project. The
// instance sees it, and refuses it where that is certain; the words are here. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "limits/verdict.hpp"
#include "profile/profile.hpp"

namespace vsim::limits {

struct MachineFact {
  enum class Kind {
    self_fetch,
    loopback,
    ipv6_only,
    smtp,
    disk,
    tmp_full,
    tmp_elsewhere,
    program,
    deployment,
    descriptors
  };
  // Why it was let through, if it was.
  enum class Doubt {
    none,
    mode,      // the profile only warns
    derived,   // the address may also come from the request or from $VERCEL_URL, which have other names there
    unseen,    // by a client that cannot be stopped, only seen
    package,   // no line of the app, only a package
    only_dev,  // the file chooses by NODE_ENV or its like, so it may happen in development alone
    at_build,  // a page that may be rendered at build, where the disk can be written
    hosts,     // a name that only /etc/hosts of this machine has; it may have been refused as well
  };
  Kind kind = Kind::loopback;
  std::string_view what;  // "fetch", "connection", "writeFile"
  std::string_view to;    // "http://localhost:3000/api/x", "127.0.0.1:5432", "/var/task/data.json"
  std::string_view at;    // "app/x/route.ts:3:9"; empty: not known
  // A variable of the environment names it: a developer's stand-in for what the deployment has.
  std::string_view variable;
  Doubt doubt = Doubt::none;
  bool refused = false;      // it failed as on the platform
  std::string_view by = {};  // tmp_elsewhere: the instance that has it
};

namespace machine {

std::optional<MachineFact::Kind> kind_of(std::string_view word);
std::optional<MachineFact::Doubt> doubt_of(std::string_view word);
Code code_of(MachineFact::Kind);

// `route` and `file`: of the function.
Verdict told(const profile::Profile&, const MachineFact&, std::string_view route, std::string_view file);
// One that a variable names or that may be for development alone is a remark and no verdict.
bool is_remark(const MachineFact&);
std::string remark(const MachineFact&);

// For the instance: "self=enforce,loopback=warn,...", with the profile's other keys of the machine
std::string modes(const profile::Profile&);

}  // namespace machine
}  // namespace vsim::limits
