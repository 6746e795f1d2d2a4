// What is broken, one thing at a time, while a run on next dev serves. Each is done to `run` for about `hold` milliseconds and mended again.
import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { editFile } from "../e2e/harness.mjs";
import { noClock, setClock } from "./clock.mjs";
import { descriptors, guardianOf, isAlive, isStopped, signal } from "./meters.mjs";

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function again(hold, every, act) {
  for (const end = performance.now() + hold; performance.now() < end; await pause(every)) await act();
}

async function stopFor(pid, ms) {
  if (pid && signal(pid, "SIGSTOP")) {
    await pause(ms);
    signal(pid, "SIGCONT");
  }
}

const processes = (run, pattern) => run.sim.alive().filter(({ command }) => pattern.test(command)).map(({ pid }) => pid);
const nextDev = (run) => processes(run, /next-server|start-server/)[0];

// One of the instances that serve now, or of all that live.
function instance(run) {
  const alive = [...run.log.instances].filter(([, state]) => state !== "dead").map(([name, state]) => ({ state, pid: run.log.pids.get(name) }));
  const leased = alive.filter(({ state }) => state === "leased");
  const from = (leased.length ? leased : alive).filter(({ pid }) => pid && isAlive(pid));
  return from[Math.floor(run.random() * from.length)]?.pid;
}

// name → {break(run, hold), skip?(run): why it cannot be done, extra?: kinds that are mixed in, isCalm?: everybody is served as if nothing were, isOurs?: who is not served gets a 503 of ours}
export const kFaults = {
  "nothing": { break: (_, hold) => pause(hold), isCalm: true },
  "instances are killed": { break: (run, hold) => again(hold, 400, () => signal(instance(run), "SIGKILL")) },
  "instances stand still for a second": { break: (run, hold) => again(hold, 200, () => stopFor(instance(run), 1_000)) },
  "an instance is frozen for good": {
    async break(run, hold) {
      signal(instance(run), "SIGSTOP");
      await pause(hold);
    },
  },
  "next dev is killed": {
    async break(run, hold) {
      const from = run.sim.output.text.length;
      signal(nextDev(run), "SIGKILL");
      await run.sim.output.waitFor(/Ready in/, 90_000, from);
      await pause(hold);
    },
  },
  "next dev stands still for two seconds": { break: (run) => stopFor(nextDev(run), 2_000) },
  "the template is killed": {
    skip: (run) => (run.forks ? undefined : "instances are no copies (--set instances.fork=off, or they cannot be copied here)"),
    async break(run, hold) {
      for (const pid of processes(run, /template\.cjs/).slice(0, 1)) signal(pid, "SIGKILL");
      await pause(hold);
    },
  },
  "the program stands still for two seconds": { break: (run) => stopFor(run.sim.process.pid, 2_000) },
  // As under a closed lid. The program first: it stops and wakes instances itself, and those that it has stopped stay so.
  "everything stands still for two seconds": {
    async break(run) {
      const { pid: program } = run.sim.process;
      const all = () => run.sim.alive().filter(({ pid }) => !isStopped(pid)).map(({ pid }) => pid);
      signal(program, "SIGSTOP");
      const others = all().filter((pid) => signal(pid, "SIGSTOP"));
      await pause(2_000);
      for (const pid of [...others, program]) signal(pid, "SIGCONT");
    },
  },
  // As after a laptop's sleep, or when the time is set: back by an hour, then ahead by a day.
  "the wall clock jumps": {
    skip: noClock,
    isCalm: true,
    async break(run, hold) {
      const pids = () => run.sim.alive().map(({ pid }) => pid);
      for (const seconds of [-3_600, 86_400]) {
        const back = await setClock(pids, seconds);
        try {
          await pause(hold / 2);
          const wall = await run.wallNow();
          if (Math.abs(wall - Date.now() - seconds * 1000) > 60_000) throw new Error(`the clock of the program has not jumped by ${seconds} s`);
        } finally {
          await back();
        }
        await pause(hold / 4);
      }
    },
  },
  "no file descriptor is left": {
    isOurs: true,
    async break(run, hold) {
      const { pid } = run.sim.process;
      const limit = (n) => execFileSync("prlimit", ["--pid", String(pid), `--nofile=${n}:`]);
      const before = execFileSync("prlimit", ["--pid", String(pid), "--nofile", "--output=SOFT", "--noheadings"]).toString().trim();
      limit(descriptors(pid) - Math.floor(run.random() * 12)); // what is open stays open
      await pause(hold);
      limit(before);
    },
  },
  "nobody reads what it prints": {
    async break(run, hold) {
      const streams = [run.sim.process.stdout, run.sim.process.stderr];
      for (const stream of streams) stream.pause();
      await pause(hold);
      for (const stream of streams) stream.resume();
    },
  },
  "the events file is removed": {
    async break(run, hold) {
      rmSync(run.sim.eventsFile, { force: true }); // the rig goes on with the file that it has open
      await pause(hold / 2);
      writeFileSync(run.sim.eventsFile, "");
      await pause(hold / 2);
    },
  },
  "the function is edited again and again": {
    break: (run, hold) =>
      again(hold, 400, async () => {
        const version = run.version++;
        await editFile(join(run.app, "app/api/mix/route.ts"), `kVersion = ${version};`, `kVersion = ${version + 1};`);
      }),
  },
  "user code ends its process": { extra: ["exit", "throw", "reject", "broken"].map((how) => ({ how })), break: (_, hold) => pause(hold) },
  "user code takes what it can": { extra: ["loop", "memory", "many lines", "empty tmp"].map((how) => ({ how, weight: 0.5 })), break: (_, hold) => pause(hold) },
  "clients leave": {
    extra: [{ how: "hang", leave: 100 }, { how: "sse", leave: 120 }, { how: "stream", leave: 15 }, { how: "slow", leave: 50 }],
    break: (_, hold) => pause(hold),
  },
  "the guardian is killed": {
    async break(run, hold) {
      signal(guardianOf(run.sim.process.pid), "SIGKILL");
      await pause(hold);
    },
  },
};
