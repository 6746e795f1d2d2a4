#include "cli/command_table.hpp"

#include <algorithm>
#include <vector>

#include "cli/command_words.hpp"

namespace vsim::cli {
namespace {

// Texts are at most 100 columns wide, and say every default with its unit. The first row is vercel-sim alone.
constexpr Command kCommands[] = {
    {.summary = "what Vercel's network would do to your app, in front of an unmodified `next dev`",
     .usage = "vercel-sim COMMAND [options]",
     .examples =
         R"(  vercel-sim run                                 this project on localhost:3000, Hobby plan
  vercel-sim run --profile pro-fluid             the same on another plan
  vercel-sim run -- node server.js               any server that listens on $PORT
  vercel-sim check                               what will break, before anything runs
  vercel-sim profiles diff hobby hobby-fluid     what an upgrade to Fluid compute changes
  vercel-sim explain FUNCTION_INVOCATION_TIMEOUT
  vercel-sim learn 1                             the first lesson)",
     .exit_codes = R"(
  0    done
  1    doctor found a problem, or parity a difference
  2    check found an error
  64   the command line or a configuration file is wrong
  70   vercel-sim itself failed, or cannot do what was asked
  130  interrupted (Ctrl-C)
  any other: the code of the app's command that ended by itself)",
     .column = 17},
    {.topic = HelpTopic::run,
     .name = "run",
     .summary = "start the project's own `next dev` behind the limits of a Vercel plan",
     .usage = R"(vercel-sim run [options]                   the Next.js project here or in a folder above
       vercel-sim run [options] -- COMMAND…       any server that listens on $PORT
       vercel-sim run [options] --app 'COMMAND'   the same, as one line for the shell
       vercel-sim run [options] --upstream URL    a server that already runs)",
     .outro =
         R"(keys on a terminal: h help, o open the app in the browser, d deployment drill, r restart the app,
p next plan, s set one limit, i retire all instances, t time scale, c clear, q quit

durations have a unit: 250ms, 10s, 1.5s, 5m, 1h)",
     .examples = R"(  vercel-sim run
  vercel-sim run --profile pro --port 4000
  vercel-sim run --set duration.default=5s --events events.jsonl
  vercel-sim run --host                          open it on a phone in the same network
  vercel-sim run --upstream http://127.0.0.1:4000
  vercel-sim run -- next start)",
     .exit_codes = R"(0 done; 64 usage or configuration; 70 vercel-sim itself; 130 interrupted (Ctrl-C);
any other: the code of the app's command that ended by itself)",
     .elsewhere = "dev start serve up",
     .arguments = "--",
     .column = 24,
     .dashes = Dashes::command,
     .word = word_of_app,
     .finish = finish_run},
    {.topic = HelpTopic::test,
     .name = "test",
     .brief = "the same around a command that tests the app, with a verdict for CI",
     .summary = "run a command that tests the app behind the limits of a plan, and give a verdict",
     .usage = "vercel-sim test [options] -- COMMAND…",
     .intro =
         R"(COMMAND runs once the app is ready, where you stand, with BASE_URL and PORT in its environment. Its
output is left alone; what vercel-sim says goes to standard error, before it starts and after it
ends. Everything is stopped then.)",
     .outro = R"(vercel-sim.yaml beside the project's package.json holds defaults for these options and the
violations that are meant (expect:). See docs/ci.md.)",
     .examples = R"(  vercel-sim test -- npx playwright test
  vercel-sim test --profile pro-fluid -- npx vitest run
  vercel-sim test --junit out/vercel.xml --html out/vercel.html -- npx playwright test
  vercel-sim test --port 0 --app 'node server.js' -- ./smoke.sh
  vercel-sim test -- sh -c 'curl -f "$BASE_URL/api/health"')",
     .exit_codes = R"(COMMAND's own if it is not 0 (128 + n when signal n ended it); else 2 for violations;
3 COMMAND sent no request, so nothing was tested; 64 usage or configuration;
70 vercel-sim itself, the app never got ready or died for good, or functions began unseen
(vercel-sim explain SIM_HANDLER_NOT_SEEN); 130 interrupted (Ctrl-C); else 0)",
     .elsewhere = "exec",
     .arguments = "--",
     .column = 24,
     .dashes = Dashes::command,
     .word = word_of_app,
     .finish = finish_test},
    {.topic = HelpTopic::replay,
     .name = "replay",
     .brief = "recorded requests once more, on another plan or on all: what breaks where",
     .summary = "recorded requests once more, on another plan: what broke that had worked",
     .usage = "vercel-sim replay [options] FILE     what --record wrote; where vercel-sim test would run",
     .intro =
         R"(Starts the app behind the limits of the plan, sends the requests again in their order and with what
ran at the same time at the same time, and compares how they end. Pauses are shortened to 250ms; a
client that had left leaves after the same time. What cannot be sent again is listed with the
reason: WebSockets, Server Actions of another build, bodies that were not read to their end.)",
     .examples = R"(  vercel-sim run --profile hobby-fluid --record session.jsonl
  vercel-sim replay session.jsonl --profile hobby
  vercel-sim replay session.jsonl --profiles all
  vercel-sim replay session.jsonl --profiles hobby,pro --json replay.json)",
     .exit_codes = R"(0 nothing broke; 2 violations, or something broke that had worked; 64 usage,
configuration or no recording; 70 vercel-sim itself, the app never got ready or died for good, no
request could be sent, or functions began unseen; 130 interrupted (Ctrl-C))",
     .arguments = "FILE",
     .column = 24,
     .dashes = Dashes::refused,
     .word = word_of_replay,
     .finish = finish_replay},
    {.topic = HelpTopic::check,
     .name = "check",
     .summary = "what in the sources will break on the plan, without running the app",
     .usage = "vercel-sim check [options] [DIR]     the project in DIR or a folder above (default: here)",
     .outro = R"(A finding that is meant is silenced on its line or the line above, with the reason:
  // vercel-sim-ignore RULE reason)",
     .examples = R"(  vercel-sim check
  vercel-sim check apps/web --profile pro-fluid
  vercel-sim check --format sarif                for GitHub code scanning and editors)",
     .exit_codes = R"(0 no error found; 2 errors found, or with --size a function of a build is too large;
64 usage or configuration)",
     .elsewhere = "lint",
     .arguments = "DIR",
     .column = 24,
     .word = word_of_check,
     .finish = finish_check},
    {.topic = HelpTopic::profiles,
     .name = "profiles",
     .brief = "the plans: list them, show one with its sources, compare two",
     .summary = "the plans whose limits can be enforced",
     .usage = R"(vercel-sim profiles [list]       names, titles, as-of dates
       vercel-sim profiles show NAME    every limit with its value, unit, source and date
       vercel-sim profiles diff A B     only what differs)",
     .intro = "NAME, A and B are names from the list or paths of files (with a slash, or ending in .yaml or "
              ".yml).",
     .examples = R"(  vercel-sim profiles show hobby
  vercel-sim profiles diff hobby hobby-fluid
  vercel-sim profiles show ./staging.yaml)",
     .elsewhere = "plans",
     .arguments = "list show diff PROFILE",
     .finish = finish_profiles},
    {.topic = HelpTopic::report,
     .name = "report",
     .brief = "reports of a recorded run: ",
     .summary = "the reports of a recorded run, byte for byte those of the run itself",
     .usage = "vercel-sim report [options] EVENTS.jsonl     what --events wrote; - for standard input",
     .intro = "Without an option a summary is printed. FILE may be - for standard output; folders are made.",
     .examples = R"(  vercel-sim run --events events.jsonl
  vercel-sim report events.jsonl
  vercel-sim report events.jsonl --html report.html --junit junit.xml)",
     .exit_codes = "0 done, whatever was found; 64 the events cannot be read, or a report not written",
     .arguments = "FILE",
     .column = 17,
     .word = word_of_report,
     .finish = finish_report},
    {.topic = HelpTopic::explain,
     .name = "explain",
     .brief = "what an error code or message means, why Vercel does it, how to fix it",
     .summary = "what an error code means, why Vercel does it, how to fix it",
     .usage = R"(vercel-sim explain                all codes and rules, one line each
       vercel-sim explain CODE|RULE
       vercel-sim explain "MESSAGE"      an error message, a line of a log, or a status)",
     .intro =
         R"(CODE is Vercel's own, such as FUNCTION_INVOCATION_TIMEOUT, or one of vercel-sim's, which begin
with SIM_; RULE one of vercel-sim check; upper or lower case. Of a message a part is enough: the
pages say which messages belong to a code.)",
     .examples = R"(  vercel-sim explain SIM_WEBSOCKET_REFUSED
  vercel-sim explain socket-io-server
  vercel-sim explain "Session ID unknown"
  vercel-sim explain 413)",
     .exit_codes = "0 explained; 64 nothing is known about it",
     .arguments = "CODE",
     .dashes = Dashes::words,
     .finish = finish_explain},
    {.topic = HelpTopic::doctor,
     .name = "doctor",
     .summary = "what is wrong with this machine or project",
     .usage = "vercel-sim doctor [options] [DIR]     the project in DIR or a folder above (default: here)",
     .intro = R"(Each line says ok, warning or problem, and how to fix it. Looks at Node.js against what the
project and its Next.js ask for, how packages are installed, port 3000, another dev server, file
watches, memory, the directory for sockets, localhost, vercel.json, the dev script, .env files and
NODE_OPTIONS. Changes nothing and starts nothing but `node --version`.)",
     .examples = R"(  vercel-sim doctor
  vercel-sim doctor apps/web
  vercel-sim doctor --json)",
     .exit_codes = "0 no problem (warnings are none); 1 a problem; 64 usage",
     .elsewhere = "info",
     .arguments = "DIR",
     .dashes = Dashes::words,
     .finish = finish_doctor},
    {.topic = HelpTopic::learn,
     .name = "learn",
     .brief = "short lessons: say what will happen, see it, mend it",
     .summary = "short lessons on functions: say what will happen, see it, mend it",
     .usage = R"(vercel-sim learn [LESSON]             the lesson, or the first that is not done
       vercel-sim learn --list               all lessons, and which are done
       vercel-sim learn --reset LESSON       its files as they were at the start
       vercel-sim learn --export FILE LESSON
                                             your last run of it as one HTML page
       vercel-sim learn --check [LESSON…]    without a person: each must fail as it was given and
                                             pass with its solution (default: all))",
     .outro =
         R"(LESSON is a number, a name, or the folder of a lesson of your own. Each asks a question, sends the
requests, shows what happened on which instance, and waits for you to mend a file in your editor;
it looks again at each save. What counts is what the app does, not how it is written. The first
time, the lessons' app is installed with npm; from then on they need no network.

keys on a terminal: 1 to 4 an answer, h hint, r reset, l list, n next, q quit)",
     .examples = R"(  vercel-sim learn 1
  vercel-sim learn --list
  vercel-sim learn --check ./my-lesson)",
     .exit_codes = R"(0 done; 2 a lesson is not as it says (--check); 64 usage or a lesson's file is wrong;
70 vercel-sim itself, or the lessons' app could not be installed; 130 interrupted (Ctrl-C))",
     .arguments = "1 2 3 4 5 6 7 8 9 10 11 DIR",
     .column = 17,
     .finish = finish_learn},
    {.topic = HelpTopic::mcp,
     .name = "mcp",
     .brief = "for an agent: what a run has seen, by the Model Context Protocol",
     .summary = "for an agent: what a run has seen, by the Model Context Protocol on standard input",
     .usage = "vercel-sim mcp [--url URL]",
     .outro =
         R"(It has tools for the verdicts, events, requests and instances of the run, for its plan, and for
explain, check and replay. To switch the plan it needs the link of the live page with its token, as
the terminal of the run shows it. Start vercel-sim run beside it.)",
     .examples = R"(  vercel-sim mcp
  vercel-sim mcp --url http://localhost:4000)",
     .exit_codes = "0 done; 64 usage; 70 Node.js is missing",
     .column = 17,
     .finish = finish_mcp},
    {.topic = HelpTopic::parity,
     .name = "parity",
     .brief = "a deployment and a run beside each other: is what is claimed here true there",
     .summary = "a deployment and a run beside each other: what is claimed here, seen there",
     .usage = R"(vercel-sim parity record URL                      probe what runs there; writes a capture
       vercel-sim parity compare CAPTURE [CAPTURE|URL]   row by row (default: http://localhost:3000))",
     .outro =
         R"(What is probed is the app in parity/ of the repository: deploy it, record its address, start
vercel-sim run in front of the same app, compare. Takes as long as a function may run. Rows are
those of docs/fidelity.md. A capture has no secrets: of variables and headers it keeps names. Of a
deployment that is protected, VERCEL_AUTOMATION_BYPASS_SECRET is the way in.)",
     .examples = R"(  vercel-sim parity record https://parity-of-mine.vercel.app --out hobby.json
  vercel-sim parity compare hobby.json
  vercel-sim parity compare hobby.json pro.json --json)",
     .exit_codes =
         R"(0 the same in all that both answer; 1 something differs; 64 usage, or a file is no
capture; 70 nothing to probe at the address, or Node.js is missing; 130 interrupted (Ctrl-C))",
     .arguments = "record compare FILE",
     .column = 17,
     .finish = finish_parity},
    {.topic = HelpTopic::completion,
     .name = "completion",
     .brief = "Tab completion for bash, zsh or fish",
     .summary = "what the Tab key needs to know, as a script for the shell",
     .usage = "vercel-sim completion bash|zsh|fish",
     .intro = "Completes commands, options and their values: profiles, keys of --set, codes, rules, files.",
     .examples = R"(  vercel-sim completion bash       in ~/.bashrc: source <(vercel-sim completion bash)
  vercel-sim completion zsh        as _vercel-sim into a directory of $fpath
  vercel-sim completion fish       as ~/.config/fish/completions/vercel-sim.fish)",
     .arguments = "bash zsh fish",
     .dashes = Dashes::words,
     .finish = finish_completion},
    {.name = "help",
     .brief = "help of a command: vercel-sim help run",
     .arguments = "COMMAND",
     .dashes = Dashes::unknown,
     .finish = finish_help},
};

}  // namespace

std::span<const Command> command_table() { return std::span(kCommands).subspan(1); }

const Command& command_of(HelpTopic topic) {
  return *std::find_if(std::begin(kCommands), std::end(kCommands),
                       [&](const Command& c) { return c.topic == topic; });
}

const Command* find_command(std::string_view name) {
  for (const Command& c : command_table())
    if (c.name == name) return &c;
  return nullptr;
}

std::span<const std::string_view> command_names() {
  static const std::vector<std::string_view> kNames = [] {
    std::vector<std::string_view> out;
    for (const Command& c : command_table()) out.push_back(c.name);
    return out;
  }();
  return kNames;
}

}  // namespace vsim::cli
