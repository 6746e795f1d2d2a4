#include "limits/machine.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "limits/of_setting.hpp"

namespace vsim::limits::machine {
namespace {

using Kind = MachineFact::Kind;
using Doubt = MachineFact::Doubt;

struct Row {
  Kind kind;
  std::string_view word;  // of the instance
  Code code;
  std::string_view key;
  profile::Setting<profile::Strictness> profile::Profile::*mode;
  std::string_view limit;  // of the platform
  std::string_view error;  // what the function gets there
};

constexpr Row kRows[] = {
    {Kind::self_fetch, "self", Code::sim_localhost_self_fetch, "network.self",
     &profile::Profile::network_self, "nothing listens on a function's own loopback", "ECONNREFUSED"},
    {Kind::loopback, "loopback", Code::sim_loopback_server, "network.loopback",
     &profile::Profile::network_loopback, "no other server runs beside a function", "ECONNREFUSED"},
    {Kind::ipv6_only, "ipv6", Code::sim_ipv6_only, "network.ipv6", &profile::Profile::network_ipv6,
     "functions reach IPv4 addresses only", "ENETUNREACH"},
    {Kind::smtp, "smtp", Code::sim_smtp_port, "network.smtp", &profile::Profile::network_smtp,
     "port 25 is closed outwards", "a connection that never comes"},
    {Kind::disk, "disk", Code::sim_read_only_filesystem, "disk.writes", &profile::Profile::disk_writes,
     "read-only but for /tmp", "EROFS"},
    {Kind::tmp_full, "tmp-full", Code::sim_tmp_full, "disk.tmp_max", &profile::Profile::disk_tmp, "",
     "ENOSPC"},
    {Kind::tmp_elsewhere, "tmp", Code::sim_tmp_not_shared, "disk.tmp", &profile::Profile::disk_tmp,
     "each instance has a /tmp of its own", "ENOENT"},
    {Kind::program, "program", Code::sim_program_not_there, "programs.absent",
     &profile::Profile::programs_absent, "a function has Node and its own files", "ENOENT"},
    {Kind::deployment, "protection", Code::sim_deployment_protected, "network.protection",
     &profile::Profile::network_protection, "only who has the bypass is let in", "401"},
    {Kind::descriptors, "descriptors", Code::sim_too_many_descriptors, "descriptors.max",
     &profile::Profile::descriptors_mode, "", "EMFILE"},
};

constexpr std::pair<Doubt, std::string_view> kDoubts[] = {
    {Doubt::none, ""},
    {Doubt::mode, "mode"},
    {Doubt::derived, "derived"},
    {Doubt::unseen, "unseen"},
    {Doubt::package, "package"},
    {Doubt::only_dev, "only-dev"},
    {Doubt::at_build, "at-build"},
    {Doubt::hosts, "hosts"},
};

constexpr std::string_view kHostsFile = "/etc/hosts";  // where a variable's name would stand

const Row& row_of(Kind kind) {
  return *std::find_if(std::begin(kRows), std::end(kRows), [&](const Row& r) { return r.kind == kind; });
}

// What follows "which was let through".
std::string_view reason(const MachineFact& fact) {
  switch (fact.doubt) {
    case Doubt::derived:
      return ": whether it was made from the request's own host or $VERCEL_URL, which have another name "
             "there, cannot be seen";
    case Doubt::unseen:
      return ": this client can only be watched here";
    case Doubt::package:
      return ": a package does it by itself, perhaps in development alone";
    case Doubt::at_build:
      return ": this page may be rendered at build too, where that works";
    case Doubt::hosts:
      return ": only /etc/hosts of this machine has that name";
    case Doubt::none:
    case Doubt::mode:
    case Doubt::only_dev:
      break;
  }
  return "";
}

// "writeFile of /tmp/a at app/x/route.ts:3:9".
std::string deed(const MachineFact& fact, std::string_view joint) {
  std::string out = fmt::format("{} {} {}", fact.what, joint, fact.to);
  if (!fact.at.empty()) out += fmt::format(" at {}", fact.at);
  return out;
}

// Of the size that the profile gives it.
Verdict full(const profile::Profile& p, const MachineFact& fact, Verdict v) {
  v.limit = human_size(p.disk_tmp_max.value);
  v.measured = fact.at.empty() ? std::string("/tmp holds as much as it can, and more gets ENOSPC")
                               : deed(fact, "of") + ", which got ENOSPC as there";
  if (!fact.refused)
    v.measured =
        "what the instance has written to /tmp is more: let through here, as it is this machine's own";
  return v;
}

// Where more of them are open than there are: `to` says what they are.
Verdict too_many(const profile::Profile& p, const MachineFact& fact, Verdict v) {
  v.limit = fmt::format("{} for all that an instance serves at once", p.descriptors_max.value);
  v.measured = fact.refused ? deed(fact, "of") + ", which got EMFILE as there"
                            : fmt::format("{} are open: let through here, one more is EMFILE there", fact.to);
  return v;
}

}  // namespace

std::optional<Kind> kind_of(std::string_view word) {
  for (const Row& r : kRows)
    if (r.word == word) return r.kind;
  return std::nullopt;
}

std::optional<Doubt> doubt_of(std::string_view word) {
  for (const auto& [doubt, name] : kDoubts)
    if (name == word) return doubt;
  return std::nullopt;
}

Code code_of(Kind kind) { return row_of(kind).code; }

Verdict told(const profile::Profile& p, const MachineFact& fact, std::string_view route,
             std::string_view file) {
  const Row& row = row_of(fact.kind);
  Verdict v =
      of_setting(row.code, row.key, p.*row.mode, route, fact.at.empty() ? file : std::string_view(fact.at));
  v.enforced = fact.refused;
  v.limit = row.limit;
  if (fact.kind == Kind::tmp_full) return full(p, fact, std::move(v));
  if (fact.kind == Kind::descriptors) return too_many(p, fact, std::move(v));
  if (fact.kind == Kind::tmp_elsewhere) {
    v.measured =
        fmt::format("{}, which {} has in its own /tmp: not found {}, as there", deed(fact, "of"), fact.by,
                    fact.doubt == Doubt::at_build ? "where this page is made, at build" : "here");
    return v;
  }
  v.measured = deed(fact, fact.kind == Kind::disk || fact.kind == Kind::program ? "of" : "to");
  const std::string_view error = fact.doubt == Doubt::hosts ? "ENOTFOUND" : row.error;
  v.measured += fact.refused
                    ? fmt::format(", which got {} as there{}", error, reason(fact))
                    : fmt::format(", which was let through here and gets {} there{}", error, reason(fact));
  return v;
}

bool is_remark(const MachineFact& fact) {
  return !fact.refused && (!fact.variable.empty() || fact.doubt == Doubt::only_dev);
}

std::string remark(const MachineFact& fact) {
  const bool disk = fact.kind == Kind::disk, program = fact.kind == Kind::program;
  if (fact.variable.empty())
    return fmt::format("{} {} {} and chooses by NODE_ENV or its like: let through here, {}",
                       fact.at.empty() ? "the app" : fact.at,
                       disk      ? "writes"
                       : program ? "starts"
                                 : "names",
                       fact.to, disk ? "read-only on Vercel" : "not there on Vercel");
  if (program)
    return fmt::format("{} names {}, a program of this machine: let through here, not there on Vercel",
                       fact.variable, fact.to);
  if (disk)
    return fmt::format("{} names {}, where a function writes: let through here, read-only on Vercel",
                       fact.variable, fact.to);
  if (fact.variable == kHostsFile)
    return fmt::format(
        "{} of this machine gives the name of {} its own address: let through here; on Vercel "
        "DNS alone says where it leads",
        fact.variable, fact.to);
  return fmt::format(
      "{} names {}, which runs on this machine: let through here; on Vercel the variable must "
      "name a server that can be reached from there",
      fact.variable, fact.to);
}

std::string modes(const profile::Profile& p) {
  std::string out;
  for (const Row& r : kRows)
    if (r.kind != Kind::tmp_full)
      out += fmt::format("{}{}={}", out.empty() ? "" : ",", r.word, profile::to_string((p.*r.mode).value));
  return out + fmt::format(",reads={},static={},tmp_max={},descriptors_max={},cpus={},frozen={},strict={}",
                           profile::to_string(p.disk_reads.value), profile::to_string(p.static_changes.value),
                           p.disk_tmp_max.value, p.descriptors_max.value, p.cpu_count.value,
                           profile::to_string(p.static_frozen.value),
                           profile::to_string(p.environment_strict.value));
}

}  // namespace vsim::limits::machine
