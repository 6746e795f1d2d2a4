// Templates of functions (instances.fork=on): an instance is a copy of a process that has evaluated the function's modules, and shares no memory with its
// siblings; where the modules took what each process has of its own, it is not, and the run says why.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { cleanUp, copyApp, editFile, eventually, request, startSim } from "./harness.mjs";

const kPlain = `
import { randomUUID } from "node:crypto";
import { appendFileSync } from "node:fs";
export const dynamic = "force-dynamic";
const seen: string[] = [];
let evaluated = 0;
evaluated += 1;
export function GET(request: Request) {
  seen.push(randomUUID());
  const headers = Object.fromEntries(request.headers);
  return Response.json({ seen, evaluated, random: Math.random(), web: crypto.randomUUID(), pid: process.pid, uptime: process.uptime(), now: performance.now(), skew: performance.timeOrigin + performance.now() - Date.now(), date: new Date() instanceof Date, headers, faults: process.resourceUsage().minorPageFault, version: 1 });
}
export const POST = () => {
  appendFileSync("/tmp/vsim-unused", "");
  return new Response("");
};
`;
const kAhead = `
export const dynamic = "force-dynamic";
let count = 0;
export const GET = () => Response.json({ pid: process.pid, count: ++count, faults: process.resourceUsage().minorPageFault });
`;
// The page is rendered before its client component is.
const kParts = {
  "app/parts/client.tsx": `"use client";\n(globalThis as any).clientParts = ((globalThis as any).clientParts ?? 0) + 1;\nexport const Client = () => <b>client</b>;\n`,
  "app/lucky/client.tsx": `"use client";\nconst drawn = Math.random();\nexport const Client = () => <b>{drawn}</b>;\n`,
  "app/lucky/page.tsx": `import { Client } from "./client";\nexport const dynamic = "force-dynamic";\nexport default () => <main><Client /></main>;\n`,
  "app/parts/page.tsx": `import { Client } from "./client";\nexport const dynamic = "force-dynamic";\nexport default () => <main data-evaluated={(globalThis as any).clientParts ?? 0}><Client /></main>;\n`,
};
const kBad = `
export const dynamic = "force-dynamic";
let count = 0;
const kept: unknown[] = [];
export async function GET(request: Request) {
  const how = new URL(request.url).searchParams.get("how");
  count += 1;
  if (how === "exit") process.exit(3);
  if (how === "throw") setTimeout(() => { throw new Error("late"); }, 0);
  if (how === "hang") for (;;);
  if (how === "flood") for (;;) kept.push(new Array(1e5).fill(count));
  if (how === "patch") {
    (globalThis as any).Date = class {};
    (globalThis as any).patched = 1;
    process.env.PATCHED = "1";
    process.chdir("/");
  }
  if (how) await new Promise(() => {});
  return Response.json({ count, patched: (globalThis as any).patched ?? 0, env: process.env.PATCHED ?? "", now: Date.now(), cwd: process.cwd() });
}
`;
const route = (top, value = "0") => `${top}\nexport const dynamic = "force-dynamic";\nexport const GET = () => Response.json({ pid: process.pid, value: ${value} });\n`;
// What modules take → what is said of it.
const kReasons = {
  clock: [route("const at = Date.now();", "at"), /^Date\.now\(\) by app\/api\/clock\/route\.ts:1/],
  date: [route("const at = new Date().toISOString();", "at"), /^new Date\(\) by app\/api\/date\/route\.ts:1/],
  random: [route("const n = Math.random();", "n"), /^Math\.random\(\) by app\/api\/random\/route\.ts:1/],
  uuid: [route('import { randomUUID } from "node:crypto";\nconst id = randomUUID();', "id"), /^crypto\.randomUUID\(\) by app\/api\/uuid\/route\.ts:2/],
  pid: [route("const name = `worker ${process.pid}`;", "name"), /^process\.pid by app\/api\/pid\/route\.ts:1/],
  imported: [route('import { id } from "@/lib/id";', "id"), /^crypto\.randomUUID\(\) by lib\/id\.ts:1/],
  timer: [route("let ticks = 0;\nsetInterval(() => (ticks += 1), 1000);", "ticks"), /^setInterval\(\) by app\/api\/timer\/route\.ts:2:\d+, which has not fired/],
  connection: [route('import net from "node:net";\nconst socket = net.connect(Number(process.env.TEST_PORT), "127.0.0.1").on("error", () => {});', "socket.destroyed"), /^a connection by app\/api\/connection\/route\.ts:2/],
  file: [route('import { readFileSync } from "node:fs";\nconst text = readFileSync("data.json", "utf8");', "text"), /^fs\.readFileSync\(data\.json\) by app\/api\/file\/route\.ts:2/],
  worker: [route('import { Worker } from "node:worker_threads";\nconst worker = new Worker("setInterval(() => {}, 1000)", { eval: true });', "worker.threadId"), /^new Worker\(\) by app\/api\/worker\/route\.ts:2/],
  package: [route('import { id } from "takes-random";', "id"), /^Math\.random\(\) by node_modules\/takes-random\/index\.js:1/],
  fails: [route('if (process.env.VERCEL) throw new Error("not here");'), /^its modules cannot be evaluated/],
  edge: [`export const runtime = "edge";\n${route("")}`.replace("process.pid", "0"), /^the edge runtime has memory of its own/],
};

const json = async (url) => JSON.parse((await request(url)).text);
const changes = (sim) => sim.events().filter((event) => event.t === "instance_changed");
const startOf = (sim, pid) => changes(sim).find((event) => event.to === "spawning" && event.pid === pid)?.start;
// Of the templates of a function, those that live.
function templatesOf(sim, name) {
  const living = new Map();
  for (const { instance, to, function: of, pid } of changes(sim)) {
    if (to === "template" && of === name) living.set(instance, pid);
    if (to === "dying" || to === "dead") living.delete(instance);
  }
  return [...living.values()];
}
const stands = (sim, name, but) => eventually(`a template of ${name}`, 90_000, () => templatesOf(sim, name).find((pid) => pid !== but));
// The copy that waits ahead is there.
const isAhead = (sim, name) => eventually(`a copy for ${name}`, 60_000, () => changes(sim).findLast((event) => event.function === name)?.to === "frozen");

// The copies that wait for a function, and the page faults that they have had; undefined while another one begins or ends.
function waitingFor(sim, name) {
  const states = new Map();
  for (const event of changes(sim)) states.set(event.instance, { ...states.get(event.instance), ...event });
  const living = [...states.values()].filter(({ function: of, to }) => of === name && to !== "dead" && to !== "template");
  if (living.length === 0 || living.some(({ to }) => to !== "frozen")) return undefined;
  return new Map(living.map(({ pid }) => [pid, faultsOf(pid)]));
}
// Minor page faults of a process until now; undefined: it is gone.
function faultsOf(pid) {
  try {
    return Number(readFileSync(`/proc/${pid}/stat`, "latin1").replace(/^.*\) /s, "").split(" ")[7]);
  } catch {
    return undefined;
  }
}

describe("Templates: what is copied shares nothing", { timeout: 900_000 }, () => {
  let app;
  let sim;

  before(async () => {
    app = await copyApp({ "app/api/ahead/route.ts": kAhead, "app/api/plain/route.ts": kPlain, "app/api/bad/route.ts": kBad, ...kParts });
    sim = await startSim(["--profile", "hobby", "--verbose", "--set", "instances.fork=on", "--set", "duration.default=2s", "--set", "memory.mode=off"], { cwd: app });
  });
  after(cleanUp);

  test("Templates: instances of one function are copies of its template, and each has its own memory, numbers and clock", async () => {
    await json(`${sim.url}/api/plain`);
    const template = await stands(sim, "/api/plain");
    await isAhead(sim, "/api/plain");
    const seen = [];
    for (let i = 0; i < 6; i += 1) seen.push(await json(`${sim.url}/api/plain`));
    for (const name of ["random", "web", "pid"]) assert.equal(new Set(seen.map((one) => one[name])).size, seen.length, `${name}: ${seen.map((one) => one[name])}`);
    assert.equal(new Set(seen.map((one) => one.seen[0])).size, seen.length);
    for (const one of seen) {
      assert.equal(startOf(sim, one.pid), "fork");
      assert.deepEqual([one.seen.length, one.evaluated, one.date], [1, 1, true]);
      assert.ok(one.uptime < 30 && Math.abs(one.uptime * 1000 - one.now) < 1000, `${one.uptime} s, ${one.now} ms`);
      assert.ok(Math.abs(one.skew) < 50, `performance and Date are ${one.skew} ms apart`);
      assert.deepEqual(Object.keys(one.headers).filter((name) => name.startsWith("x-vsim")), []);
      assert.notEqual(one.pid, template);
    }
    assert.deepEqual(templatesOf(sim, "/api/plain"), [template]);
    assert.equal(changes(sim).filter(({ pid, to }) => pid === template && to === "leased").length, 0, "a template was given a request");
    const many = await Promise.all(Array.from({ length: 12 }, () => json(`${sim.url}/api/plain`)));
    assert.equal(new Set(many.map((one) => one.seen[0])).size, many.length);
    assert.ok(many.every((one) => one.seen.length === 1));
  });

  // V8's memory reducer, due 8 s after a collection, was due in each of them.
  test("Templates: copies of one that has stood for a while have no more to do than those of a young one", async () => {
    const template = await stands(sim, "/api/plain");
    const { time } = changes(sim).find(({ pid, to }) => pid === template && to === "template");
    const young = await json(`${sim.url}/api/plain`);
    const old = await eventually("a copy of a template that is 12 s old", 60_000, async () => Date.now() - Date.parse(time) > 12_000 && json(`${sim.url}/api/plain`));
    for (const { pid } of [young, old]) assert.equal(startOf(sim, pid), "fork");
    assert.ok(old.faults < 1.5 * young.faults, `${young.faults} page faults, and ${old.faults}`);
  });

  // Counted, not timed. What the first ones have written to (two, which may have begun before the third) later ones have before they wait: MADV_POPULATE_WRITE, Linux 5.14.
  const [major, minor] = release().split(".").map(Number);
  const isOld = major < 5 || (major === 5 && minor < 14);
  test("Templates: a copy that waits has the pages that those before it have written to, and its request takes few page faults", { skip: isOld && "this kernel takes none ahead" }, async () => {
    await json(`${sim.url}/api/ahead`);
    const template = await stands(sim, "/api/ahead");
    const taken = [];
    const few = await eventually("a request with few page faults", 120_000, async () => {
      const waiting = await eventually("copies that wait for /api/ahead", 60_000, () => waitingFor(sim, "/api/ahead"));
      const { pid, faults, count } = await json(`${sim.url}/api/ahead`);
      assert.equal(count, 1);
      if (waiting.get(pid) === undefined) return false;  // it had just begun
      taken.push(faults - waiting.get(pid));
      return taken.at(-1) < taken[0] / 3;
    });
    assert.ok(few && taken[0] > 300, `${taken} page faults`);
    assert.deepEqual(templatesOf(sim, "/api/ahead"), [template]);
  });

  test("Templates: a page has one too", async () => {
    await request(`${sim.url}/time`);
    await stands(sim, "/time");
    const [first, second] = [await request(`${sim.url}/time`), await request(`${sim.url}/time`)];
    assert.deepEqual([first.status, second.status], [200, 200]);
    const { instance } = changes(sim).findLast((event) => event.to === "leased");
    assert.equal(changes(sim).find((event) => event.instance === instance).start, "fork");
  });

  test("Templates: that of a page has evaluated its client components, as a copy would have to", async () => {
    const evaluated = async () => /data-evaluated="(\d)".*<b>client<\/b>/.exec((await request(`${sim.url}/parts`)).text)?.[1];
    assert.equal(await evaluated(), "0");
    await stands(sim, "/parts");
    await isAhead(sim, "/parts");
    assert.equal(await evaluated(), "1");
    await editFile(join(app, "app/parts/client.tsx"), "<b>client</b>", "<b>edited</b>");
    await eventually("the edit", 60_000, async () => (await request(`${sim.url}/parts`)).text.includes("<b>edited</b>"));
  });

  test("Templates: what a page's client components take does not cost it its template, and no two pages have it in common", async () => {
    const drawn = async () => /<b>(0\.\d+)<\/b>/.exec((await request(`${sim.url}/lucky`)).text)?.[1];
    await drawn();
    const template = await stands(sim, "/lucky");
    await isAhead(sim, "/lucky");
    const seen = [await drawn(), await drawn(), await drawn()];
    assert.equal(new Set(seen).size, 3, String(seen));
    assert.equal(changes(sim).filter((event) => event.function === "/lucky" && event.uncopied).length, 0);
    assert.ok(template);
  });

  test("Templates: an edit retires the template, is seen at once, and another one follows", async () => {
    await json(`${sim.url}/api/plain`);  // the four used last have one, and this is none of them any more
    const before = await stands(sim, "/api/plain");
    await editFile(join(app, "app/api/plain/route.ts"), "version: 1", "version: 2");
    await eventually("the edit", 20_000, async () => (await json(`${sim.url}/api/plain`)).version === 2);
    for (let i = 0; i < 3; i += 1) assert.equal((await json(`${sim.url}/api/plain`)).version, 2);
    await stands(sim, "/api/plain", before);
    await isAhead(sim, "/api/plain");
    const { pid, version, seen } = await json(`${sim.url}/api/plain`);
    assert.deepEqual([version, seen.length, startOf(sim, pid)], [2, 1, "fork"]);
    assert.ok(!sim.alive().some((one) => one.pid === before), "the old template is there");
  });

  for (const [how, status] of Object.entries({ exit: 500, throw: 500, hang: 504, flood: 500, patch: 504 })) {
    test(`Templates: a handler that does its worst (${how}) does not touch its template`, async () => {
      const { count } = await json(`${sim.url}/api/bad`);
      assert.equal(count, 1);
      const template = await stands(sim, "/api/bad");
      const failed = await request(`${sim.url}/api/bad?how=${how}`);
      assert.ok(failed.status === status || (how === "flood" && failed.status === 504), `${how}: ${failed.status}`);
      const next = await json(`${sim.url}/api/bad`);
      assert.deepEqual([next.count, next.patched, next.env, next.cwd], [1, 0, "", app]);
      // One that floods takes the room of others, which is our doing and not its own.
      const end = changes(sim).findLast((event) => event.pid === template && event.to === "dying");
      if (how !== "flood" || end?.why !== "memory") assert.deepEqual(templatesOf(sim, "/api/bad"), [template]);
    });
  }

  test("Templates: one that is killed takes nobody along, and another one takes its place", async () => {
    await json(`${sim.url}/api/plain`);
    const before = await stands(sim, "/api/plain");
    process.kill(before, "SIGKILL");
    for (let i = 0; i < 5; i += 1) assert.equal((await json(`${sim.url}/api/plain`)).seen.length, 1);
    await stands(sim, "/api/plain", before);
    assert.equal((await json(`${sim.url}/api/plain`)).seen.length, 1);
  });

  test("Templates: lost memory and work that is left behind are told of copies as of any instance", async () => {
    await json(`${sim.url}/api/counter`);
    await stands(sim, "/api/counter");
    const from = sim.events().length;
    for (let i = 0; i < 3; i += 1) assert.equal((await json(`${sim.url}/api/counter`)).count, 1);
    await request(`${sim.url}/api/background`, { method: "POST" });
    await stands(sim, "/api/background");
    await isAhead(sim, "/api/background");
    await request(`${sim.url}/api/background`, { method: "POST" });
    const codes = () => sim.events().flatMap((event) => (event.verdicts ?? []).map(({ code }) => `${event.route} ${code}`));
    await eventually("SIM_STATE_NOT_SHARED", 5_000, () => codes().some((one) => one === "/api/counter SIM_STATE_NOT_SHARED"));
    await eventually("SIM_BACKGROUND_WORK_FROZEN", 5_000, () => codes().filter((one) => one === "/api/background SIM_BACKGROUND_WORK_FROZEN").length >= 1);
    assert.ok(sim.events().length > from);
    const last = changes(sim).findLast((event) => event.to === "leased");
    assert.equal(changes(sim).find((event) => event.instance === last.instance).start, "fork");
  });

  test("Templates: nothing is left when vercel-sim is killed", async () => {
    await stands(sim, "/api/counter");
    const { left } = await sim.stop("SIGKILL");
    assert.deepEqual(left, []);
  });
});

describe("Templates: what must not be copied is not", { timeout: 900_000 }, () => {
  let sim;

  before(async () => {
    const routes = Object.fromEntries(Object.entries(kReasons).map(([name, [text]]) => [`app/api/${name}/route.ts`, text]));
    const app = await copyApp({ ...routes, "lib/id.ts": "export const id = crypto.randomUUID();\n", "data.json": "{}" });
    mkdirSync(join(app, "node_modules/takes-random"), { recursive: true });
    writeFileSync(join(app, "node_modules/takes-random/package.json"), '{"name":"takes-random","version":"1.0.0","main":"index.js"}');
    writeFileSync(join(app, "node_modules/takes-random/index.js"), "exports.id = Math.random();\n");
    sim = await startSim(["--profile", "hobby", "--verbose", "--set", "instances.fork=on", "--set", "disk.reads=off"], { cwd: app, env: { TEST_PORT: "9" } });
  });
  after(cleanUp);

  for (const [name, [, expected]] of Object.entries(kReasons)) {
    test(`Templates: ${name}: each instance evaluates for itself, and the run says why`, async () => {
      await request(`${sim.url}/api/${name}`);
      const told = await eventually("why", 90_000, () => changes(sim).find((event) => event.function === `/api/${name}` && event.uncopied));
      assert.match(told.uncopied, expected);
      const answers = [await request(`${sim.url}/api/${name}`), await request(`${sim.url}/api/${name}`)];
      const mine = new Set(changes(sim).filter((event) => event.function === `/api/${name}`).map(({ instance }) => instance));
      for (const one of changes(sim)) if (mine.has(one.instance) && one.to === "spawning") assert.equal(one.start, "fork+evaluate");
      assert.deepEqual(templatesOf(sim, `/api/${name}`), []);
      if (!["clock", "date", "random", "uuid", "pid", "imported", "package"].includes(name)) return;
      const [first, second] = answers.map(({ text }) => JSON.parse(text).value);
      assert.notEqual(first, second, "the memory of another instance");
    });
  }

  test("Templates: a reason is told once for a function, in the terminal too", async () => {
    const told = changes(sim).filter((event) => event.uncopied).map((event) => `${event.function} ${event.uncopied}`);
    assert.equal(new Set(told).size, told.length);
    await sim.output.waitFor(/bound \/api\/clock.*evaluate for themselves: Date\.now\(\) by app\/api\/clock\/route\.ts:1/, 5_000);
  });
});
