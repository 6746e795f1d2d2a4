// A steady mix of load, and one thing broken at a time. Whatever breaks, each request has exactly one outcome, its client and the events tell the
// same one, and a little later nothing is left of it. CI breaks a few things on hobby-fluid; VSIM_FULL=1 all of them, on hobby too, for longer.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { cleanUp, copyApp, editFile, eventually, kFull, startSim, within } from "./harness.mjs";

const kLoadMs = kFull ? 6_000 : 2_000; // under each fault
const kAtOnce = 5;
const kFiles = {
  "app/api/mix/route.ts": `
export const dynamic = "force-dynamic";
const wait = (ms: number) => new Promise((done) => setTimeout(done, ms));
export async function GET(request: Request) {
  const how = new URL(request.url).searchParams.get("how");
  if (how === "exit") process.exit(3);
  if (how === "throw") setTimeout(() => { throw new Error("thrown by the fault test"); }, 1);
  if (how === "hang" || how === "throw") await wait(3_000);
  if (how === "slow") await wait(300);
  if (how !== "stream") return Response.json({ how });
  const text = new TextEncoder();
  return new Response(new ReadableStream({
    async start(stream) {
      for (let i = 0; i < 10; i += 1) {
        stream.enqueue(text.encode("data: " + i + "\\n\\n"));
        await wait(50);
      }
      stream.close();
    },
  }), { headers: { "content-type": "text/event-stream" } });
}
export async function POST(request: Request) {
  return Response.json({ bytes: (await request.arrayBuffer()).byteLength });
}
`,
};

// What a client saw: {n, how, status, isWhole, code}. `leave`: it goes after so many milliseconds.
function ask(port, n, { how, method = "GET", body, path = "/api/mix", leave }) {
  return new Promise((done) => {
    const seen = { n, how, isWhole: false };
    const req = http.request({ port, method, path: `${path}?how=${how}&n=${n}`, agent: false, headers: { host: `localhost:${port}` } }, (res) => {
      Object.assign(seen, { status: res.statusCode, code: res.headers["x-vercel-sim"] });
      res.on("data", () => {});
      res.on("end", () => (seen.isWhole = res.complete));
      res.on("error", () => {});
      res.on("close", () => done(seen));
    });
    req.on("upgrade", (_, socket) => socket.destroy());
    req.on("error", (error) => done({ ...seen, error: error.code }));
    req.setTimeout(60_000, () => req.destroy(new Error("no outcome in a minute")));
    if (leave) setTimeout(() => req.destroy(), leave);
    req.end(body);
  });
}

const kMix = [
  { how: "fast" },
  { how: "slow" },
  { how: "stream" },
  { how: "upload", method: "POST", body: "x".repeat(100_000) },
  { how: "page", path: "/time" },
];

class Load {
  outcomes = [];
  #isOver = false;

  constructor(sim, mix = kMix) {
    const worker = async (i) => {
      while (!this.#isOver) this.outcomes.push(await ask(sim.port, ++Load.n, mix[i++ % mix.length]));
    };
    this.workers = Promise.all(Array.from({ length: kAtOnce }, (_, i) => worker(i)));
  }
  async stop() {
    this.#isOver = true;
    await within(70_000, "an outcome for each client", this.workers);
    return this.outcomes;
  }
  static n = 0;
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const instances = (sim) => sim.alive().filter(({ command }) => /instance\.cjs/.test(command));
const nextDev = (sim) => sim.alive().find(({ command }) => /next-server|start-server/.test(command));
const signal = (pid, name) => {
  try {
    process.kill(pid, name);
  } catch {
    // gone meanwhile
  }
};
const guardian = (sim) =>
  readdirSync("/proc").filter((pid) => /^\d+$/.test(pid)).find((pid) => {
    try {
      const parent = readFileSync(`/proc/${pid}/stat`, "latin1").replace(/^.*\) \S+ /s, "").split(" ")[0];
      return Number(parent) === sim.process.pid && readFileSync(`/proc/${pid}/cmdline`, "latin1").startsWith("vercel-sim\0__guardian");
    } catch {
      return false;
    }
  });

async function stopFor(pid, ms) {
  signal(pid, "SIGSTOP");
  await pause(ms);
  signal(pid, "SIGCONT");
}

// name → {break(sim, app), mix, inCi}
const kFaults = {
  "nothing": { break: () => pause(kLoadMs), inCi: true },
  "instances are killed": {
    inCi: true,
    async break(sim) {
      for (const end = performance.now() + kLoadMs; performance.now() < end; await pause(400)) for (const { pid } of instances(sim).slice(0, 1)) signal(pid, "SIGKILL");
    },
  },
  "instances stand still for a second": {
    async break(sim) {
      for (const end = performance.now() + kLoadMs; performance.now() < end; await pause(200)) for (const { pid } of instances(sim).slice(0, 1)) await stopFor(pid, 1_000);
    },
  },
  "next dev is killed": {
    async break(sim) {
      const from = sim.output.text.length;
      await pause(500);
      signal(nextDev(sim).pid, "SIGKILL");
      await sim.output.waitFor(/Ready in/, 60_000, from);
      await pause(kLoadMs);
    },
  },
  "next dev stands still for a second": { break: (sim) => stopFor(nextDev(sim).pid, 1_000) },
  "the guardian is killed": {
    async break(sim) {
      signal(Number(guardian(sim)), "SIGKILL");
      await pause(kLoadMs);
    },
  },
  "no file descriptor is left": {
    async break(sim) {
      const prlimit = (n) => execFileSync("prlimit", ["--pid", String(sim.process.pid), `--nofile=${n}:`]);
      const open = readdirSync(`/proc/${sim.process.pid}/fd`).length;
      const before = execFileSync("prlimit", ["--pid", String(sim.process.pid), "--nofile", "--output=SOFT", "--noheadings"]).toString().trim();
      prlimit(open);
      await pause(kLoadMs);
      prlimit(before);
    },
  },
  "nobody reads what it prints": {
    async break(sim) {
      for (const stream of [sim.process.stdout, sim.process.stderr]) stream.pause();
      await pause(kLoadMs);
      for (const stream of [sim.process.stdout, sim.process.stderr]) stream.resume();
    },
  },
  "the function is edited again and again": {
    inCi: true,
    async break(_, app) {
      for (let i = 0; i < (kFull ? 20 : 4); i += 1) {
        await editFile(join(app, "app/api/mix/route.ts"), "export const dynamic", `// ${i}\nexport const dynamic`);
        await pause(kLoadMs / 10);
      }
    },
  },
  "user code fights": { mix: [...kMix, { how: "exit" }, { how: "throw" }, { how: "fast" }], break: () => pause(kLoadMs) },
  "clients leave": { mix: [...kMix, { how: "hang", leave: 100 }, { how: "stream", leave: 120 }], break: () => pause(kLoadMs), inCi: true },
};

// The outcome that the events tell of each request, beside what its client saw. Empty: they agree.
function disagreements(sim, outcomes) {
  const ends = new Map();
  for (const event of sim.events()) {
    const n = event.t === "invocation_ended" ? Number(/[?&]n=(\d+)/.exec(event.target)?.[1]) : NaN;
    if (n) ends.set(n, [...(ends.get(n) ?? []), event]);
  }
  const wrong = [];
  for (const seen of outcomes) {
    const told = ends.get(seen.n) ?? [];
    const say = (what) => wrong.push(`${what}: client ${JSON.stringify(seen)}, events ${JSON.stringify(told.map(({ status, ended_by, code }) => ({ status, ended_by, code })))}`);
    if (told.length > 1) say("more than one outcome");
    // The app was not there to be asked, or the connection was never taken: nothing is counted.
    else if (told.length === 0) (seen.status !== undefined && seen.code !== "SIM_NOT_READY") && say("no outcome");
    else if (seen.status === undefined) told[0].ended_by === "function" && !seen.leave && seen.error !== "ECONNRESET" && say("told as answered, and nobody heard it");
    else if (told[0].status !== seen.status) say("another status");
    else if (!seen.isWhole && told[0].ended_by === "function" && !seen.how.match(/stream|hang/)) say("told as whole, and cut");
    else if (seen.isWhole && ["client", "emulator"].includes(told[0].ended_by) && !seen.code) say("told as left, and heard to the end");
  }
  return wrong;
}

const descriptors = (sim) => readdirSync(`/proc/${sim.process.pid}/fd`).length;
const memory = (sim) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${sim.process.pid}/status`, "utf8"))[1]) / 1024;

for (const profile of kFull ? ["hobby", "hobby-fluid"] : ["hobby-fluid"]) {
  describe(`Faults: ${profile}`, { timeout: kFull ? 900_000 : 300_000 }, () => {
    let app;
    let sim;
    let before_;
    before(async () => {
      app = await copyApp(kFiles);
      sim = await startSim(["--profile", profile], { cwd: app });
      for (const one of kMix) assert.equal((await ask(sim.port, ++Load.n, one)).status, 200, one.how);
    });
    after(cleanUp);

    for (const [name, fault] of Object.entries(kFaults)) {
      test(`Faults: ${profile}: ${name}: one outcome for each, the same for client and events`, { skip: !kFull && !fault.inCi && "VSIM_FULL=1 runs it" }, async () => {
        const load = new Load(sim, fault.mix);
        await fault.break(sim, app);
        const outcomes = await load.stop();
        assert.ok(outcomes.length >= kAtOnce, `${outcomes.length} requests only`);
        let wrong = [];
        await eventually("the events agree", 10_000, () => (wrong = disagreements(sim, outcomes)).length === 0).catch(() => assert.fail(wrong.slice(0, 10).join("\n")));
        if (name === "nothing") assert.deepEqual(outcomes.filter(({ status, isWhole }) => status !== 200 || !isWhole), []);
        await eventually("it serves again", 30_000, async () => (await ask(sim.port, ++Load.n, { how: "fast" })).status === 200).catch(({ message }) => {
          assert.fail(`${message}; printed last:\n${sim.output.text.slice(-3_000)}`);
        });
        before_ ??= { descriptors: descriptors(sim), memory: memory(sim) };
        await eventually(`descriptors back to ${before_.descriptors}`, 15_000, () => descriptors(sim) <= before_.descriptors + 8);
        assert.ok(memory(sim) < before_.memory + 24, `${memory(sim)} MiB, ${before_.memory} before`);
      });
    }

    test(`Faults: ${profile}: nothing is left at the end`, async () => {
      assert.deepEqual((await sim.stop()).left, []);
    });
  });
}
