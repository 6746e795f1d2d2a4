#include "cli/doctor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/plain_text.hpp"
#include "base/text.hpp"
#include "cli/columns.hpp"
#include "cli/default_profile.hpp"
#include "cli/machine.hpp"
#include "cli/run.hpp"
#include "process/run_dir.hpp"
#include "project/deployed_node.hpp"
#include "project/env_names.hpp"
#include "project/files.hpp"
#include "project/finder.hpp"
#include "project/node_version.hpp"
#include "project/sources.hpp"
#include "project/supported_next.hpp"
#include "project/vercel_link.hpp"

namespace vsim::cli {
namespace {

class Doctoring {
 public:
  std::vector<Diagnosis> take() { return std::move(out_); }

  void machine(const std::string& directory) {
    const auto found = project::find_project(directory);
    node(found.ok() ? &*found : nullptr);
    if (found) {
      add("project", Health::ok,
          fmt::format("{}: next {} in {}", found->name, found->next_version, found->next_directory));
      if (const auto old = project::check_next(found->next_version)) warning("next", old->message, old->fix);
      of_project(*found);
    } else {
      // Yarn Plug'n'Play, a next that is not installed, a workspace root: each has its own words and fix.
      problem("project", found.error().message, found.error().fix);
      port(3000);
    }
    node_options(std::getenv("NODE_OPTIONS"), "NODE_OPTIONS of this shell");
    watches();
    memory();
    run_directory();
    localhost();
  }

 private:
  void add(std::string id, Health health, std::string message, std::string fix = {}) {
    out_.push_back({std::move(id), health, std::move(message), std::move(fix)});
  }
  void warning(std::string id, std::string message, std::string fix) {
    add(std::move(id), Health::warning, std::move(message), std::move(fix));
  }
  void problem(std::string id, std::string message, std::string fix) {
    add(std::move(id), Health::problem, std::move(message), std::move(fix));
  }

  void node(const project::Project* project) {
    const char* path = std::getenv("PATH");
    const std::string node = project::find_in_path("node", path != nullptr ? path : "");
    if (node.empty()) return problem("node", "Node.js is not in PATH", "Install Node.js 22 or newer.");
    const auto version = project::node_version_of(node);
    if (!version) return problem("node", version.error().message, version.error().fix);
    const auto wrong = project::check_node(*version, project != nullptr ? project->engines_node : "",
                                           project != nullptr ? project->next_engines : "");
    if (wrong) return problem("node", wrong->message, wrong->fix);
    if (const auto ended = project::check_deployable(project != nullptr ? project->engines_node : ""))
      return problem("node", ended->message, ended->fix);
    if (const auto other = project::check_same_node(*version))
      return warning("node", other->message, other->fix);
    add("node", Health::ok,
        fmt::format("Node.js {}.{}.{} ({})", version->major, version->minor, version->patch, node));
  }

  void of_project(const project::Project& p) {
    packages(p);
    dev_script(p);
    port(static_cast<std::uint16_t>(p.dev.port.value_or(3000)));
    other_server(p);
    sources(p);
    env_files(p);
    for (const auto& [name, value] : p.dev.env)
      if (name == "NODE_OPTIONS") node_options(value.c_str(), "NODE_OPTIONS of the dev script");
  }

  void packages(const project::Project& p) {
    static constexpr const char* kLocks[] = {
        "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb"};
    std::vector<std::string> locks;
    for (const char* name : kLocks)
      if (project::is_file(p.workspace_root + "/" + name)) locks.emplace_back(name);
    if (locks.size() > 1)
      return warning("packages",
                     fmt::format("{} in {}: Vercel installs with one of them only", fmt::join(locks, " and "),
                                 p.workspace_root),
                     fmt::format("Keep the lock file of the package manager you use ({} here) and delete the "
                                 "others.",
                                 p.package_manager));
    if (locks.empty())
      return warning(
          "packages", fmt::format("no lock file in {}", p.workspace_root),
          fmt::format("Run `{} install` and commit the lock file: else a deployment installs other "
                      "versions.",
                      p.package_manager));
    add("packages", Health::ok, fmt::format("{} ({})", p.package_manager, locks.front()));
  }

  void dev_script(const project::Project& p) {
    using Kind = project::DevScript::Kind;
    const project::DevScript& dev = p.dev;
    if (dev.kind == Kind::custom_server)
      return warning("dev-script",
                     fmt::format("\"{}\" starts a custom server ({}), which Vercel never deploys", dev.text,
                                 dev.custom_server),
                     "vercel-sim runs next dev instead; move its routes and sockets (vercel-sim explain "
                     "custom-server).");
    if (dev.kind == Kind::none)
      return add("dev-script", Health::ok, "package.json has none; vercel-sim runs next dev");
    if (dev.kind == Kind::unknown)
      return warning("dev-script",
                     fmt::format("\"{}\" could not be read; vercel-sim runs next dev", dev.text),
                     "To run it as it is: vercel-sim run --app 'COMMAND'.");
    add("dev-script", Health::ok, fmt::format("\"{}\"", dev.text));
    for (const std::string& note : dev.notes)
      warning("dev-script", note, "Start that yourself when the app needs it.");
  }

  void port(std::uint16_t number) {
    if (!machine::port_in_use(number)) return add("port", Health::ok, fmt::format("port {} is free", number));
    const auto who = machine::listener_on(number);
    warning("port",
            fmt::format("port {} is in use{}", number,
                        who ? fmt::format(" by process {}: {}", who->pid, who->command.substr(0, 80)) : ""),
            fmt::format("Stop it{}, or take another port: vercel-sim run --port 0.",
                        who ? fmt::format(" (kill {})", who->pid) : ""));
  }

  // Next refuses a second dev server in the same directory.
  void other_server(const project::Project& p) {
    for (const machine::Process& other : machine::processes()) {
      if (other.directory != p.root && other.directory != p.source_root) continue;
      if (!other.command.starts_with("next-server") && other.command.find("next dev") == std::string::npos &&
          other.command.find("/next/dist/bin/next") == std::string::npos)
        continue;
      return problem("dev-server",
                     fmt::format("another dev server of this project runs: process {}, {}", other.pid,
                                 other.command.substr(0, 80)),
                     fmt::format("Stop it (kill {}): Next starts one a directory, and holds {}.", other.pid,
                                 ".next/dev/lock"));
    }
    add("dev-server", Health::ok, "no other dev server of this project runs");
  }

  void sources(const project::Project& p) {
    project::SourceIndex index({p.source_root});
    const auto snapshot = index.scan();
    const bool vercel = snapshot->vercel.has_value();
    std::size_t found = 0;
    for (const routes::RouteFinding& f : snapshot->findings) {
      if (f.severity == routes::RouteSeverity::hint) continue;
      ++found;
      add(f.file == "vercel.json" ? "vercel-json" : "sources",
          f.severity == routes::RouteSeverity::error ? Health::problem : Health::warning,
          fmt::format("{}{}{}", f.file,
                      f.line != 0 ? fmt::format(":{}: ", f.line) : (f.file.empty() ? "" : ": "), f.message),
          f.fix);
    }
    if (found == 0)
      add("vercel-json", Health::ok, vercel ? "vercel.json is valid" : "no vercel.json, which is fine");
    if (vercel && snapshot->vercel->fluid)
      add("profile", Health::ok,
          *snapshot->vercel->fluid
              ? "\"fluid\": true in vercel.json: --profile hobby-fluid, pro-fluid or enterprise-fluid"
              : "\"fluid\": false in vercel.json: --profile hobby, pro or enterprise");
    else if (project::made_at(p.root, p.workspace_root))
      add("profile", Health::ok, default_profile(p.root).note);
    else
      add("profile", Health::ok,
          "vercel.json does not say \"fluid\": projects made since 2025-04-23 have Fluid compute (--profile "
          "hobby-fluid), older ones only if it was turned on in the dashboard (else --profile hobby)");
  }

  void env_files(const project::Project& p) {
    std::vector<std::string> files;
    std::string out_of_place;
    for (const char* name : {".env", ".env.local", ".env.development", ".env.development.local"}) {
      const auto text = project::read_text(p.root + "/" + name);
      if (!text) continue;
      files.emplace_back(name);
      const auto names = project::env_names(*text);
      for (const std::string_view variable :
           {"NODE_OPTIONS", "NODE_ENV", "PORT", "VERCEL", "VERCEL_URL", "VERCEL_REGION", "VERCEL_ENV"})
        if (std::find(names.begin(), names.end(), variable) != names.end())
          out_of_place += fmt::format("{}{} ({})", out_of_place.empty() ? "" : ", ", variable, name);
    }
    if (!out_of_place.empty())
      return warning(
          "env",
          fmt::format("set in an .env file, where it comes too late or misleads packages: {}", out_of_place),
          "Remove it there: vercel-sim and Next set what they need, and Vercel sets VERCEL_….");
    add("env", Health::ok,
        files.empty() ? "no .env files"
                      : fmt::format("{}", fmt::join(files, ", ")) +
                            "; on Vercel their variables must be set in the project");
  }

  void node_options(const char* text, std::string_view where) {
    if (text == nullptr || *text == '\0') return;
    const std::vector<project::ShellWord> words = project::split_shell(text);
    for (std::size_t i = 0; i < words.size(); ++i) {
      const std::string& w = words[i].text;
      if (w.starts_with("--inspect"))
        return warning("node-options",
                       fmt::format("{} has {}: every process of the app wants that port", where, w),
                       "Leave it out, or use --inspect=0, which gives each process a port of its own.");
      if ((w == "--require" || w == "-r" || w == "--import") && i + 1 < words.size()) {
        const std::string& file = words[i + 1].text;
        if (file.starts_with('/') && !project::is_file(file))
          return problem("node-options", fmt::format("{} preloads {}, which does not exist", where, file),
                         "Remove it from NODE_OPTIONS: no Node.js process starts with it.");
      }
    }
    add("node-options", Health::ok, fmt::format("{}: {}", where, text));
  }

  void watches() {
    const auto most = machine::kernel_number("/proc/sys/fs/inotify/max_user_watches");
    const auto instances = machine::kernel_number("/proc/sys/fs/inotify/max_user_instances");
    if (!most) return;
    // Chosen: next dev watches each directory of the sources and of what it bundles; editors need as many.
    constexpr std::uint64_t kFew = 16'384, kFewInstances = 64;
    if (*most < kFew)
      return warning("watches", fmt::format("only {} file watches (fs.inotify.max_user_watches)", *most),
                     "sudo sysctl fs.inotify.max_user_watches=524288");
    if (instances && *instances < kFewInstances)
      return warning("watches",
                     fmt::format("only {} inotify instances (fs.inotify.max_user_instances)", *instances),
                     "sudo sysctl fs.inotify.max_user_instances=512");
    add("watches", Health::ok, fmt::format("{} file watches", *most));
  }

  void memory() {
    const auto bytes = machine::available_memory();
    if (!bytes) return;
    // Chosen: next dev and two instances of a small app together stay below it.
    constexpr std::uint64_t kLittle = 1'500'000'000;
    if (*bytes < kLittle)
      return warning(
          "memory",
          fmt::format("{} of memory available: next dev and its instances need more", human_size(*bytes)),
          "Close something, or run with --isolation none (one process).");
    add("memory", Health::ok, fmt::format("{} available", human_size(*bytes)));
  }

  void run_directory() {
    const auto dir = process::RunDir::create(nullptr);
    if (!dir) return problem("run-directory", dir.error().message, dir.error().fix);
    add("run-directory", Health::ok,
        fmt::format("sockets go below {}", project::parent_directory(dir->path())));
  }

  void localhost() {
    const machine::Localhost l = machine::localhost();
    if (!l.v4 && !l.v6)
      return warning("localhost", "the name localhost leads nowhere",
                     "Add `127.0.0.1 localhost` to /etc/hosts.");
    if (l.v6 && !l.v6_works)
      return warning(
          "localhost", "localhost is also ::1, but this machine has no IPv6 there",
          "Use http://127.0.0.1:PORT where a client tries ::1 first, or remove `::1 localhost` from "
          "/etc/hosts.");
    add("localhost", Health::ok, l.v6_works ? "127.0.0.1 and ::1" : "127.0.0.1");
  }

  std::vector<Diagnosis> out_;
};

std::string_view word(Health h) {
  return h == Health::ok ? "ok" : h == Health::warning ? "warning" : "problem";
}

}  // namespace

std::vector<Diagnosis> diagnose(const std::string& directory) {
  Doctoring d;
  d.machine(directory);
  return d.take();
}

std::string render_diagnoses(const std::vector<Diagnosis>& all, bool json) {
  std::size_t problems = 0, warnings = 0;
  for (const Diagnosis& d : all) {
    problems += d.health == Health::problem;
    warnings += d.health == Health::warning;
  }
  std::string out;
  if (json) {
    out = fmt::format("{{\"version\": 1, \"problems\": {}, \"warnings\": {}, \"checks\": [", problems,
                      warnings);
    for (std::size_t i = 0; i < all.size(); ++i) {
      out += i == 0 ? "\n  {\"id\": " : ",\n  {\"id\": ";
      append_json_string(out, all[i].id);
      out += fmt::format(", \"health\": \"{}\", \"message\": ", word(all[i].health));
      append_json_string(out, all[i].message);
      out += ", \"fix\": ";
      append_json_string(out, all[i].fix);
      out += "}";
    }
    return out + "\n]}\n";
  }
  for (const Diagnosis& d : all) {
    out += fmt::format("{:<8} {:<14} {}\n", word(d.health), d.id, plain(d.message));
    if (!d.fix.empty()) out += fmt::format("{:<23} fix: {}\n", "", plain(d.fix));
  }
  return out + fmt::format("{}, {}\n", counted(problems, "problem"), counted(warnings, "warning"));
}

int doctor(const DoctorOptions& options) {
  const std::string directory = project::real_path(options.directory.empty() ? "." : options.directory);
  if (directory.empty() || !project::is_directory(directory)) {
    print_error({fmt::format("{}: no such directory", options.directory), ""});
    return kUsage;
  }
  const std::vector<Diagnosis> all = diagnose(directory);
  if (options.json)
    fmt::print("{}", render_diagnoses(all, true));
  else
    print_fitted(stdout, render_diagnoses(all, false));
  return std::any_of(all.begin(), all.end(), [](const Diagnosis& d) { return d.health == Health::problem; })
             ? 1
             : 0;
}

}  // namespace vsim::cli
