// Faults under load: node tests/faults/rig.mjs [--seconds N] [--seed S] [--fault WORDS] [--graph FILE.svg] [--rate N] [--profile NAME] [--set KEY=VALUE]
//
// A steady mix of load on an app behind vercel-sim, and one thing broken at a time. Whatever breaks, each request has exactly one outcome, its client
// and the events tell the same one, soon after nothing is left of it, and descriptors and memory stay what they were. Without --seconds each
// fault comes once; with it they come again in an order that the seed gives. What is wrong is told at once, with the seed and the request; the
// exit code is 1 then. VSIM_FULL=1: an hour. VSIM_BIN names another program.
import { closeSync, fstatSync, openSync, readSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { cleanUp, copyApp, eventually, kFull, listens, startSim, tempFolder, within } from "../e2e/harness.mjs";
import { kAppFiles } from "./app.mjs";
import { disagreements, EventLog, growth, strangers } from "./compare.mjs";
import { kFaults } from "./faults.mjs";
import { graph } from "./graph.mjs";
import { generator, kMix, kPatienceMs, Load } from "./load.mjs";
import { connections, descriptors, isAlive, pss } from "./meters.mjs";
import { kSides } from "./sides.mjs";

const { values: options } = parseArgs({
  options: { ...Object.fromEntries(["seconds", "seed", "fault", "graph", "rate", "profile"].map((name) => [name, { type: "string" }])), set: { type: "string", multiple: true, default: [] } },
});
const kSeconds = Number(options.seconds ?? (kFull && !options.fault ? 3_600 : 0));
const kSeed = Number(options.seed ?? 1);
const kRate = Number(options.rate ?? 12);
const kSet = options.set.flatMap((value) => ["--set", value]);
const kProfile = options.profile ?? "hobby-fluid";
const kHoldMs = kSeconds ? 5_000 : 1_500; // under each fault
const kSampleMs = 2_000;
const kLeftMs = 30_000; // after the last outcome nothing is left of it: milliseconds, as is told, and more on a busy machine
const kMoreDescriptors = 8; // instances that are kept warm, idle connections to the app
const kMoreMiB = 24; // above the first rest: records and buffers are slots that are used again, so what is held is given by the most at once
const kGrowthMiB = 4;

const begun = performance.now();
const seconds = () => (performance.now() - begun) / 1000;
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const say = (text) => console.log(`${seconds().toFixed(1).padStart(7)} s  ${text}`);

// The events as they are written: through the file that was opened first, whatever becomes of its name.
class EventTail {
  log = new EventLog();
  #rest = "";
  #at = 0;

  constructor(file) {
    this.fd = openSync(file, "r");
  }
  poll() {
    const chunk = Buffer.alloc(fstatSync(this.fd).size - this.#at);
    const text = this.#rest + chunk.toString("utf8", 0, readSync(this.fd, chunk, 0, chunk.length, this.#at));
    const end = text.lastIndexOf("\n") + 1;
    this.#rest = text.slice(end);
    this.#at += chunk.length;
    for (const line of text.slice(0, end).split("\n")) if (line) this.log.add(JSON.parse(line));
    return this.log;
  }
}

class Run {
  version = 0;
  wrong = [];
  samples = [];
  marks = [];
  outcomes = 0;
  slowest = { left: 0, recovery: 0 };

  async start() {
    this.app = await copyApp(kAppFiles);
    const tmp = await tempFolder("own");
    this.sim = await startSim(["--profile", kProfile, "--set", "duration.default=5s", ...kSet, "--seed", String(kSeed)], {
      cwd: this.app,
      env: { TMPDIR: tmp, RIG_TMP: tmp },
    });
    this.tail = new EventTail(this.sim.eventsFile);
    this.random = generator(kSeed + 1);
    let last = { s: seconds(), count: 0 };
    this.load = new Load({ port: this.sim.port, rate: kRate, seed: kSeed, onOutcome: () => (this.outcomes += 1) });
    this.sampler = setInterval(() => {
      const { pid } = this.sim.process;
      if (!isAlive(pid)) return;
      const s = seconds();
      this.samples.push({ s, rate: (this.outcomes - last.count) / (s - last.s), pss: pss(pid), fds: descriptors(pid) });
      last = { s, count: this.outcomes };
    }, kSampleMs);
    // Everything is compiled before anything breaks.
    for (const kind of kMix) await this.load.one(kind);
    const bad = this.load.outcomes.filter(({ how, status, error }) => (how !== "upgrade" && status !== 200) || error);
    if (bad.length) throw new Error(`the app does not work: ${JSON.stringify(bad)}; printed:\n${this.sim.output.text.slice(-3_000)}`);
  }
  get log() {
    return this.tail.poll();
  }
  fail(name, what) {
    const text = `${name}: ${what}`;
    this.wrong.push(text);
    say(`WRONG (--seed ${kSeed}) ${text}`);
  }
  async expect(name, what, probe) {
    const from = performance.now();
    await eventually(what, kLeftMs, probe).catch(() => this.fail(name, what));
    this.slowest.left = Math.max(this.slowest.left, performance.now() - from);
    return performance.now() - from;
  }
  async rest(name, allowed = {}) {
    await within(kPatienceMs + 30_000, "an outcome for each client", this.load.pause());
    const outcomes = this.load.take();
    let wrong = [];
    await eventually("the events agree", kLeftMs, () => (wrong = disagreements(outcomes, this.log, allowed)).length === 0).catch(() => wrong.forEach((what) => this.fail(name, what)));
    this.log.gaps.length = 0; // each is told once
    this.log.twice.length = 0;
    for (const seen of outcomes) if (/^not what/.test(seen.error ?? "")) this.fail(name, `${seen.error}: client ${JSON.stringify(seen)}`);
    return outcomes;
  }
  get forks() {
    return this.sim.alive().some(({ command }) => command.includes("template.cjs"));
  }
  // What the program's wall clock says: that of the field Date.
  async wallNow() {
    const { headers } = await fetch(`${this.sim.url}/_vercel-sim/health`);
    return Date.parse(headers.get("date"));
  }
  async fault(name, { break: breaks, extra = [], isCalm, isOurs, skip }) {
    const why = skip?.(this);
    if (why) return say(`skip  ${name}: ${why}`);
    const mark = { s: seconds(), name, ok: true };
    this.marks.push(mark);
    const before = this.wrong.length;
    this.load.extra = extra;
    for (const kind of extra) this.load.one(kind);
    this.load.start();
    await breaks(this, kHoldMs).catch((error) => this.fail(name, error.message));
    this.load.extra = [];
    const outcomes = await this.rest(name);
    if (isCalm) for (const seen of outcomes) if (seen.how !== "upgrade" && (seen.status !== 200 || !seen.isWhole)) this.fail(name, `not served: ${JSON.stringify(seen)}`);
    if (isOurs) for (const seen of outcomes) if (seen.status >= 500 && seen.status !== 503) this.fail(name, `the app is accused: ${JSON.stringify(seen)}`);
    const { port, process: program } = this.sim;
    const left = await this.expect(name, "connections of clients are left", () => connections(port) === 0);
    const from = performance.now();
    await eventually("it serves again", kPatienceMs, async () => (await this.load.one(kMix[0])).status === 200).catch(() => this.fail(name, `it does not serve again; printed last:\n${this.sim.output.text.slice(-3_000)}`));
    const recovery = performance.now() - from;
    this.slowest.recovery = Math.max(this.slowest.recovery, recovery);
    await this.rest(name);
    await this.expect(name, "the process of an instance that is told as dead lives", () => {
      const { log } = this;
      const ended = new Set([...log.pids].filter(([instance]) => log.instances.get(instance) === "dead").map(([, pid]) => pid));
      for (const [instance, pid] of log.pids) if (log.instances.get(instance) !== "dead") ended.delete(pid); // the system gives numbers anew
      return !this.sim.alive().some(({ pid }) => ended.has(pid));
    });
    await this.expect(name, "what was begun has not ended", () => this.log.open.size === 0);
    this.first ??= { fds: descriptors(program.pid), pss: pss(program.pid) };
    await this.expect(name, `more descriptors than the ${this.first.fds} at first`, () => descriptors(program.pid) <= this.first.fds + kMoreDescriptors);
    const now = pss(program.pid);
    if (now > this.first.pss + kMoreMiB) this.fail(name, `${now.toFixed(1)} MiB, ${this.first.pss.toFixed(1)} at first`);
    mark.ok = this.wrong.length === before;
    const statuses = {};
    for (const { status } of outcomes) statuses[status ?? "none"] = (statuses[status ?? "none"] ?? 0) + 1;
    say(`${mark.ok ? "ok   " : "WRONG"} ${name}: ${outcomes.length} outcomes ${JSON.stringify(statuses)}; nothing left after ${left.toFixed(0)} ms, serves after ${recovery.toFixed(0)} ms; ${now.toFixed(1)} MiB, ${descriptors(program.pid)} descriptors`);
  }
  async side(name, act) {
    const mark = { s: seconds(), name, ok: true };
    this.marks.push(mark);
    try {
      const wrong = await act({ seed: kSeed, rate: kRate, set: kSet }, Math.min(kHoldMs, 2_000));
      if (wrong.skip) return say(`skip  ${name}: ${wrong.skip}`);
      for (const what of wrong) this.fail(name, what);
      mark.ok = wrong.length === 0;
    } catch (error) {
      this.fail(name, error.message);
      mark.ok = false;
    }
    say(`${mark.ok ? "ok   " : "WRONG"} ${name}`);
  }
  async stop() {
    clearInterval(this.sampler);
    const name = "the end";
    this.load.start();
    await pause(500);
    const { code, left } = await this.sim.stop("SIGTERM");
    await this.rest(name);
    if (code !== 0) this.fail(name, `it ended with ${code}`);
    if (left.length) this.fail(name, `processes are left: ${JSON.stringify(left)}`);
    if (await listens(this.sim.port)) this.fail(name, "the port is still taken");
    for (const n of strangers(this.log, this.load.sent)) this.fail(name, `an outcome of a request that nobody has sent: ${n}`);
    if (this.log.open.size) this.fail(name, `${this.log.open.size} invocations have begun and not ended`);
    const grown = kSeconds ? growth(this.samples.map((sample) => sample.pss), kGrowthMiB) : null;
    if (grown) this.fail(name, `memory grows: ${grown.early.toFixed(1)} MiB, then ${grown.late.toFixed(1)} MiB`);
  }
  draw() {
    if (!options.graph || this.samples.length < 2) return;
    writeFileSync(options.graph, graph({ samples: this.samples, marks: this.marks, title: `${this.outcomes} outcomes, ${this.marks.length} faults, ${this.wrong.length} wrong (${kProfile}, seed ${kSeed})` }));
  }
}

const all = [...Object.entries(kFaults).map(([name, fault]) => [name, (run) => run.fault(name, fault)]), ...Object.entries(kSides).map(([name, act]) => [name, (run) => run.side(name, act)])];
const chosen = all.filter(([name]) => !options.fault || name.includes(options.fault));
if (!chosen.length) {
  console.error(`no fault has "${options.fault}" in its name; there are:\n  ${all.map(([name]) => name).join("\n  ")}`);
  process.exit(64);
}

const run = new Run();
for (const name of ["SIGINT", "SIGTERM"]) {
  process.on(name, () => {
    run.draw();
    process.exit(130); // what runs is ended with it (harness.mjs), also when the signal comes twice
  });
}
try {
  await run.start();
  say(`${kProfile}, ${kRate} requests a second, seed ${kSeed}`);
  const order = generator(kSeed + 2);
  do {
    for (const [, act] of chosen) {
      await act(run);
      run.draw();
      if (kSeconds && seconds() > kSeconds) break;
    }
    for (let i = chosen.length - 1; i > 0; i -= 1) {
      const j = Math.floor(order() * (i + 1));
      [chosen[i], chosen[j]] = [chosen[j], chosen[i]];
    }
  } while (seconds() < kSeconds);
  await run.stop();
} catch (error) {
  run.fail("the rig", error.stack);
} finally {
  clearInterval(run.sampler);
  run.draw();
  if (run.tail) closeSync(run.tail.fd);
  await cleanUp();
}
say(`${run.outcomes} outcomes, ${run.marks.length} faults, ${run.wrong.length} wrong; slowest: nothing left after ${run.slowest.left.toFixed(0)} ms, served again after ${run.slowest.recovery.toFixed(0)} ms`);
process.exit(run.wrong.length ? 1 : 0);
