// Faults that end a run, or that need one of their own: the whole program and what stands around it. In front of a small server, so that one takes
// a second or two.
import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, constants, existsSync, openSync, readFileSync, readSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually, kBin, listens, spawnOnTerminal, spawnSim, tempFolder, within } from "../e2e/harness.mjs";
import { kServer } from "./app.mjs";
import { disagreements, EventLog } from "./compare.mjs";
import { kMix, Load } from "./load.mjs";
import { connections, signal } from "./meters.mjs";
import { noProcess } from "./no_process.mjs";

const kReady = /vercel-sim ready on http:\/\/localhost:(\d+)/;
const kHere = ["fast", "slow", "sse", "stream", "upload"];
const kLong = [{ how: "endless" }, { how: "long" }];
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// What is in a file of events, but for a last line that was not finished.
export function logOf(text) {
  const log = new EventLog();
  for (const line of text.slice(0, text.lastIndexOf("\n") + 1).split("\n")) if (line) log.add(JSON.parse(line));
  return log;
}

class Side {
  static async start({ seed, rate }, { events, spawn = spawnSim } = {}) {
    const folder = await tempFolder("f");
    writeFileSync(join(folder, "server.cjs"), kServer);
    const eventsFile = events ?? join(folder, "events.jsonl");
    const side = new Side();
    const args = ["run", "--port", "0", "--events", eventsFile, "--app", "exec node server.cjs"];
    Object.assign(side, { folder, eventsFile, child: spawn(args, { cwd: folder, temp: await tempFolder("t") }) });
    side.child.exited.catch(() => {});
    side.port = Number((await side.child.output.waitFor(kReady, 60_000))[1]);
    side.load = new Load({ port: side.port, rate, seed, mix: kMix.filter(({ how }) => kHere.includes(how)) });
    return side;
  }
  get program() {
    return this.child.alive().find(({ command }) => command.startsWith(`${kBin} run`))?.pid;
  }
  // What is still there when the run is over.
  async left() {
    const wrong = [];
    let alive = [];
    await eventually("no process is left", 5_000, () => (alive = this.child.alive()).length === 0).catch(() => wrong.push(`processes are left: ${JSON.stringify(alive)}`));
    if (await listens(this.port)) wrong.push(`port ${this.port} is still taken`);
    if (connections(this.port)) wrong.push(`${connections(this.port)} connections are left`);
    return wrong;
  }
  async finish({ text = readFileSync(this.eventsFile, "utf8"), mayBeLost = false } = {}) {
    await this.load.pause();
    return [...disagreements(this.load.outcomes, logOf(text), { mayBeLost }), ...(await this.left())];
  }
}

// With streams that do not end by themselves, so that the end of the run meets some.
async function underLoad(side, hold) {
  side.load.start();
  side.load.extra = kLong.map((kind) => ({ ...kind, weight: 2 }));
  for (const kind of kLong) side.load.one(kind);
  await pause(hold);
}

async function stopWith(name, side, hold) {
  await underLoad(side, hold);
  signal(side.program, name);
  const { code } = await within(15_000, `the end after ${name}`, side.child.exited);
  const wrong = await side.finish();
  const cut = side.load.outcomes.filter(({ how, status, isWhole }) => how === "endless" && status === 200 && !isWhole);
  if (!cut.length) wrong.push("no stream was cut by the end");
  return [...wrong, ...(code === 0 ? [] : [`it ended with ${code}`])];
}

// name → async (options, hold) → what is wrong; {skip: why} when this machine cannot do it
export const kSides = {
  "no process can be made": noProcess,

  "it is stopped in the midst of everything": async (options, hold) => stopWith("SIGTERM", await Side.start(options), hold),

  async "the program is killed"(options, hold) {
    const side = await Side.start(options);
    await underLoad(side, hold);
    const port = side.port;
    signal(side.program, "SIGKILL");
    await side.child.exited;
    await eventually("clients hear of it", 5_000, () => connections(port) === 0);
    return side.finish({ mayBeLost: true });
  },

  async "the terminal is closed"(options, hold) {
    if (spawnSync("script", ["--version"]).status !== 0) return { skip: "no script(1)" };
    const side = await Side.start(options, { spawn: spawnOnTerminal });
    await underLoad(side, hold);
    const { program } = side;
    signal(side.child.process.pid, "SIGKILL");
    await eventually("the program ends", 15_000, () => !existsSync(`/proc/${program}`));
    const wrong = await side.finish();
    if (!readFileSync(side.eventsFile, "utf8").includes('"t":"run_stopped"')) wrong.push("the end of the run is not told");
    return wrong;
  },

  async "nobody can read what it prints"(options, hold) {
    const side = await Side.start(options);
    side.load.start();
    for (const stream of [side.child.process.stdout, side.child.process.stderr]) stream.destroy();
    await pause(hold);
    await side.load.pause();
    const bad = side.load.outcomes.filter(({ status, isWhole }) => status !== 200 || !isWhole);
    signal(side.program, "SIGTERM");
    await within(15_000, "the end after SIGTERM", side.child.exited);
    return [...bad.map((seen) => `not served: ${JSON.stringify(seen)}`), ...(await side.finish())];
  },

  async "the reader of the events leaves"(options, hold) {
    const pipe = join(await tempFolder("p"), "events");
    execFileSync("mkfifo", [pipe]);
    let text = "";
    let isOpen = true;
    const fd = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
    const reader = setInterval(() => {
      const part = Buffer.alloc(1 << 16);
      try {
        for (let got; (got = readSync(fd, part, 0, part.length)); ) text += part.toString("utf8", 0, got);
      } catch (error) {
        if (error.code !== "EAGAIN") throw error;
      }
    }, 10);
    const leave = () => {
      clearInterval(reader);
      if (isOpen) closeSync(fd);
      isOpen = false;
    };
    try {
      const side = await Side.start(options, { events: pipe });
      side.load.start();
      await pause(hold / 2);
      leave();
      await pause(hold / 2);
      await side.load.pause();
      const bad = side.load.outcomes.filter(({ status, isWhole }) => status !== 200 || !isWhole);
      signal(side.program, "SIGTERM");
      await within(15_000, "the end after SIGTERM", side.child.exited);
      const wrong = bad.map((seen) => `not served: ${JSON.stringify(seen)}`);
      if (!logOf(text).ends.size) wrong.push("nothing came through the pipe");
      return [...wrong, ...(await side.finish({ text, mayBeLost: true }))];
    } finally {
      leave();
    }
  },

  async "the disk under the events is full"(options, hold) {
    const disk = await tempFolder("d");
    if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", disk]).status !== 0) return { skip: "no tmpfs can be mounted" };
    try {
      const side = await Side.start(options, { events: join(disk, "events.jsonl") });
      side.load.start();
      await pause(hold);
      spawnSync("dd", ["if=/dev/zero", `of=${disk}/filler`, "bs=1k", "count=100", "status=none"]);
      const said = side.child.output.waitFor(/No space left on device/, 10_000);
      const told = await said.then(() => [], () => ["a full disk is not told when it happens"]);
      await side.load.pause();
      const bad = side.load.outcomes.filter(({ status, isWhole }) => status !== 200 || !isWhole);
      signal(side.program, "SIGTERM");
      const { code } = await within(15_000, "the end after SIGTERM", side.child.exited);
      if (code !== 70) told.push(`it ended with ${code}, though events are lost`);
      const wrong = await side.finish({ mayBeLost: true });
      return [...told, ...bad.map((seen) => `not served: ${JSON.stringify(seen)}`), ...wrong];
    } finally {
      spawnSync("umount", [disk]);
    }
  },
};
