#include "cli/run.hpp"
#include "cli/app_errors.hpp"
#include "cli/output_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <random>

#include "app/clock.hpp"
#include "app/emulator.hpp"
#include "app/json_sink.hpp"
#include "app/keyboard.hpp"
#include "app/live.hpp"
#include "base/plain_text.hpp"
#include "cli/default_profile.hpp"
#include "cli/environment.hpp"
#include "cli/network_urls.hpp"
#include "cli/project_config.hpp"
#include "cli/read_file.hpp"
#include "cli/record_file.hpp"
#include "cli/run_keys.hpp"
#include "cli/run_summary.hpp"
#include "cli/span_output.hpp"
#include "cli/terminal.hpp"
#include "profile/render.hpp"
#include "project/deployed_node.hpp"
#include "project/files.hpp"
#include "project/finder.hpp"
#include "project/node_version.hpp"
#include "project/supported_next.hpp"

namespace vsim::cli {

std::string_view embedded(std::string_view path);  // profiles/*.yaml, generated

namespace {

std::optional<std::string> read_profile(std::string_view name_or_path) {
  if (const std::string_view text = embedded(fmt::format("profiles/{}.yaml", name_or_path));
      text.data() != nullptr)
    return std::string(text);
  if (name_or_path == "-") return std::nullopt;  // for read_file it is standard input
  auto text = read_file(std::string(name_or_path), kMostProfileBytes);
  if (!text) return std::nullopt;
  return std::move(*text);
}

void add_env(process::Environment& env, const std::vector<std::pair<std::string, std::string>>& assignments) {
  for (const auto& [name, value] : assignments) process::set_env(env, name, value);
}

// The project's own `next dev`, with what its dev script gives it.
Result<app::EmulatorOptions> next_app(app::EmulatorOptions out, const RunOptions& options,
                                      const std::string& directory, std::vector<std::string>& notes) {
  auto found = project::find_project(directory);
  if (!found) return found.error();
  const project::Project& project = *found;
  const project::DevScript& dev = project.dev;
  if (dev.kind == project::DevScript::Kind::custom_server)
    notes.push_back(
        fmt::format("the dev script starts a custom server ({}). Vercel never deploys one: its sockets, "
                    "routes and middleware will not exist there. "
                    "Running next dev instead; use --app '{}' to run it all the same",
                    dev.custom_server, dev.text));
  for (const auto& note : dev.notes) notes.push_back(note);
  if (const auto old = project::check_next(project.next_version))
    notes.push_back(fmt::format("{}; {}", old->message, old->fix));

  out.project_dir = project.source_root;
  out.app_label = "next " + project.next_version;
  auto& spec = out.app.emplace<app::NextSpec>();
  spec.name = out.app_label;
  spec.cwd = project.root;
  spec.env = process::current_environment();
  add_env(spec.env, dev.env);
  const std::string node = project::find_in_path("node", process::get_env(spec.env, "PATH").value_or(""));
  if (node.empty()) return Error{"Node.js is not in PATH", "install Node.js 22 or newer"};
  const auto version = project::node_version_of(node);
  if (!version) return version.error();
  if (const auto problem = project::check_node(*version, project.engines_node, project.next_engines))
    return *problem;
  for (const auto& told :
       {project::check_deployable(project.engines_node), project::check_same_node(*version)})
    if (told) notes.push_back(fmt::format("{}. {}", told->message, told->fix));

  spec.argv = {node};
  spec.argv.insert(spec.argv.end(), dev.node_flags.begin(), dev.node_flags.end());
  spec.argv.insert(spec.argv.end(), {project.next_bin, "dev"});
  if (!dev.directory.empty()) spec.argv.push_back(dev.directory);
  for (std::size_t i = 0; i < dev.args.size(); ++i) {
    // TLS is the edge's; Next behind it speaks plain HTTP.
    if (dev.args[i] == "--experimental-https") continue;
    if (dev.args[i].starts_with("--experimental-https-")) {
      if (dev.args[i].find('=') == std::string::npos) ++i;
      continue;
    }
    spec.argv.push_back(dev.args[i]);
  }
  if (!dev.hostname.empty()) spec.argv.insert(spec.argv.end(), {"--hostname", dev.hostname});
  if (dev.https) out.https = true;
  if (!options.port_given && dev.port) out.port = static_cast<std::uint16_t>(*dev.port);
  return out;
}

void command_app(app::EmulatorOptions& out, std::vector<std::string> argv, std::string label,
                 const std::string& directory, std::vector<std::string>& notes) {
  auto& spec = out.app.emplace<app::ServerSpec>();
  spec.argv = std::move(argv);
  spec.name = label;
  spec.cwd = directory;
  spec.env = process::current_environment();
  out.app_label = std::move(label);
  // With a Next project around it, its maxDuration values still hold.
  const auto project = project::find_project(directory);
  if (!project) return;
  out.project_dir = project->source_root;
  if (out.engine.compile_grace == Duration::zero())
    if (auto hint = project::compile_hint(spec.argv, project->next_version))
      notes.push_back(std::move(*hint));
}

// Of variables: what a deployment would have, and what is told of the others.
bool settle_environment(const RunOptions& options, const profile::Profile& profile,
                        app::EmulatorOptions& out) {
  std::optional<std::string> file = options.env_file;
  if (file) {
    const std::string named = project::is_file(*file) ? *file : out.project_dir + "/" + *file;
    if (!project::is_file(named)) {
      print_error({fmt::format("--env-file {}: no such file, here or in {}", *file, out.project_dir),
                   "`vercel env pull FILE --environment=preview` writes one"});
      return false;
    }
    file = project::real_path(named);
  }
  out.env_files = deployed_env_files(out.project_dir, file);  // strict it may become later
  out.look = [directory = out.project_dir, &profile, file,
              shell = app::process_of(out.app)->env](const auto& stopping) {
    return environment_words(directory, profile, file, shell, stopping);
  };
  return true;
}

// What stands under the ready line: where else it is reached, the live page, and what ./demo.sh says to try.
std::string ready_hint(const RunOptions& options, bool https, std::string_view token) {
  const char* const scheme = https ? "https" : "http";
  std::string hint;
  for (const std::string& host : network_hosts(options.listen))
    hint += fmt::format("network  {}://{}:{{port}}\n", scheme, host);
  hint += fmt::format("live  {}://localhost:{{port}}/_vercel-sim/#{}", scheme, token);
  if (const char* demo = std::getenv("VERCEL_SIM_READY_HINT"); demo != nullptr)
    hint += "\n" + std::string(demo);
  return hint;
}

}  // namespace

void print_error(const Error& error) {
  fmt::print(stderr, "error: {}\n", plain(error.message, LineEnds::keep));
  if (!error.fix.empty()) fmt::print(stderr, "  fix: {}\n", plain(error.fix, LineEnds::keep));
}

Result<profile::Profile, std::string> try_load(const std::string& name,
                                               std::span<const std::string> overrides) {
  std::optional<std::string> repository;  // of the file that is named first; the others are what it extends
  std::string outside;
  auto loaded =
      profile::load_profile(name, overrides, [&](std::string_view wanted) -> std::optional<std::string> {
        const std::string path(wanted);
        if (!profile::is_path(wanted)) return read_profile(wanted);  // a built-in one
        if (!repository)
          repository = project::repository_of(project::real_path(project::parent_directory(path)));
        if (project::lies_in(*repository, path)) return read_profile(wanted);
        outside = fmt::format("  {} lies outside of the repository {}\n", plain(path), plain(*repository));
        return std::nullopt;
      });
  if (loaded.profile) return std::move(*loaded.profile);
  return profile::to_string(loaded.diagnostics) + outside;
}

std::vector<std::string> overrides_of(const std::vector<std::pair<std::string, std::string>>& set) {
  std::vector<std::string> out;
  out.reserve(set.size());
  for (const auto& [key, value] : set) out.push_back(fmt::format("{}={}", key, value));
  return out;
}

std::optional<profile::Profile> load(const std::string& name, std::span<const std::string> overrides) {
  auto loaded = try_load(name, overrides);
  if (loaded) return std::move(*loaded);
  fmt::print(stderr, "{}", loaded.error());
  return std::nullopt;
}

Result<std::unique_ptr<Setup>, int> set_up(const RunOptions& options) {
  std::vector<std::string> overrides = overrides_of(options.set);
  if (options.isolation)
    overrides.push_back(fmt::format("isolation={}", profile::to_string(*options.isolation)));
  if (options.placement) overrides.push_back("placement=" + *options.placement);
  const std::string directory = project::real_path(options.cwd.empty() ? "." : options.cwd);
  if (directory.empty()) {
    print_error({fmt::format("--cwd {}: no such directory", options.cwd), ""});
    return kUsage;
  }
  std::vector<std::string> notes;
  DefaultProfile named{options.profile, ""};
  if (!options.profile_given) {
    named = default_profile(directory);
    notes.push_back(std::move(named.note));
  }
  const auto is_region = [](const std::string& text) { return text.starts_with("region="); };
  if (std::none_of(overrides.begin(), overrides.end(), is_region)) {
    if (const auto region = project_region(directory)) {
      overrides.push_back("region=" + *region);
      notes.push_back(fmt::format("functions run in {}, the first of `regions` in vercel.json", *region));
    }
  }
  auto profile = load(named.name, overrides);
  if (!profile) return kUsage;

  auto setup = std::make_unique<Setup>(
      Setup{std::move(*profile), {}, std::move(notes), std::move(overrides), std::move(named.name)});
  app::EmulatorOptions& emulator = setup->emulator;
  emulator.profile = &setup->profile;
  emulator.port = options.port;
  emulator.addresses = options.listen;
  emulator.https = options.https;
  emulator.allowed_hosts = options.allowed_hosts;
  for (const auto& address : options.listen)
    if (address != "127.0.0.1" && address != "::1" && address != "0.0.0.0" && address != "::")
      emulator.https_name = address;
  emulator.isolation_required = options.isolation && *options.isolation != profile::Isolation::none;
  emulator.engine.time_scale = options.time_scale;
  emulator.engine.compile_grace = options.compile_grace;
  emulator.engine.seed = options.seed.value_or(std::random_device{}());
  emulator.inspect_instance = options.inspect_instance;
  if (emulator.isolation_required && (options.app || !options.command.empty())) {
    print_error({fmt::format("--isolation {}: of a command only one copy can be run in this version, so its "
                             "instances cannot be isolated",
                             profile::to_string(*options.isolation)),
                 "leave --isolation out, or let vercel-sim run the project's own next dev"});
    return kUsage;
  }

  if (options.upstream) {
    const UpstreamOption& u = *options.upstream;
    const std::string host = u.host.find(':') != std::string::npos ? "[" + u.host + "]" : u.host;
    std::string origin = u.url.starts_with("http://") ? u.url : "http://" + u.url;
    while (origin.ends_with('/')) origin.pop_back();
    emulator.app = app::UpstreamSpec{u.host, u.port, origin};
    emulator.app_label = origin;
  } else if (options.app) {
    command_app(emulator, {"/bin/sh", "-c", *options.app}, *options.app, directory, setup->notes);
  } else if (!options.command.empty()) {
    command_app(emulator, options.command, fmt::format("{}", fmt::join(options.command, " ")), directory,
                setup->notes);
  } else {
    auto next = next_app(std::move(emulator), options, directory, setup->notes);
    if (!next) {
      print_error(next.error());
      return kUsage;
    }
    emulator = std::move(*next);
    if (!settle_environment(options, setup->profile, emulator)) return kUsage;
  }
  return setup;
}

bool EventsFile::open(const std::string& where, app::EventHub& hub) {
  where_ = where;
  int fd = STDOUT_FILENO;
  if (where != "-") {
    const auto opened = open_output("--events", where, "\"at_ms\":");
    if (!opened) return print_error(opened.error()), false;
    fd = *opened;
  }
  // At once: a run may go on for hours. A reader who leaves (EPIPE) has had enough.
  writer_ = std::make_unique<app::LineWriter>(fd, where != "-", [where](int error) {
    if (error != EPIPE)
      print_error({fmt::format("--events {}: {}", where, std::strerror(error)),
                   "the events from here on are lost: free some space, or name another file"});
  });
  sink_ = std::make_unique<app::JsonSink>(*writer_, app::now());
  hub.add(*sink_);
  return true;
}

bool EventsFile::complete() {
  if (!writer_) return true;
  writer_->flush();
  if (const int error = writer_->error(); error != 0) return error == EPIPE;  // told when it happened
  const std::uint64_t lost = writer_->lost(), behind = writer_->behind();
  if (lost + behind == 0) return true;
  print_error({lost > 0 ? fmt::format("--events {}: {} events are lost, nobody read them in time", where_,
                                      lost + behind)
                        : fmt::format("--events {}: up to {} events are lost, nobody read them within a "
                                      "second of the end",
                                      where_, behind),
               "read what --events writes as it comes, or name a file"});
  return false;
}

void print_banner(Terminal& people, const RunOptions& options, const Setup& setup) {
  people.say(fmt::format("vercel-sim {} in front of {}\n{}", VSIM_VERSION, plain(setup.emulator.app_label),
                         profile::render_limits_summary(setup.profile)));
  if (options.time_scale != 1)
    people.say(fmt::format("time scale {}x: limits are divided by it, none below 1 s of real time\n",
                           options.time_scale));
  for (const auto& note : setup.notes) people.say("note: " + plain(note) + "\n");
}

int run(const RunOptions& asked, Colour colour) {
  TestOptions with_defaults;
  with_defaults.run = asked;
  ProjectConfig config;  // what it expects is for `test`
  if (!load_project_config(with_defaults, config)) return kUsage;
  const RunOptions& options = with_defaults.run;
  auto prepared = set_up(options);
  if (!prepared) return prepared.error();
  Setup& setup = **prepared;
  app::EmulatorOptions& emulator = setup.emulator;
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  if (app::ProcessSpec* const child = app::process_of(emulator.app)) {
    child->pty = terminal;
    if (const auto size = process::os::terminal_size(STDOUT_FILENO)) child->window = *size;
  }

  // Events on standard output leave it to them: people read standard error then.
  const bool events_on_stdout = options.events && *options.events == "-";
  const int people_fd = events_on_stdout ? STDERR_FILENO : STDOUT_FILENO;
  app::LineWriter terminal_writer(people_fd);
  const TerminalStyle style =
      style_of(options.verbosity, shows_colour(colour, terminal && !events_on_stdout));
  Terminal people(terminal_writer, style, people_fd);
  app::EventHub hub;
  hub.add(people);
  RunSummary summary;
  hub.add(summary);
  RunKeys keys(people, setup.profile, setup.profile_name, setup.overrides, options.time_scale);
  app::Live live(
      app::now(), [&]() -> const profile::Profile& { return keys.profile(); },
      [&](std::string_view what, std::string_view value) { return keys.asked(what, value); });
  hub.add(live);
  emulator.live = &live;
  emulator.watches_streams = options.events.has_value();
  EventsFile events;
  if (options.events && !events.open(*options.events, hub)) return kUsage;

  SpanOutput spans;
  if (options.otlp && !spans.open(*options.otlp, hub)) return kUsage;
  RecordFile record;
  if (options.record && !record.open(*options.record, hub, emulator)) return kUsage;

  if (!style.quiet) print_banner(people, options, setup);
  record.say(people);
  std::string hint = ready_hint(options, emulator.https, live.token());
  const bool drop_request_lines = app::is_next(emulator.app);
  emulator.fold_starts = !style.verbose;
  emulator.deploy_every = options.deploy_every;
  emulator.notice = options.notice;
  AppErrors errors;
  const bool has_keys = terminal && !events_on_stdout && !style.quiet && app::Keyboard::is_ours();
  if (terminal && !events_on_stdout) emulator.each_second = [&](TimePoint now) { people.tick(now); };
  if (has_keys) {
    emulator.key = [&](char key) { keys.pressed(key); };
    hint += "\npress h for help, q to quit";
  }
  if (!style.quiet) people.set_ready_hint(std::move(hint));
  app::Emulator program(std::move(emulator), hub, [&, quiet = style.quiet](const app::OutputLine& line) {
    const bool is_of_request = drop_request_lines && is_next_request_line(line.text);
    if (!is_of_request) live.printed(app::now(), line);
    if ((quiet && !errors.shows(line)) || is_of_request) return;
    people.app_output(line.text);
  });
  keys.of(program);
  if (options.open) hub.add(keys);  // after people: the browser comes after the ready line
  const auto result = program.run();
  const std::string sent = spans.finish();
  if (!style.quiet) people.say(summary.text(options.events.value_or("")) + sent);
  terminal_writer.flush();
  if (!result) print_error(result.error());
  int code = result ? *result : program.failure_code();
  if (!events.complete() && code == 0) code = kSoftware;
  if (!record.complete() && code == 0) code = kSoftware;
  return code;
}

}  // namespace vsim::cli
