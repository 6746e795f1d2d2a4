#include "cli/option_table.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "cli/option_values.hpp"
#include "cli/option_words.hpp"
#include "log/log.hpp"

namespace vsim::cli {
namespace {

using enum HelpTopic;
constexpr Commands kApps = in(run) | in(test) | in(replay);
constexpr Commands kTested = in(test) | in(replay);
constexpr Commands kAll = ~0u;

constexpr std::string_view kPlan = "the plan", kListens = "where it listens",
                           kBehind = "what stands behind it", kFunctions = "how functions run",
                           kSeen = "what you see", kVerdict = "the verdict", kReports = "reports";

bool add_directory(Given& g, std::string_view text) {
  if (text.empty())
    g.problems.emplace_back("expects a directory, such as: vercel-sim check apps/web");
  else if (!g.check.directory.empty())
    g.problems.push_back(
        fmt::format("expects one directory; got {} and {}", quoted(g.check.directory), quoted(text)));
  else
    g.check.directory = text;
  return true;
}

bool set_profile(Given& g, std::string_view v) {
  g.run().profile_given = true;
  return set_text(g.run().profile, v);
}
bool set_json(Given& g, std::string_view) { return g.json = true; }
bool set_nothing(Given&, std::string_view) { return true; }
bool is_text(Given&, std::string_view v) { return !v.empty(); }

// What stands in a file of the project holds for everybody who works on it: `in_file` is not for --cwd, which
// says where the file is, nor for what a single run asks for.
// clang-format off
constexpr Option kOptions[] = {
    {.commands = kApps | in(check), .names = "--profile", .value = "NAME|FILE",
     .expects = "the name of a profile or the path of a file", .example = "hobby", .set = set_profile, .in_file = true,
     .help = {{in(run), kPlan, "whose limits to enforce (default: as vercel.json says, or hobby)"},
              {in(replay), "", "whose limits to enforce (default: as vercel.json says, or hobby)"},
              {in(check), "", "whose limits to judge by (default: as vercel.json says, or hobby)"}}},
    {.commands = in(replay), .names = "--profiles", .value = "LIST",
     .expects = "all, or names of profiles with commas between them", .example = "hobby,pro",
     .set = [](Given& g, std::string_view v) { return set_profiles(g.replay, v); },
     .help = {{in(replay), "", "all, or names with commas between them: one run after another, one table"}}},
    {.commands = kApps, .names = "--set", .value = "KEY=VALUE",
     .expects = "KEY=VALUE", .example = "duration.default=15s",
     .set = [](Given& g, std::string_view v) { return set_setting(g.run(), v); },
     .help = {{in(run), kPlan, "change one limit, such as --set duration.default=15s; may be repeated"}}},
    {.commands = in(check), .names = "--set", .value = "KEY=VALUE",
     .expects = "KEY=VALUE", .example = "duration.max=15s",
     .set = [](Given& g, std::string_view v) { return set_setting(g.run(), v); },
     .help = {{in(check), "", "change one limit, such as --set duration.max=15s; may be repeated"}}},
    {.commands = in(check), .names = "--format", .value = "FORMAT", .choices = "text | json | sarif | github",
     .set = [](Given& g, std::string_view v) { return set_format(g.check, v); },
     .help = {{in(check), "", " (default: text)"}}},
    {.commands = in(check), .names = "--json",
     .set = [](Given& g, std::string_view) { return set_format(g.check, "json"); },
     .help = {{in(check), "", "the same as --format json; with --size too"}}},
    {.commands = in(check), .names = "--size",
     .set = [](Given& g, std::string_view) { return g.check.size = true; },
     .help = {{in(check), "", "instead: what each function weighs, against bundle.max, and its largest\n"
                              "packages; from the last `next build`, or estimated from the sources"}}},
    {.commands = kApps, .names = "--time-scale", .value = "N",
     .expects = "a factor above 0 and up to 1000", .example = "60x",
     .set = [](Given& g, std::string_view v) { return set_time_scale(g.run(), v); }, .in_file = true,
     .help = {{in(run), kPlan, "let N seconds pass in one: limits strike N times earlier (default: 1x)"}}},

    {.commands = kApps, .names = "-p, --port", .value = "N",
     .expects = "a number from 0 to 65535", .example = "3000",
     .set = [](Given& g, std::string_view v) {
       g.run().port_given = true;
       return parse_number(v, g.run().port);
     }, .in_file = true,
     .help = {{in(run), kListens, "port (default: 3000); 0 picks a free one"}}},
    {.commands = in(run) | in(test), .names = "--host", .value = "[ADDR]",
     .expects = "an IP address", .example = "192.168.1.20",
     .set = [](Given& g, std::string_view v) {
       if (!v.empty()) return set_host(g.run(), v);
       g.run().listen = {"0.0.0.0", "::"};
       return true;
     }, .in_file = true,
     .help = {{in(run), kListens, "also for other devices: alone all addresses, or one of this machine's\n"
                                  "(default: 127.0.0.1 and ::1)"}}},
    {.commands = kApps, .names = "--https",
     .set = [](Given& g, std::string_view) { return g.run().https = true; }, .in_file = true,
     .help = {{in(run), kListens, "serve TLS with a certificate made for this machine"}}},
    {.commands = kApps, .names = "--allowed-hosts", .value = "LIST",
     .expects = "host names with commas between them, without scheme or port", .example = "app.local,.example.dev",
     .set = [](Given& g, std::string_view v) { return set_allowed_hosts(g.run(), v); }, .in_file = true,
     .help = {{in(run), kListens, "other names under which the app is asked, with commas between them;\n"
                                  ".example.dev is all below it too, * any (default: localhost,\n"
                                  "*.localhost and IP addresses)"}}},

    {.commands = kApps, .names = "--cwd", .value = "DIR", .expects = "a directory", .example = "apps/web",
     .set = [](Given& g, std::string_view v) { return set_text(g.run().cwd, v); },
     .help = {{in(run), kBehind, "the project's folder (default: here)"}}},
    {.commands = in(check), .names = "--cwd", .value = "DIR", .expects = "a directory", .example = "apps/web",
     .set = add_directory, .help = {{in(check), "", "the same as DIR"}}},
    {.commands = kApps, .names = "--app", .value = "'COMMAND'",
     .expects = "a command line", .example = "'node server.js'",
     .set = [](Given& g, std::string_view v) { return set_text(g.run().app.emplace(), v); }, .in_file = true,
     .help = {{in(run), kBehind, "run this instead of next dev, with PORT in its environment"}}},
    {.commands = kApps, .names = "--upstream", .value = "URL",
     .expects = "the address of a server as http://HOST:PORT, without a path", .example = "http://127.0.0.1:4000",
     .set = [](Given& g, std::string_view v) { return set_upstream(g.run(), v); }, .in_file = true,
     .help = {{in(run), kBehind, "http://HOST:PORT of a server that already runs; implies --isolation none"}}},
    {.commands = kApps, .names = "--compile-grace", .value = "D",
     .expects = "a duration with its unit", .example = "5s",
     .set = [](Given& g, std::string_view v) { return set_duration(g.run().compile_grace, v, Duration::zero()); },
     .in_file = true,
     .help = {{in(run), kBehind, "with --app, --upstream or --: time not counted at the start of each\n"
                                 "request, since compiling cannot be told from running there (default: 0s)"}}},

    {.commands = kApps, .names = "--isolation", .value = "POLICY", .choices = "invocation | instance | fluid | none",
     .example = "none", .set = [](Given& g, std::string_view v) { return set_isolation(g.run(), v); }, .in_file = true,
     .help = {{in(run), kFunctions, " (default: the profile's)"}}},
    {.commands = kApps, .names = "--placement", .value = "POLICY", .choices = "pack | spread:N",
     .expects = "pack, or spread:N with N from 1 to 64", .example = "spread:2",
     .set = [](Given& g, std::string_view v) { return set_placement(g.run(), v); }, .in_file = true,
     .help = {{in(run), kFunctions, " (default: the profile's)"}}},
    {.commands = kApps, .names = "--env", .value = "WHICH", .choices = "strict | all", .example = "strict",
     .set = [](Given& g, std::string_view v) { return set_word(g.run(), v, "environment.strict", "strict", "all"); },
     .in_file = true,
     .help = {{in(run), kFunctions, ": strict gives instances only the variables that a deployment\n"
                                    "would have: committed .env files, --env-file, the platform's (default: all)"}}},
    {.commands = kApps, .names = "--env-file", .value = "FILE",
     .expects = "a file of NAME=VALUE lines", .example = ".env.preview",
     .set = [](Given& g, std::string_view v) {
       g.run().set.emplace_back("environment.strict", "on");
       return set_text(g.run().env_file.emplace(), v);
     }, .in_file = true,
     .help = {{in(run), kFunctions, "what the project's settings have, as `vercel env pull FILE` writes it;\n"
                                    "implies --env strict"}}},
    {.commands = kApps, .names = "--static", .value = "HOW", .choices = "frozen | fresh", .example = "frozen",
     .set = [](Given& g, std::string_view v) { return set_word(g.run(), v, "static.frozen", "frozen", "fresh"); },
     .in_file = true,
     .help = {{in(run), kFunctions, ": frozen answers what is made at build as it was first, until\n"
                                    "its revalidate is over or something revalidates it (default: fresh)"}}},
    {.commands = in(test), .names = "--fail-on", .value = "WHEN", .choices = "violations | none", .example = "none",
     .set = [](Given& g, std::string_view v) { return v != "broke" && set_fail_on(g.replay.test, v); }, .in_file = true,
     .help = {{in(test), kVerdict, ": whether a limit that struck gives exit code 2 when the\n"
                                   "command succeeded (default: violations)"}}},
    {.commands = in(replay), .names = "--fail-on", .value = "WHEN", .choices = "violations | broke | none",
     .example = "broke", .set = [](Given& g, std::string_view v) { return set_fail_on(g.replay.test, v); },
     .help = {{in(replay), "", ": what gives exit code 2. violations: a limit that\n"
                               "struck, or a request that broke; broke: only what had worked in the\n"
                               "recording (default: violations)"}}},
    {.commands = kTested, .names = "--ready-timeout", .value = "D",
     .expects = "a duration with its unit", .example = "5m",
     .set = [](Given& g, std::string_view v) { return set_duration(g.replay.test.ready_timeout, v, Duration(1)); },
     .in_file = true,
     .help = {{in(test), kVerdict, "how long the app may take to get ready (default: 2m)"},
              {in(replay), "", "how long the app may take to get ready (default: 2m)"}}},
    {.commands = kTested, .names = "--warm",
     .set = [](Given& g, std::string_view) { return g.replay.test.warm = true; }, .in_file = true,
     .help = {{in(test), kVerdict, "compile every route before COMMAND starts, without running any"},
              {in(replay), "", "compile every route before the first request, without running any"}}},
    {.commands = kApps, .names = "--seed", .value = "N", .expects = "a whole number", .example = "42",
     .set = [](Given& g, std::string_view v) { return parse_number(v, g.run().seed.emplace()); }, .in_file = true,
     .help = {{in(run), kFunctions, "repeat the ids and placements of an earlier run (default: random)"},
              {in(test), kVerdict, "repeat the ids and placements of an earlier run, for the same order of\n"
                                   "requests (default: random; printed at the start and with the verdict)"},
              {in(replay), "", "repeat the ids and placements of an earlier run (default: random)"}}},
    // Who runs a command has no eyes for a browser, and no patience for a score.
    {.commands = in(run), .names = "--deploy-every", .value = "D",
     .expects = "a duration of at least 1s", .example = "30s",
     .set = [](Given& g, std::string_view v) {
       return set_duration(g.run().deploy_every, v, std::chrono::seconds(1));
     },
     .help = {{in(run), kFunctions, "a new deployment as often: who reconnects, and what is lost?"}}},
    {.commands = kApps, .names = "--inspect-instance",
     .set = [](Given& g, std::string_view) { return g.run().inspect_instance = true; },
     .help = {{in(run), kFunctions, "each instance opens an inspector on a port of its own; while a debugger is\n"
                                    "attached, its deadlines stand still"}}},

    {.commands = kApps, .names = "--events", .value = "FILE|-",
     .expects = "a file, or - for standard output", .example = "events.jsonl",
     .set = [](Given& g, std::string_view v) { return set_text(g.run().events.emplace(), v); },
     .help = {{in(run), kSeen, "write every event as one line of JSON, secrets masked; - for standard output"}}},
    {.commands = in(run), .names = "--otlp-endpoint", .value = "URL",
     .expects = "the address of a collector on HTTP, to which /v1/traces is added", .example = "http://localhost:4318",
     .set = [](Given& g, std::string_view v) { return set_otlp(g.run(), v); }, .in_file = true,
     .help = {{in(run), kSeen, "send each invocation as spans to an OpenTelemetry collector, such as\n"
                               "http://localhost:4318 (OTLP/HTTP, JSON)"}}},
    {.commands = in(run), .names = "--notice", .value = "WHICH", .choices = "on | off", .example = "off",
     .set = [](Given& g, std::string_view v) {
       g.run().notice = v != "off";
       return v == "on" || v == "off";
     },
     .in_file = true,
     .help = {{in(run), kSeen, ": on the app's own page when one of its requests was\ncut or refused (default: on)"}}},
    // What is recorded already is not recorded again.
    {.commands = in(run) | in(test), .names = "--record", .value = "FILE",
     .expects = "a file", .example = "session.jsonl",
     .set = [](Given& g, std::string_view v) {
       return set_text(g.run().record.emplace(), v) && v != "-" && !v.ends_with('/');
     },
     .help = {{in(run), kSeen, "keep whole requests for vercel-sim replay: bodies, cookies and tokens are in\n"
                               "it, only you can read it (mode 0600); do not share it"}}},
    {.commands = kApps, .names = "--log-level", .value = "LEVEL", .choices = "debug | info | warn | error",
     .example = "debug",
     .set = [](Given& g, std::string_view v) { return log::parse_level(v, g.run().log_level.emplace()); },
     .help = {{in(run), kSeen, ": what vercel-sim itself does,\n"
                               "on standard error: for a report of its own faults (default: none;\n"
                               "with --log-file: debug)"},
              {in(test), kAsInRun, ": what vercel-sim itself does"},
              {in(replay), kAsInRun, ": what vercel-sim itself does"}}},
    {.commands = kApps, .names = "--log-file", .value = "FILE",
     .expects = "a file", .example = "vercel-sim.log",
     .set = [](Given& g, std::string_view v) {
       return set_text(g.run().log_file.emplace(), v) && v != "-" && !v.ends_with('/');
     },
     .help = {{in(run), kSeen, "the same into a file, secrets masked: 5 MB, and three older ones"},
              {in(test), kAsInRun, "the same into a file"},
              {in(replay), kAsInRun, "the same into a file"}}},
    {.commands = in(run), .names = "--open",
     .set = [](Given& g, std::string_view) { return g.run().open = true; },
     .help = {{in(run), kSeen, "the app in the browser, once it is ready"}}},
    {.names = "reports"},  // here stand the rows that kFormats makes
    {.commands = kApps, .names = "--quiet",
     .set = [](Given& g, std::string_view) {
       g.run().verbosity = Verbosity::quiet;
       return true;
     },
     .help = {{in(run), kSeen, "only verdicts, and errors, the app's too"},
              {in(test), kAsInRun, "only errors before the command starts"},
              {in(replay), kAsInRun, "only errors, and what was found"}}},
    {.commands = kApps, .names = "--verbose",
     .set = [](Given& g, std::string_view) {
       g.run().verbosity = Verbosity::verbose;
       return true;
     },
     .help = {{in(run), kSeen, "also what is passed through: assets, hot reload, middleware answers"},
              {in(test), kAsInRun, "also every request and the app's output, while the command runs"},
              {in(replay), kAsInRun, "also every request and the app's output"}}},

    {.commands = in(profiles), .names = "--json", .set = set_json, .help = {{in(profiles), "", "for tools"}}},
    {.commands = in(explain), .names = "--json", .set = set_json,
     .help = {{in(explain), "", "for tools: all that it may be, the likeliest first"}}},
    {.commands = in(doctor), .names = "--json", .set = set_json,
     .help = {{in(doctor), "", "one object instead of lines, for scripts"}}},
    {.commands = in(learn), .names = "--dir", .value = "DIR", .expects = "a folder", .example = "lessons",
     .set = is_text, .help = {{in(learn), "", "where the lessons are kept (default: ./vercel-sim-lessons)"}}},
    {.commands = in(learn), .names = "--list", .set = set_nothing, .help = {{in(learn), "", "what there is"}}},
    {.commands = in(learn), .names = "--json", .set = set_json, .help = {{in(learn), "", "with --list or --check: for tools"}}},
    {.commands = in(learn), .names = "--reset", .set = set_nothing, .help = {{in(learn), "", "start a lesson again"}}},
    {.commands = in(learn), .names = "--check", .set = set_nothing,
     .help = {{in(learn), "", "test the lessons themselves"}}},
    {.commands = in(learn), .names = "--export", .value = "FILE", .expects = "a file", .example = "lesson.html",
     .set = is_text, .help = {{in(learn), "", "for a teacher: what was seen, and what was foretold"}}},
    {.commands = in(mcp), .names = "--url", .value = "URL",
     .expects = "the address of a run", .example = "http://localhost:3000",
     .set = [](Given& g, std::string_view v) {
       g.url = v;
       return v.starts_with("http://") || v.starts_with("https://");
     },
     .help = {{in(mcp), "", "a run of vercel-sim on this machine (default: http://localhost:3000)"}}},
    {.commands = in(parity), .names = "--out", .value = "FILE", .expects = "a file", .example = "hobby.json",
     .set = is_text,
     .help = {{in(parity), "", "of record: the capture (default: parity-HOST-DATE.json); never one that is there"}}},
    {.commands = in(parity), .names = "--json", .set = set_json, .help = {{in(parity), "", "of compare: for tools"}}},

    {.commands = kAll & ~(in(completion) | in(mcp)), .names = kNoColor, .set = set_nothing,
     .help = {{in(run), kSeen, "plain text (also: NO_COLOR=1, or when the output is not a terminal)"},
              {in(profiles) | in(learn), "", "plain text (also: NO_COLOR=1, or when the output is not a terminal)"},
              {in(check) | in(explain) | in(report) | in(doctor) | in(parity), "", "plain text, as it is anyway"}}},
    {.commands = in(completion), .names = kNoColor, .set = set_nothing,
     .help = {{in(completion), "", "accepted, changes nothing"}}},
    {.commands = in(mcp), .names = kNoColor, .set = set_nothing,
     .help = {{in(mcp), "", "changes nothing: what it writes is for a program"}}},
    // options.cpp takes it out of the words of every command before it looks for others.
    {.commands = kAll & ~in(general), .names = kColor, .value = "WHEN", .choices = "always | auto | never",
     .example = "never", .set = set_nothing,
     .help = {{in(run), kSeen, " (default: auto)"},
              {in(mcp), "", " (default: auto); changes nothing"},
              {in(check) | in(profiles) | in(explain) | in(report) | in(doctor) | in(completion) | in(learn) |
                   in(parity), "",
               " (default: auto)"}}},
    {.commands = kAll, .names = "-h, --help", .set = set_nothing,
     .help = {{in(general), "", "this text, or the help of the command before it"},
              {in(run), kSeen, "this text"},
              {kAll, "", "this text"}}},
    {.commands = in(general), .names = "-V, --version", .set = set_nothing,
     .help = {{in(general), "", "the version"}}},
};
// clang-format on

// A report is asked for in three commands. In replay the formats that are of one run follow those of all
// runs.
void add_formats(std::vector<Option>& out) {
  const auto add = [&](const Format& f, HelpTopic command, std::string_view section, std::string_view text) {
    Option o;
    o.commands = in(command);
    o.names = f.option;
    o.value = f.value;
    o.expects = command == report ? "a file, or - for standard output" : "a file";
    if (command != report) o.example = "reports/vercel-sim";
    o.format = &f;
    o.help[0] = {in(command), section, text};
    out.push_back(o);
  };
  for (const Format& f : formats()) add(f, test, kReports, f.in_test);
  for (const Format& f : formats()) add(f, report, "", f.in_report);
  for (const Format& f : formats())
    if (!f.in_replay.empty()) add(f, replay, kReports, f.in_replay);
  bool first = true;
  for (const Format& f : formats()) {
    if (!f.in_replay.empty()) continue;
    add(f, replay, kReports, first ? "of the run, as in vercel-sim test; with one profile" : "the same");
    first = false;
  }
}

}  // namespace

bool Given::has(std::string_view option) const {
  return std::any_of(options.begin(), options.end(), [&](const auto& o) { return o.first == option; });
}

const OptionHelp* Option::help_in(HelpTopic command) const {
  for (const OptionHelp& h : help)
    if ((h.commands & in(command)) != 0) return &h;
  return nullptr;
}

const std::vector<Option>& option_table() {
  static const std::vector<Option> kTable = [] {
    std::vector<Option> out;
    for (const Option& o : kOptions)
      if (o.set == nullptr)
        add_formats(out);
      else
        out.push_back(o);
    return out;
  }();
  return kTable;
}

const Option* find_option(std::string_view name, HelpTopic command) {
  for (const Option& o : option_table())
    if ((o.commands & in(command)) != 0 && (o.name() == name || o.names.substr(0, o.names.find(',')) == name))
      return &o;
  return nullptr;
}

std::vector<std::string_view> names_of(HelpTopic command) {
  std::vector<std::string_view> out;
  for (const Option& o : option_table())
    if ((o.commands & in(command)) != 0) out.push_back(o.name());
  return out;
}

std::string expected(const Option& o) {
  if (!o.expects.empty()) return std::string(o.expects);
  std::string out = "one of ";
  for (const char c : o.choices)
    if (c == '|')
      out.back() = ',';
    else
      out += c;
  return out;
}

}  // namespace vsim::cli
