// Instances that begin as copies of a template: what a fresh process has of its own, a copy has of its own, and where copying is not possible instances are
// started as ever.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { cleanUp, copyApp, editFile, eventually, request, startSim } from "./harness.mjs";

const kOwn = `
import { execFileSync } from "node:child_process";
import { createHash, randomBytes, randomInt, randomUUID } from "node:crypto";
import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import http from "node:http";
export const dynamic = "force-dynamic";
const answers = (port: number) => new Promise((done, fail) => {
  http.get({ port, host: "127.0.0.1" }, (response) => response.resume().on("end", () => done(response.statusCode))).on("error", fail);
});
async function works() {
  const server = http.createServer((_, response) => response.end("y")).listen(0, "127.0.0.1");
  await new Promise((done) => server.once("listening", done));
  const { port } = server.address() as { port: number };
  const status = await answers(port);
  const fetched = await (await fetch("http://127.0.0.1:" + port)).text();
  server.closeAllConnections();
  server.close();
  return { status, fetched, child: String(execFileSync("echo", ["hello"])).trim() };
}
export async function GET() {
  performance.mark("a");
  const measured = performance.measure("from a", "a");
  return Response.json({
    unlike: {
      random: Math.random(), uuid: randomUUID(), web: crypto.randomUUID(), bytes: randomBytes(8).toString("hex"), int: randomInt(2 ** 47),
      values: String(crypto.getRandomValues(new Uint32Array(2))), pid: process.pid,
    },
    real: readlinkSync("/proc/self"),
    inShell: String(execFileSync("sh", ["-c", "echo $PPID"])).trim(),
    preload: process.env.LD_PRELOAD ?? String(execFileSync("sh", ["-c", "echo $LD_PRELOAD"])).trim(),
    parent: process.ppid,
    mark: process.env.VERCEL_SIM_CHILD,
    marks: [performance.now() - performance.getEntriesByName("a")[0].startTime, measured.duration],
    uptime: process.uptime(),
    now: performance.now(),
    skew: performance.timeOrigin + performance.now() - Date.now(),
    cpu: process.cpuUsage().user + process.cpuUsage().system,
    argv: process.argv,
    execArgv: process.execArgv,
    command: readFileSync("/proc/self/cmdline", "latin1").split("\\0"),
    session: readFileSync("/proc/self/stat", "latin1").replace(/^.*\\) /s, "").split(" ").slice(2, 4),
    descriptors: readdirSync("/proc/self/fd").length,
    listeners: process.listenerCount("SIGTERM"),
    works: await works(),
    hash: createHash("sha1").update("x").digest("hex"),
  });
}
`;
const kOn = ["--set", "instances.fork=on"];
const kEdge = `
export const runtime = "edge";
export const dynamic = "force-dynamic";
export const GET = () => Response.json({ random: Math.random(), uuid: crypto.randomUUID() });
`;
const kPid = `
export const dynamic = "force-dynamic";
export const GET = () => Response.json({ pid: process.pid, version: 1 });
`;
// Counts the stacks that are taken when a timer and a promise are made.
const kStacks = `
export function stacksTaken() {
  const { Error: real } = globalThis;
  let stacks = 0;
  globalThis.Error = new Proxy(real, { apply: (target, self, args) => { stacks += 1; return Reflect.apply(target, self, args); } });
  try {
    clearTimeout(setTimeout(() => {}, 1000));
    void new Promise(() => {});
  } finally {
    globalThis.Error = real;
  }
  return stacks;
}
`;
const kStacksRoute = `
import { stacksTaken } from "../../../lib/stacks";
export const dynamic = "force-dynamic";
export const GET = () => Response.json({ stacks: stacksTaken() });
`;
const kStacksPage = `
import { stacksTaken } from "../../lib/stacks";
export const dynamic = "force-dynamic";
export default async function Page() {
  await null;
  return <p>stacks {String(stacksTaken())}.</p>;
}
`;
// More than the young generation holds, some of which stays; and how the process's memory lies: KiB in large pages, without those of files.
const kYoung = `
import { readFileSync } from "node:fs";
function memory() {
  const mappings = readFileSync("/proc/self/smaps", "latin1").split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
  const anonymous = mappings.filter((text) => /^\\S+ rw-p \\S+ \\S+ 0 *\\n/.test(text));
  return { mappings: mappings.length, large: anonymous.reduce((sum, text) => sum + Number(/^AnonHugePages: +(\\d+)/m.exec(text)?.[1]), 0) };
}
export const dynamic = "force-dynamic";
export function GET() {
  const kept = [];
  for (let i = 0; i < 400_000; i += 1) {
    const one = { i, text: "x" + i, list: [i, i + 1] };
    if (i % 50 === 0) kept.push(one);
  }
  return Response.json({ kept: kept.length, wrong: kept.filter(({ i, text, list }) => text !== "x" + i || list[0] !== i || list[1] !== i + 1).length, ...memory() });
}
`;
// How many bytes of code V8 makes when a function is called for the first time: of one of the module's, and of one that nobody has compiled before.
const kCompiled = `
import { getHeapCodeStatistics } from "node:v8";
export const dynamic = "force-dynamic";
function large(n: number) {
  ${Array.from({ length: 40 }, (_, i) => `if (Math.log(n) > ${i}) return { at: "${i}", list: [n, ${i}], text: n + " of ${i}" };`).join("\n  ")}
  return undefined;
}
const bytes = () => getHeapCodeStatistics().bytecode_and_metadata_size;
function madeBy(action: () => unknown) {
  const before = bytes();
  action();
  return bytes() - before;
}
export function GET() {
  madeBy(() => {});
  return Response.json({ pid: process.pid, own: madeBy(() => large(1)), other: madeBy(() => (0, eval)("(" + large + ")")(1)) });
}
`;
const json = async (url) => JSON.parse((await request(url)).text);
const templates = (sim) => sim.alive().filter(({ command }) => /template\.cjs/.test(command));
const starts = (sim) => sim.events().filter((event) => event.t === "instance_changed" && event.to === "spawning");
const startOf = (sim, pid) => starts(sim).find((event) => event.pid === pid)?.start;

describe("Forks: instances are copies of a template", { timeout: 400_000 }, () => {
  let app;
  let sim;

  before(async () => {
    app = await copyApp({ "app/api/own/route.ts": kOwn, "app/api/edge/route.ts": kEdge, "app/api/pid/route.ts": kPid, "lib/stacks.ts": kStacks, "app/api/stacks/route.ts": kStacksRoute, "app/stacks/page.tsx": kStacksPage, "app/api/young/route.ts": kYoung, "app/api/compiled/route.ts": kCompiled });
    // What a monitoring agent does that is preloaded into every process, as soon as a file says so.
    writeFileSync(
      join(app, "thread.cjs"),
      'if (process.env.VSIM_TEMPLATE && require("node:fs").existsSync("thread")) new (require("node:worker_threads").Worker)("setInterval(() => {}, 1000)", { eval: true });\n',
    );
    sim = await startSim(["--profile", "hobby", "--verbose", ...kOn], { cwd: app, env: { NODE_OPTIONS: `--require ${join(app, "thread.cjs")}` } });
  });
  after(cleanUp);

  test("Forks: what a fresh process has of its own, a copy has of its own", async () => {
    const seen = [];
    for (let i = 0; i < 4; i += 1) seen.push(await json(`${sim.url}/api/own`));
    for (const name of Object.keys(seen[0].unlike)) assert.equal(new Set(seen.map(({ unlike }) => unlike[name])).size, seen.length, `${name}: ${seen.map(({ unlike }) => unlike[name])}`);
    assert.equal(new Set(seen.map(({ mark }) => mark)).size, seen.length);
    for (const one of seen) {
      const pid = String(one.unlike.pid);
      assert.match(startOf(sim, one.unlike.pid), /^fork/);
      assert.deepEqual([one.real, one.inShell, ...one.session], [pid, pid, pid, pid]);
      assert.equal(one.parent, sim.process.pid);
      // Not those of the template, which is as old as the run.
      assert.ok(one.uptime < 60 && Math.abs(one.uptime * 1000 - one.now) < 1000, `${one.uptime} s, ${one.now} ms`);
      assert.ok(Math.abs(one.skew) < 50, `performance and Date are ${one.skew} ms apart`);
      assert.ok(one.marks.every((ms) => ms >= 0 && ms < 1000), String(one.marks));
      assert.ok(one.argv[1].endsWith("instance.cjs"), one.argv[1]);
      assert.deepEqual(one.execArgv.filter((flag) => /single-threaded|v8-pool|memory-reducer|flush-bytecode|semi-space/.test(flag)), []);
      assert.equal(one.preload, "");
      assert.ok(one.command.some((word) => word.endsWith("/instance.cjs")), String(one.command));
      assert.deepEqual(one.works, { status: 200, fetched: "y", child: "hello" });
    }
    await sim.output.waitFor(/i\d+ +spawning \(fork\+evaluate\)/, 5_000);
    const edge = [await json(`${sim.url}/api/edge`), await json(`${sim.url}/api/edge`), await json(`${sim.url}/api/edge`)];
    for (const name of ["random", "uuid"]) assert.equal(new Set(edge.map((one) => one[name])).size, edge.length, `edge ${name}: ${edge.map((one) => one[name])}`);
  });

  // React's development build, which comes with the bundle of pages, keeps where each promise, timer and socket was made: what renders nothing does not pay for it.
  test("Forks: React keeps stacks of what a page does, and of a route handler's none, on copies of either template", async () => {
    for (let i = 0; i < 5; i += 1) {
      assert.equal((await json(`${sim.url}/api/stacks`)).stacks, 0);
      const { text } = await request(`${sim.url}/stacks`);
      assert.match(text, /stacks (<!-- -->)?[1-9]/, text.slice(0, 500));
    }
  });

  // A template gives back the memory of its young generation before it is copied, and copies have it in large pages (Node 20, as far as the system has such).
  test("Forks: what a copy makes and collects is what it made, in memory that lies side by side", async () => {
    const hasLarge = process.versions.node.startsWith("20.") && !/\[never\]/.test(readFileSync("/sys/kernel/mm/transparent_hugepage/enabled", "latin1"));
    let requests = 0;
    // The first copies are those that the others learn from.
    await eventually("a copy in large pages", 30_000, async () => {
      const { kept, wrong, mappings, large } = await json(`${sim.url}/api/young`);
      assert.deepEqual({ kept, wrong }, { kept: 8000, wrong: 0 });
      assert.ok(mappings < 250, `${mappings} mappings`);
      requests += 1;
      return requests >= 5 && (!hasLarge || large >= 4096);
    });
  });

  test("Forks: what a function's code may call is compiled in its template, and not in each copy", async () => {
    const copied = await eventually("a copy of the function's template", 60_000, async () => {
      const one = await json(`${sim.url}/api/compiled`);
      if (startOf(sim, one.pid) === "fork") return one;
      assert.ok(one.own > 500, `${one.own} bytes where the copy evaluates the module`);
    });
    assert.ok(copied.own < 100 && copied.other > 500, JSON.stringify(copied));
  });

  test("Forks: a template outlives its copies' edits, and serves routes that came after it", async () => {
    const [{ pid: before }] = templates(sim);
    assert.equal((await json(`${sim.url}/api/pid`)).version, 1);
    await editFile(join(app, "app/api/pid/route.ts"), "version: 1", "version: 2");
    await eventually("the edit", 20_000, async () => (await json(`${sim.url}/api/pid`)).version === 2);
    writeFileSync(join(app, "pages/api/late.ts"), "export default function handler(req: any, res: any) { res.json({ late: process.pid }); }\n");
    const late = await eventually("the new route", 20_000, async () => {
      const { status, text } = await request(`${sim.url}/api/late`);
      return status === 200 && JSON.parse(text).late;
    });
    assert.match(startOf(sim, late), /^fork/);
    assert.deepEqual(templates(sim).map(({ pid }) => pid), [before]);
  });

  test("Forks: a template that dies takes no copy along, and another one takes its place", async () => {
    await eventually("spares", 20_000, () => sim.alive().filter(({ command }) => /instance\.cjs/.test(command)).length >= 2);
    const [{ pid }] = templates(sim);
    const copies = sim.alive().filter(({ command }) => /instance\.cjs/.test(command));
    process.kill(pid, "SIGKILL");
    const next = await eventually("another template", 20_000, () => templates(sim).find((one) => one.pid !== pid));
    // Policy may have ended one in that moment, which its end says; what is of no instance is the process that a copy is made by.
    const changes = sim.events().filter((event) => event.t === "instance_changed");
    for (const copy of copies.filter((one) => !sim.alive().some(({ pid: living }) => living === one.pid))) {
      const instance = changes.find((event) => event.pid === copy.pid)?.instance;
      if (instance === undefined) continue;
      const end = await eventually(`the end of ${instance}`, 5_000, () => sim.events().find((event) => event.t === "instance_changed" && event.instance === instance && event.to === "dead"));
      assert.ok(end.why, `${instance} died with its template: ${end.death}`);
    }
    for (let i = 0; i < 5; i += 1) assert.equal((await json(`${sim.url}/api/counter`)).count, 1);
    const { parent } = await json(`${sim.url}/api/own`);
    assert.equal(parent, sim.process.pid);
    assert.ok(next.pid !== pid);
    assert.match(starts(sim).at(-1).start, /^fork/);
  });

  test("Forks: a change of next.config retires the template; one with a thread of its own is not copied, instances are started, and a line says so", async () => {
    const [{ pid }] = templates(sim);
    writeFileSync(join(app, "thread"), "");
    await editFile(join(app, "next.config.mjs"), "export default", "// again\nexport default");
    await sim.output.waitFor(/function instances are started one by one, not forked: .*(open in it|threads)/, 60_000);
    await eventually("answers", 30_000, async () => (await request(`${sim.url}/api/own`)).status === 200);
    const seen = [await json(`${sim.url}/api/own`), await json(`${sim.url}/api/own`)];
    for (const one of seen) {
      assert.equal(startOf(sim, one.unlike.pid), "spawn");
      assert.equal(one.parent, sim.process.pid);
      assert.deepEqual(one.works, { status: 200, fetched: "y", child: "hello" });
    }
    assert.equal(sim.events().filter((event) => event.t === "notice" && /not forked/.test(event.message)).length, 1);
    assert.ok(!sim.alive().some((one) => one.pid === pid), "the old template is there");
    assert.deepEqual(templates(sim), []);
  });

  test("Forks: nothing is left when vercel-sim is killed", async () => {
    const { left, signal } = await sim.stop("SIGKILL");
    assert.equal(signal, "SIGKILL");
    assert.deepEqual(left, []);
  });
});
