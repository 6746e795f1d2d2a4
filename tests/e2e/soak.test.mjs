// A long mixture of everything, good and bad, at once. At its end every request has exactly one outcome, nothing has grown (memory after a
// garbage collection, file descriptors, files, processes), and the program stops clean. With VSIM_FULL=1 ten thousand requests to each policy that
// uses instances again, or as many as VSIM_SOAK says; a fifth of them, each with a process of its own, where all are fresh. Without it fluid stands
// for both policies that use instances again: it does so with more requests, and several at a time.
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { Agent } from "node:http";
import { after, before, describe, test } from "node:test";
import { cleanUp, copyApp, eventually, kFull, startSim, tempFolder, within } from "./harness.mjs";
import { kinds, soakFiles } from "./soak_app.mjs";

const kOnce = process.env.VSIM_SOAK ? Number(process.env.VSIM_SOAK) : kFull ? 10_000 : 0;

// The same mixture each time, in the same order.
function shuffled(mixture, count) {
  let state = 7;
  const random = () => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
  const sum = mixture.reduce((all, { weight }) => all + weight, 0);
  const pick = () => {
    let left = random() * sum;
    return mixture.find(({ weight }) => (left -= weight) < 0) ?? mixture[0];
  };
  // The first ones are one of each, so that a short run has them all.
  return Array.from({ length: count }, (_, i) => mixture[i] ?? pick());
}

const kPatienceMs = 120_000; // for one answer, on a busy machine
let sent = 0;

// Sends them, so many at a time; answers what came of them that should not have.
async function send(sim, list, atOnce, agent) {
  const wrong = [];
  const to = { port: sim.port, agent };
  let next = 0;
  const worker = async () => {
    while (next < list.length) {
      const kind = list[next++];
      const n = ++sent;
      const ends = kind.ends ?? 1;
      sim.made.set(n, { kind, least: ends, most: ends });
      try {
        const answer = await within(kPatienceMs, kind.name, kind.go(to, n));
        if (kind.ok(answer, n)) continue;
        sim.made.set(n, { kind, least: 1, most: ends }); // it may have died before it asked for another
        wrong.push({ n, kind: kind.name, status: answer.status, code: answer.headers?.["x-vercel-error"], cut: answer.cut, text: answer.text?.slice(0, 200) });
      } catch (error) {
        wrong.push({ n, kind: kind.name, error: error.message });
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return wrong;
}

const numberOf = (target) => Number(target.match(/[?&]n=(\d+)/)?.[1]);

// Ends by the number of their request.
function endsOf(sim) {
  const ends = new Map();
  for (const event of sim.events()) {
    if (event.t !== "invocation_ended") continue;
    const n = numberOf(event.target);
    if (!ends.has(n)) ends.set(n, []);
    ends.get(n).push(event);
  }
  return ends;
}

async function settled(sim) {
  let missing = [];
  await eventually("an end for each request", 60_000, () => {
    const ends = endsOf(sim);
    missing = [...sim.made].filter(([n, { least }]) => (ends.get(n)?.length ?? 0) < least).map(([n, { kind }]) => `${n} ${kind.name}`);
    return missing.length === 0;
  }).catch((error) => {
    throw new Error(`${error.message}; without one: ${missing.slice(0, 20).join(", ")}`);
  });
  // Nothing is done any more: no instance is starting, binding, serving or ending, and nothing was told for longer than an idle connection to
  // the app or between its processes is kept (4 s; src/net/timeouts.hpp, undici).
  await eventually("calm", 240_000, () => {
    const events = sim.events();
    const last = new Map();
    for (const event of events) if (event.t === "instance_changed") last.set(event.instance, event.to);
    const busy = [...last.values()].some((state) => ["spawning", "binding", "leased", "retired", "dying"].includes(state));
    const quiet = !sim.seen || sim.seen.count !== events.length ? ((sim.seen = { count: events.length, at: performance.now() }), false) : performance.now() - sim.seen.at > 5_500;
    return !busy && quiet;
  });
}

// ---------------------------------------------------------------- meters

const roles = [
  ["vercel-sim", /vercel-sim run/],
  ["guardian", /__guardian/],
  ["next dev", /start-server\.js|next-server/],
  ["instance", /instance\.cjs/],
];

// What each instance has served, by its process: code that is loaded for the first time is no leak.
function routesOf(sim) {
  const pids = new Map();
  const routes = new Map();
  for (const { t, instance, pid, route, target } of sim.events()) {
    if (t === "instance_changed" && pid) pids.set(instance, pid);
    if (t !== "invocation_ended" || !instance) continue;
    const of = pids.get(instance);
    if (!routes.has(of)) routes.set(of, new Set());
    routes.get(of).add(route ?? target);
  }
  return routes;
}

const statusOf = (pid) => readFileSync(`/proc/${pid}/status`, "latin1");
const isStopped = (pid) => /^State:\s+T/m.test(statusOf(pid));

// Each process of the run: what it is, its memory and its descriptors. Heaps are asked for; an instance may end meanwhile.
async function measure(sim) {
  const found = [];
  const routes = routesOf(sim);
  const last = new Map(sim.events().filter(({ t }) => t === "instance_changed").map(({ pid, to }) => [pid, to]));
  for (const { pid, command } of sim.alive()) {
    let role = roles.find(([, pattern]) => pattern.test(command))?.[0];
    if (!role) continue;
    if (last.get(pid) === "template") role = "template";  // its event loop stands, and answers nobody
    try {
      const one = { role, pid, rss: Number(statusOf(pid).match(/^VmRSS:\s+(\d+)/m)[1]) / 1024, fds: readdirSync(`/proc/${pid}/fd`).length, routes: routes.get(pid)?.size ?? 0 };
      if (role === "next dev" || role === "instance") one.heap = await heapOf(sim, pid, `figures of ${role} ${pid}`);
      found.push(one);
    } catch (error) {
      if (role !== "instance" || existsSync(`/proc/${pid}`)) throw error;
    }
  }
  return found;
}

// In MB, after garbage collection. One that is frozen is let go on for the moment.
async function heapOf(sim, pid, what) {
  const file = `${sim.meters}/${pid}`;
  rmSync(file, { force: true });
  const stopped = isStopped(pid);
  process.kill(pid, "SIGUSR2");
  if (stopped) process.kill(pid, "SIGCONT");
  await eventually(what, 20_000, () => existsSync(file) || !existsSync(`/proc/${pid}`));
  if (stopped) process.kill(pid, "SIGSTOP");
  const { heap, external } = JSON.parse(readFileSync(file, "utf8"));
  return (heap + external) / 1024 / 1024;
}

const shown = (figures) =>
  figures
    .map(({ role, pid, rss, fds, heap, routes }) => `${role} ${pid}: rss ${rss.toFixed(1)} MB${heap ? `, heap ${heap.toFixed(1)} MB` : ""}, ${fds} fds${routes ? `, ${routes} routes` : ""}`)
    .join("\n    ");

// What a process may have more than before, `count` requests ago. vercel-sim: its records and buffers are slots that are used again, so what it
// holds is given by the most at once; 3 MB are the allocator's. Node: a heap after collection that grows by less than 1 KB a request, beside 6 MB
// of caches and compiled code that come and go; an instance that served a route for the first time is not compared, since the code of a page alone
// is 20 MB. Descriptors: all connections are at rest and closed; vercel-sim has some for each instance, and a frozen instance has not yet seen
// that its connections were closed. Answers how many heaps were compared.
const kFdsOfInstance = 8;
function assertFlat(before, later, { count, t }) {
  const isInstance = ({ role }) => role === "instance" || role === "template";
  const instances = (figures) => figures.filter(isInstance).length;
  const more = Math.max(0, instances(later) - instances(before));
  let heaps = 0;
  for (const was of before) {
    const is = later.find(({ pid }) => pid === was.pid);
    if (!is) {
      assert.ok(isInstance(was), `${was.role} ${was.pid} is gone`);
      continue;
    }
    const what = `${is.role} ${is.pid} after ${count} more`;
    if (is.role === "vercel-sim") assert.ok(is.rss - was.rss < 3 + (count * 0.2) / 1024, `${what}: ${was.rss} MB, then ${is.rss} MB`);
    if (is.role === "guardian") assert.ok(is.rss - was.rss < 1, `${what}: ${was.rss} MB, then ${is.rss} MB`);
    const loaded = is.routes - was.routes;
    if (was.heap && is.heap && !loaded) {
      heaps += 1;
      assert.ok(is.heap - was.heap < 6 + count / 1024, `${what}: heap of ${was.heap} MB, then ${is.heap} MB`);
    }
    const allowed = 12 + (is.role === "vercel-sim" ? more * kFdsOfInstance : is.role === "next dev" ? more : 0);
    assert.ok(is.fds - was.fds <= allowed, `${what}: ${was.fds} descriptors, then ${is.fds}, with ${more} instances more`);
    t.diagnostic(`${what}: rss ${(is.rss - was.rss).toFixed(1)} MB, ${is.heap ? `heap ${(is.heap - was.heap).toFixed(1)} MB, ` : ""}${is.fds - was.fds} fds more${loaded ? `, ${loaded} routes more` : ""}`);
  }
  return heaps;
}

async function start(cwd, args) {
  const meters = await tempFolder("m");
  const sim = await startSim(["--time-scale", "4x", "--set", "duration.default=48s", "--seed", "3", ...args], {
    cwd,
    env: { NODE_OPTIONS: "--require ./meter.cjs", SOAK_FOLDER: meters },
  });
  return Object.assign(sim, { meters, made: new Map(), seen: null });
}

function assertOutcomes(sim) {
  const ends = endsOf(sim);
  for (const [n, { kind, least, most }] of sim.made) {
    const found = ends.get(n)?.length ?? 0;
    assert.ok(found >= least && found <= most, `${n}: ${kind.name}: ${found} ends: ${JSON.stringify(ends.get(n))}`);
  }
  const started = sim.events().filter(({ t }) => t === "invocation_started");
  const ids = sim.events().filter(({ t, id }) => t === "invocation_ended" && id > 0).map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length, "no id ends twice");
  const ended = new Set(ids);
  assert.deepEqual(started.filter(({ id }) => !ended.has(id)), [], "what started has ended");
  const events = sim.events();
  assert.deepEqual(events.map(({ seq }) => seq), events.map((_, i) => i + 1), "no event is lost");
}

async function assertStopsClean(sim) {
  const { left, files } = await sim.stop();
  assert.deepEqual(left, []);
  assert.deepEqual(files, []);
}

const policies = [
  { name: "fresh instances", args: ["--profile", "hobby"], once: Math.ceil(kOnce / 5) || 140, warmup: 60, atOnce: 6 },
  { name: "instances used again", args: ["--profile", "hobby", "--isolation", "instance"], once: kOnce || 600, warmup: 250, atOnce: 6, skip: !kOnce && "VSIM_FULL=1 runs it" },
  { name: "fluid", args: ["--profile", "hobby-fluid"], once: kOnce || 1_200, warmup: 300, atOnce: 12, shared: true },
];

describe("Soak", { timeout: kOnce ? 3_600_000 : 900_000 }, () => {
  let app;
  before(async () => {
    app = await copyApp(soakFiles);
  });
  after(cleanUp);

  for (const { name, args, once, warmup, atOnce, shared, skip = false } of policies) {
    test(`Soak: ${name}: one outcome for each request, and nothing grows`, { skip }, async (t) => {
      const sim = await start(app, args);
      t.after(() => sim.kill()); // a failed one must not hold the lock of the app
      const calm = kinds.filter(({ kills, retires }) => !kills && !retires);
      const from = performance.now();

      const deathsBy = (...reasons) => sim.events().filter(({ t: type, to, why }) => type === "instance_changed" && to === "dead" && reasons.includes(why));
      // On fluid a death takes the neighbours with it: then they have the same error, and a stream is cut. On a busy machine a live event loop may
      // answer too late after a deadline; that is such a death too.
      const check = (wrong, deaths) => {
        const isHit = ({ code, cut, kind, status }) => code === "FUNCTION_INVOCATION_FAILED" || cut || (kind === "own request" && status === 500);
        const neighbours = shared ? wrong.filter(isHit) : [];
        assert.deepEqual(wrong.filter((one) => !neighbours.includes(one)), []);
        assert.ok(neighbours.length <= deaths * atOnce, `${neighbours.length} neighbours of ${deaths} deaths`);
        return neighbours.length;
      };
      const phase = async (mixture, count) => {
        const begin = performance.now();
        const list = shuffled(mixture, count);
        const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
        const wrong = await send(sim, list, atOnce, agent);
        agent.destroy();
        const seconds = (performance.now() - begin) / 1000;
        const hurt = check(wrong, list.filter(({ kills }) => kills).length + deathsBy("unresponsive").length);
        await settled(sim);
        t.diagnostic(`${count} requests in ${seconds.toFixed(1)} s (${(count / seconds).toFixed(1)}/s), ${hurt} hit as neighbours`);
        return measure(sim);
      };

      const first = await phase(kinds, warmup);
      t.diagnostic(`after warming up:\n    ${shown(first)}`);
      const second = await phase(kinds, once);
      assertFlat(first, second, { count: once, t });
      // Without deaths the instances stay the same, so theirs can be compared too; first the youngest load what they have not served yet.
      if (name !== "fresh instances") {
        const third = await phase(calm, Math.ceil(once / 4));
        const heaps = assertFlat(third, await phase(calm, Math.ceil(once / 2)), { count: once / 2, t });
        assert.ok(heaps > 1, "heaps of next dev and of at least one instance were compared");
      }

      assertOutcomes(sim);
      assert.deepEqual(deathsBy("spawn_timeout", "init_timeout"), [], "no instance failed to start");
      await assertStopsClean(sim);
      t.diagnostic(`${sim.made.size} requests, ${((performance.now() - from) / 1000).toFixed(0)} s in all`);
    });
  }
});
