#include "cli/help.hpp"

namespace vsim::cli {
namespace {

constexpr std::string_view kGeneral =
    R"(vercel-sim: what Vercel's network would do to your app, in front of an unmodified `next dev`

usage: vercel-sim COMMAND [options]

  run         start the project's own `next dev` behind the limits of a Vercel plan
  test        the same around a command that tests the app, with a verdict for CI
  replay      recorded requests once more, on another plan or on all: what breaks where
  check       what in the sources will break on the plan, without running the app
  profiles    the plans: list them, show one with its sources, compare two
  report      reports of a recorded run: HTML, JUnit, SARIF, JSON, GitHub
  explain     what an error code or message means, why Vercel does it, how to fix it
  doctor      what is wrong with this machine or project
  learn       short lessons: say what will happen, see it, mend it
  mcp         for an agent: what a run has seen, by the Model Context Protocol
  completion  Tab completion for bash, zsh or fish
  help        help of a command: vercel-sim help run

  -h, --help     this text, or the help of the command before it
  -V, --version  the version

examples:
  vercel-sim run                                 this project on localhost:3000, Hobby plan
  vercel-sim run --profile pro-fluid             the same on another plan
  vercel-sim run -- node server.js               any server that listens on $PORT
  vercel-sim check                               what will break, before anything runs
  vercel-sim profiles diff hobby hobby-fluid     what an upgrade to Fluid compute changes
  vercel-sim explain FUNCTION_INVOCATION_TIMEOUT
  vercel-sim learn 1                             the first lesson

exit codes:
  0    done
  1    doctor found a problem
  2    check found an error
  64   the command line or a configuration file is wrong
  70   vercel-sim itself failed, or cannot do what was asked
  130  interrupted (Ctrl-C)
  any other: the code of the app's command that ended by itself
)";

constexpr std::string_view kRun =
    R"(vercel-sim run: start the project's own `next dev` behind the limits of a Vercel plan

usage: vercel-sim run [options]                   the Next.js project here or in a folder above
       vercel-sim run [options] -- COMMAND…       any server that listens on $PORT
       vercel-sim run [options] --app 'COMMAND'   the same, as one line for the shell
       vercel-sim run [options] --upstream URL    a server that already runs

the plan
  --profile NAME|FILE   whose limits to enforce (default: as vercel.json says, or hobby)
  --set KEY=VALUE       change one limit, such as --set duration.default=15s; may be repeated
  --time-scale N        let N seconds pass in one: limits strike N times earlier (default: 1x)

where it listens
  -p, --port N          port (default: 3000); 0 picks a free one
  --host [ADDR]         also for other devices: alone all addresses, or one of this machine's
                        (default: 127.0.0.1 and ::1)
  --https               serve TLS with a certificate made for this machine
  --allowed-hosts LIST  other names under which the app is asked, with commas between them;
                        .example.dev is all below it too, * any (default: localhost,
                        *.localhost and IP addresses)

what stands behind it
  --cwd DIR             the project's folder (default: here)
  --app 'COMMAND'       run this instead of next dev, with PORT in its environment
  --upstream URL        http://HOST:PORT of a server that already runs; implies --isolation none
  --compile-grace D     with --app, --upstream or --: time not counted at the start of each
                        request, since compiling cannot be told from running there (default: 0s)

how functions run
  --isolation POLICY    invocation | instance | fluid | none (default: the profile's)
  --placement POLICY    pack | spread:N (default: the profile's)
  --seed N              repeat the ids and placements of an earlier run (default: random)
  --deploy-every D      a new deployment as often: who reconnects, and what is lost?
  --inspect-instance    each instance opens an inspector on a port of its own; while a debugger is
                        attached, its deadlines stand still

what you see
  --events FILE|-       write every event as one line of JSON, secrets masked; - for standard output
  --record FILE         keep whole requests for vercel-sim replay: bodies, cookies and tokens are in
                        it, only you can read it (mode 0600); do not share it
  --open                the app in the browser, once it is ready
  --quiet               only verdicts, and errors, the app's too
  --verbose             also what is passed through: assets, hot reload, middleware answers
  --no-color            plain text (also: NO_COLOR=1, or when the output is not a terminal)
  --color WHEN          always | auto | never (default: auto)
  -h, --help            this text

keys on a terminal: h help, o open the app in the browser, d deployment drill, r restart the app,
p next plan, s set one limit, i retire all instances, t time scale, c clear, q quit

durations have a unit: 250ms, 10s, 1.5s, 5m, 1h

examples:
  vercel-sim run
  vercel-sim run --profile pro --port 4000
  vercel-sim run --set duration.default=5s --events events.jsonl
  vercel-sim run --host                          open it on a phone in the same network
  vercel-sim run --upstream http://127.0.0.1:4000
  vercel-sim run -- next start

exit codes: 0 done; 64 usage or configuration; 70 vercel-sim itself; 130 interrupted (Ctrl-C);
any other: the code of the app's command that ended by itself
)";

constexpr std::string_view kTest =
    R"(vercel-sim test: run a command that tests the app behind the limits of a plan, and give a verdict

usage: vercel-sim test [options] -- COMMAND…

COMMAND runs once the app is ready, where you stand, with BASE_URL and PORT in its environment. Its
output is left alone; what vercel-sim says goes to standard error, before it starts and after it
ends. Everything is stopped then.

the verdict
  --fail-on WHEN        violations | none: whether a limit that struck gives exit code 2 when the
                        command succeeded (default: violations)
  --ready-timeout D     how long the app may take to get ready (default: 2m)
  --warm                compile every route before COMMAND starts, without running any
  --seed N              repeat the ids and placements of an earlier run, for the same order of
                        requests (default: random; printed at the start and with the verdict)

reports
  --html FILE           one page to look at and to send on
  --junit FILE          JUnit XML, for CI systems
  --sarif FILE          SARIF 2.1.0, for GitHub code scanning and editors
  --json FILE           everything, for programs
  --github              annotations of a GitHub job, and its summary

the plan, where it listens, what stands behind it: as in vercel-sim run
  --profile, --set, --time-scale, --port, --host, --https, --allowed-hosts, --cwd, --app,
  --upstream, --compile-grace, --isolation, --placement, --inspect-instance, --events,
  --record, --no-color, --color
  --quiet               only errors before the command starts
  --verbose             also every request and the app's output, while the command runs

  -h, --help            this text

vercel-sim.yaml beside the project's package.json holds defaults for these options and the
violations that are meant (expect:). See docs/ci.md.

examples:
  vercel-sim test -- npx playwright test
  vercel-sim test --profile pro-fluid -- npx vitest run
  vercel-sim test --junit out/vercel.xml --html out/vercel.html -- npx playwright test
  vercel-sim test --port 0 --app 'node server.js' -- ./smoke.sh
  vercel-sim test -- sh -c 'curl -f "$BASE_URL/api/health"'

exit codes: COMMAND's own if it is not 0 (128 + n when signal n ended it); else 2 for violations;
3 COMMAND sent no request, so nothing was tested; 64 usage or configuration;
70 vercel-sim itself, the app never got ready or died for good, or functions began unseen
(vercel-sim explain SIM_HANDLER_NOT_SEEN); 130 interrupted (Ctrl-C); else 0
)";

constexpr std::string_view kReplay =
    R"(vercel-sim replay: recorded requests once more, on another plan: what broke that had worked

usage: vercel-sim replay [options] FILE     what --record wrote; where vercel-sim test would run

Starts the app behind the limits of the plan, sends the requests again in their order and with what
ran at the same time at the same time, and compares how they end. Pauses are shortened to 250ms; a
client that had left leaves after the same time. What cannot be sent again is listed with the
reason: WebSockets, Server Actions of another build, bodies that were not read to their end.

  --profile NAME|FILE   whose limits to enforce (default: as vercel.json says, or hobby)
  --profiles LIST       all, or names with commas between them: one run after another, one table
  --fail-on WHEN        violations | broke | none: what gives exit code 2. violations: a limit that
                        struck, or a request that broke; broke: only what had worked in the
                        recording (default: violations)
  --ready-timeout D     how long the app may take to get ready (default: 2m)
  --warm                compile every route before the first request, without running any
  --seed N              repeat the ids and placements of an earlier run (default: random)

reports
  --json FILE           every request, recorded and replayed, with the report of each run
  --html FILE           of the run, as in vercel-sim test; with one profile
  --junit FILE          the same
  --sarif FILE          the same
  --github              the same

the plan, where it listens, what stands behind it: as in vercel-sim run
  --set, --time-scale, --port, --https, --allowed-hosts, --cwd, --app, --upstream,
  --compile-grace, --isolation, --placement, --inspect-instance, --events, --no-color,
  --color
  --quiet               only errors, and what was found
  --verbose             also every request and the app's output

  -h, --help            this text

examples:
  vercel-sim run --profile hobby-fluid --record session.jsonl
  vercel-sim replay session.jsonl --profile hobby
  vercel-sim replay session.jsonl --profiles all
  vercel-sim replay session.jsonl --profiles hobby,pro --json replay.json

exit codes: 0 nothing broke; 2 violations, or something broke that had worked; 64 usage,
configuration or no recording; 70 vercel-sim itself, the app never got ready or died for good, no
request could be sent, or functions began unseen; 130 interrupted (Ctrl-C)
)";

constexpr std::string_view kCheck =
    R"(vercel-sim check: what in the sources will break on the plan, without running the app

usage: vercel-sim check [options] [DIR]     the project in DIR or a folder above (default: here)

  --profile NAME|FILE   whose limits to judge by (default: as vercel.json says, or hobby)
  --set KEY=VALUE       change one limit, such as --set duration.max=15s; may be repeated
  --format FORMAT       text | json | sarif | github (default: text)
  --cwd DIR             the same as DIR
  --no-color            plain text, as it is anyway
  --color WHEN          always | auto | never (default: auto)
  -h, --help            this text

A finding that is meant is silenced on its line or the line above, with the reason:
  // vercel-sim-ignore RULE reason

examples:
  vercel-sim check
  vercel-sim check apps/web --profile pro-fluid
  vercel-sim check --format sarif                for GitHub code scanning and editors

exit codes: 0 no error found; 2 errors found; 64 usage or configuration
)";

constexpr std::string_view kProfiles =
    R"(vercel-sim profiles: the plans whose limits can be enforced

usage: vercel-sim profiles [list]       names, titles, as-of dates
       vercel-sim profiles show NAME    every limit with its value, unit, source and date
       vercel-sim profiles diff A B     only what differs

NAME, A and B are names from the list or paths of files (with a slash, or ending in .yaml or .yml).

  --json       with show: for tools
  --no-color   plain text (also: NO_COLOR=1, or when the output is not a terminal)
  --color WHEN  always | auto | never (default: auto)
  -h, --help   this text

examples:
  vercel-sim profiles show hobby
  vercel-sim profiles diff hobby hobby-fluid
  vercel-sim profiles show ./staging.yaml
)";

constexpr std::string_view kExplain =
    R"(vercel-sim explain: what an error code means, why Vercel does it, how to fix it

usage: vercel-sim explain                all codes and rules, one line each
       vercel-sim explain CODE|RULE
       vercel-sim explain "MESSAGE"      an error message, a line of a log, or a status

CODE is Vercel's own, such as FUNCTION_INVOCATION_TIMEOUT, or one of vercel-sim's, which begin
with SIM_; RULE one of vercel-sim check; upper or lower case. Of a message a part is enough: the
pages say which messages belong to a code.

  --json       for tools: all that it may be, the likeliest first
  --no-color   plain text, as it is anyway
  --color WHEN  always | auto | never (default: auto)
  -h, --help   this text

examples:
  vercel-sim explain SIM_WEBSOCKET_REFUSED
  vercel-sim explain socket-io-server
  vercel-sim explain "Session ID unknown"
  vercel-sim explain 413

exit codes: 0 explained; 64 nothing is known about it
)";

constexpr std::string_view kReport =
    R"(vercel-sim report: the reports of a recorded run, byte for byte those of the run itself

usage: vercel-sim report [options] EVENTS.jsonl     what --events wrote; - for standard input

Without an option a summary is printed. FILE may be - for standard output; folders are made.

  --html FILE    one page to send to a colleague: timeline, verdicts, fixes; loads nothing
  --junit FILE   JUnit XML for CI
  --sarif FILE   SARIF 2.1.0 for code scanning
  --json FILE    everything, as docs/report-schema.json describes it
  --github       annotations on standard output, and the job summary when GITHUB_STEP_SUMMARY is set
  --no-color     plain text, as it is anyway
  --color WHEN   always | auto | never (default: auto)
  -h, --help     this text

examples:
  vercel-sim run --events events.jsonl
  vercel-sim report events.jsonl
  vercel-sim report events.jsonl --html report.html --junit junit.xml

exit codes: 0 done, whatever was found; 64 the events cannot be read, or a report not written
)";

constexpr std::string_view kDoctor =
    R"(vercel-sim doctor: what is wrong with this machine or project

usage: vercel-sim doctor [options] [DIR]     the project in DIR or a folder above (default: here)

Each line says ok, warning or problem, and how to fix it. Looks at Node.js against what the
project and its Next.js ask for, how packages are installed, port 3000, another dev server, file
watches, memory, the directory for sockets, localhost, vercel.json, the dev script, .env files and
NODE_OPTIONS. Changes nothing and starts nothing but `node --version`.

  --json       one object instead of lines, for scripts
  --no-color   plain text, as it is anyway
  --color WHEN  always | auto | never (default: auto)
  -h, --help   this text

examples:
  vercel-sim doctor
  vercel-sim doctor apps/web
  vercel-sim doctor --json

exit codes: 0 no problem (warnings are none); 1 a problem; 64 usage
)";

constexpr std::string_view kCompletion =
    R"(vercel-sim completion: what the Tab key needs to know, as a script for the shell

usage: vercel-sim completion bash|zsh|fish

Completes commands, options and their values: profiles, keys of --set, codes, rules, files.

  --no-color   accepted, changes nothing
  --color WHEN  always | auto | never (default: auto)
  -h, --help   this text

examples:
  vercel-sim completion bash       in ~/.bashrc: source <(vercel-sim completion bash)
  vercel-sim completion zsh        as _vercel-sim into a directory of $fpath
  vercel-sim completion fish       as ~/.config/fish/completions/vercel-sim.fish
)";

constexpr std::string_view kLearn =
    R"(vercel-sim learn: short lessons on functions: say what will happen, see it, mend it

usage: vercel-sim learn [LESSON]             the lesson, or the first that is not done
       vercel-sim learn --list               all lessons, and which are done
       vercel-sim learn --reset LESSON       its files as they were at the start
       vercel-sim learn --export FILE LESSON
                                             your last run of it as one HTML page
       vercel-sim learn --check [LESSON…]    without a person: each must fail as it was given and
                                             pass with its solution (default: all)

  --dir DIR      where the lessons are kept (default: ./vercel-sim-lessons)
  --list         what there is
  --json         with --list: for tools
  --reset        start a lesson again
  --check        test the lessons themselves
  --export FILE  for a teacher: what was seen, and what was foretold
  --no-color     plain text (also: NO_COLOR=1, or when the output is not a terminal)
  --color WHEN   always | auto | never (default: auto)
  -h, --help     this text

LESSON is a number, a name, or the folder of a lesson of your own. Each asks a question, sends the
requests, shows what happened on which instance, and waits for you to mend a file in your editor;
it looks again at each save. What counts is what the app does, not how it is written. The first
time, the lessons' app is installed with npm; from then on they need no network.

keys on a terminal: 1 to 4 an answer, h hint, r reset, l list, n next, q quit

examples:
  vercel-sim learn 1
  vercel-sim learn --list
  vercel-sim learn --check ./my-lesson

exit codes: 0 done; 2 a lesson is not as it says (--check); 64 usage or a lesson's file is wrong;
70 vercel-sim itself, or the lessons' app could not be installed; 130 interrupted (Ctrl-C)
)";

constexpr std::string_view kMcp =
    R"(vercel-sim mcp: for an agent: what a run has seen, by the Model Context Protocol on standard input

usage: vercel-sim mcp [--url URL]

  --url URL      a run of vercel-sim on this machine (default: http://localhost:3000)
  --no-color     changes nothing: what it writes is for a program
  --color WHEN   always | auto | never (default: auto); changes nothing
  -h, --help     this text

It has tools for the verdicts, events, requests and instances of the run, for its plan, and for
explain, check and replay. To switch the plan it needs the link of the live page with its token, as
the terminal of the run shows it. Start vercel-sim run beside it.

examples:
  vercel-sim mcp
  vercel-sim mcp --url http://localhost:4000

exit codes: 0 done; 64 usage; 70 Node.js is missing
)";

}  // namespace

std::string_view help_text(HelpTopic topic) {
  switch (topic) {
    case HelpTopic::general:
      return kGeneral;
    case HelpTopic::run:
      return kRun;
    case HelpTopic::test:
      return kTest;
    case HelpTopic::replay:
      return kReplay;
    case HelpTopic::check:
      return kCheck;
    case HelpTopic::profiles:
      return kProfiles;
    case HelpTopic::explain:
      return kExplain;
    case HelpTopic::report:
      return kReport;
    case HelpTopic::doctor:
      return kDoctor;
    case HelpTopic::completion:
      return kCompletion;
    case HelpTopic::learn:
      return kLearn;
    case HelpTopic::mcp:
      return kMcp;
  }
  return kGeneral;
}

std::span<const NamedTopic> help_topics() {
  static constexpr NamedTopic kTopics[] = {{"run", HelpTopic::run},
                                           {"test", HelpTopic::test},
                                           {"replay", HelpTopic::replay},
                                           {"check", HelpTopic::check},
                                           {"profiles", HelpTopic::profiles},
                                           {"explain", HelpTopic::explain},
                                           {"report", HelpTopic::report},
                                           {"doctor", HelpTopic::doctor},
                                           {"learn", HelpTopic::learn},
                                           {"completion", HelpTopic::completion},
                                           {"mcp", HelpTopic::mcp}};
  return kTopics;
}

}  // namespace vsim::cli
