// What every end-to-end test needs: a copy of the example app, plain `next dev` or vercel-sim in front of it, a browser, and a way to wait
// for what was printed, written or served, always with a deadline. Whatever is started here carries a mark in its environment, so that
// "nothing is left" can be asked of the whole machine.
import { spawn, execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { closeSync, existsSync, fstatSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify, stripVTControlCharacters } from "node:util";
import { chromium } from "playwright-core";

const run = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));

export const kRepo = resolve(here, "../..");
export const kApp = join(kRepo, "fixtures/apps/chat");
export const kBin = resolve(process.env.VSIM_BIN ?? join(kRepo, "build/vercel-sim"));
export const kFull = process.env.VSIM_FULL === "1";
// VSIM_E2E_SPAWN=1: instances are started one by one in every test, as where they cannot be copied.
const kSpawned = process.env.VSIM_E2E_SPAWN === "1" ? ["--set", "instances.fork=off"] : [];

const kReadyMs = 90_000; // a cold `next dev` on two busy cores
const kStopMs = 15_000;

// ---------------------------------------------------------------- waiting

export async function within(ms, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

// For facts that announce themselves to nobody (a file, /proc, a port): asks until the probe answers something truthy.
export async function eventually(what, ms, probe) {
  const end = performance.now() + ms;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (performance.now() > end) throw new Error(`${what}: not within ${ms} ms`);
    await new Promise((done) => setTimeout(done, 40));
  }
}

// The next event of that name on an emitter or an EventTarget.
export function once(emitter, name) {
  const add = emitter.once?.bind(emitter) ?? ((event, call) => emitter.addEventListener(event, call, { once: true }));
  return new Promise((done) => add(name, done));
}

// The lines a process printed, without colours.
class Output {
  #waiting = new Set();
  text = "";

  add(chunk) {
    this.text += stripVTControlCharacters(chunk).replaceAll("\r\n", "\n");
    for (const check of this.#waiting) check();
  }

  // The match of `pattern` in what was printed after `from` characters.
  waitFor(pattern, ms, from = 0) {
    let check;
    const found = new Promise((done) => {
      check = () => {
        const match = this.text.slice(from).match(pattern);
        if (match) done(match);
      };
      this.#waiting.add(check);
      check();
    });
    return within(ms, `output like ${pattern}`, found)
      .catch((error) => {
        throw new Error(`${error.message}; printed so far:\n${this.text.slice(-4_000)}`);
      })
      .finally(() => this.#waiting.delete(check));
  }
}

// ---------------------------------------------------------------- the app

const kParity = join(kRepo, "parity");
const folders = new Set();

export async function tempFolder(name) {
  // Short on purpose: unix sockets below it must fit into 108 bytes.
  const folder = await mkdtemp(join(tmpdir(), `vs-${name}-`));
  folders.add(folder);
  return folder;
}

// A copy of the example app that tests may edit and that has a dev lock of its own. The packages are hard links: Turbopack follows no link
// that leads out of the project. `files` are written over the copy: path to content.
export const copyApp = (files = {}) => copyOf(kApp, files);
// The app of probes, whose packages are those of the example.
export const copyParity = () => copyOf(kParity, {});

async function copyOf(app, files) {
  if (!existsSync(join(kApp, "node_modules/next/package.json"))) {
    throw new Error(`no packages in ${relative(process.cwd(), kApp) || kApp}: run \`npm ci\` there first`);
  }
  const folder = join(await tempFolder("app"), "chat");
  const skipped = new Set(["node_modules", ".next"]);
  await cp(app, folder, { recursive: true, filter: (from) => !skipped.has(relative(app, from).split("/")[0]) });
  const packages = [join(kApp, "node_modules"), join(folder, "node_modules")];
  await run("cp", ["-al", ...packages]).catch(async () => {
    await rm(packages[1], { recursive: true, force: true });
    await run("cp", ["-a", ...packages]); // another file system
  });
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}

// Whether this machine cannot show what a test is about, for the reason that vercel-sim itself has given: the test is skipped with it.
export function isNotHere(t, why) {
  if (why) t.skip(`not here: ${why}`);
  return Boolean(why);
}

// In one step: Next may read a file between its truncation and its text (tests/agent/harness.mjs).
export async function editFile(path, from, to) {
  const text = await readFile(path, "utf8");
  if (!text.includes(from)) throw new Error(`${path} does not say ${JSON.stringify(from)}`);
  await writeFile(`${path}~`, text.replace(from, to));
  await rename(`${path}~`, path);
}

// ---------------------------------------------------------------- processes

const kMark = "VSIM_E2E_MARK";

// Processes anywhere on the machine whose environment carries the mark.
function marked(mark) {
  const found = [];
  for (const pid of readdirSync("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      if (!readFileSync(`/proc/${pid}/environ`, "latin1").includes(`${kMark}=${mark}`)) continue;
      if (/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "latin1"))) continue;
      found.push({ pid: Number(pid), command: readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ").trim() });
    } catch {
      // gone meanwhile, or another user's
    }
  }
  return found;
}

// Everything in a temp folder but the one empty folder that all runs of a user share.
async function filesBelow(folder) {
  for (;;) {
    try {
      return (await readdir(folder, { recursive: true })).filter((path) => !/^vercel-sim(-\d+)?$/.test(path));
    } catch (error) {
      if (error.code !== "ENOENT" || !existsSync(folder)) throw error;  // else what is below it goes just now
    }
  }
}

const running = new Set();

export class Child {
  constructor(command, args, { cwd, env = {}, temp, input = "ignore" }) {
    this.mark = randomUUID();
    this.temp = temp;
    this.output = new Output();
    const inherited = { ...process.env };
    for (const name of ["PORT", "NODE_OPTIONS", "NODE_TEST_CONTEXT", "NODE_ENV"]) delete inherited[name];
    this.process = spawn(command, args, {
      cwd,
      detached: true,
      stdio: [input, "pipe", "pipe"],
      env: { ...inherited, NEXT_TELEMETRY_DISABLED: "1", ...(temp && { TMPDIR: temp, XDG_RUNTIME_DIR: temp }), ...env, [kMark]: this.mark },
    });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream.setEncoding("utf8");
      stream.on("data", (chunk) => this.output.add(chunk));
    }
    this.exited = new Promise((done, fail) => {
      this.process.once("error", fail);
      this.process.once("exit", (code, signal) => done({ code, signal }));
    });
    running.add(this);
  }

  alive() {
    return marked(this.mark);
  }

  // Asks it to stop and answers how it ended, which processes outlived it, and what it left in its temp folder.
  async stop(signal = "SIGINT") {
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill(signal);
    try {
      const end = await within(kStopMs, `exit after ${signal}`, this.exited);
      let left = [];
      await eventually("no process left", 3_000, () => (left = this.alive()).length === 0).catch(() => {});
      return { ...end, left, files: this.temp ? await filesBelow(this.temp) : [] };
    } catch (error) {
      throw new Error(`${error.message}; still there: ${JSON.stringify(this.alive())}; printed last:\n${this.output.text.slice(-3_000)}`);
    } finally {
      this.kill();
    }
  }

  kill() {
    for (const { pid } of this.alive()) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // gone
      }
    }
    running.delete(this);
  }
}

// Whatever a failed test left behind.
export async function cleanUp() {
  for (const child of [...running]) child.kill();
  for (const folder of folders) await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  folders.clear();
}

process.on("exit", () => {
  for (const child of running) child.kill();
});

// ---------------------------------------------------------------- servers

export async function freePort() {
  const server = createServer().listen(0);
  await once(server, "listening");
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

// True when something accepts on the port.
export function listens(port, host = "localhost") {
  return new Promise((done) => {
    const socket = connect({ port, host });
    socket.once("connect", () => {
      socket.destroy();
      done(true);
    });
    socket.once("error", () => done(false));
  });
}

export async function startNextDev(cwd, { port } = {}) {
  const chosen = port ?? (await freePort());
  const child = new Child(process.execPath, [join(cwd, "node_modules/next/dist/bin/next"), "dev", "-p", String(chosen)], { cwd });
  await child.output.waitFor(/Ready in/, kReadyMs);
  return Object.assign(child, { port: chosen, url: `http://localhost:${chosen}` });
}

export function spawnSim(args, { cwd, env, temp }) {
  if (!existsSync(kBin)) throw new Error(`no program at ${kBin}: build it first (cmake --build build), or name another in VSIM_BIN`);
  return new Child(kBin, args, { cwd, env, temp });
}

// script(1) makes a terminal for what it runs, and its input is what is typed there: at its end it types Ctrl-D, so it stays open.
export function spawnOnTerminal(args, { cwd, env, temp }) {
  const line = [kBin, ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
  const child = new Child("script", ["-qec", `stty cols 200; exec ${line}`, "/dev/null"], { cwd, env: { TERM: "xterm", SHELL: "/bin/sh", ...env }, temp, input: "pipe" });
  return Object.assign(child, { press: (keys) => child.process.stdin.write(keys) });
}

export async function startSim(args, { cwd, env, scheme = "http", terminal = false } = {}) {
  const temp = await tempFolder("t");
  const eventsFile = join(await tempFolder("ev"), "events.jsonl");
  const child = (terminal ? spawnOnTerminal : spawnSim)(["run", "--port", "0", "--events", eventsFile, ...kSpawned, ...args], { cwd, env, temp });
  const ready = child.output.waitFor(new RegExp(`^vercel-sim ready on ${scheme}://localhost:(\\d+) \\(profile ([\\w-]+), as of ([^)]+)\\)$`, "m"), kReadyMs);
  const early = child.exited.then(({ code }) => {
    throw new Error(`vercel-sim ended with ${code} before it was ready; printed:\n${child.output.text}`);
  });
  for (const promise of [ready, early]) promise.catch(() => {}); // the one that comes second is nobody's
  const match = await Promise.race([ready, early]);
  const port = Number(match[1]);
  const events = eventReader(eventsFile);
  return Object.assign(child, {
    port,
    url: `${scheme}://localhost:${port}`,
    profile: match[2],
    eventsFile,
    events,
    // The instance that gave an answer has been given back. That is a little later than its answer has come: a request before that meets another.
    rest: (headers) =>
      eventually(`the instance of ${headers.get("x-vercel-id")} at rest`, 20_000, () => {
        const { instance } = events().find(isEnd({ request_id: headers.get("x-vercel-id") })) ?? {};
        const last = instance && events().findLast((event) => event.t === "instance_changed" && event.instance === instance);
        return last && last.to !== "leased";
      }),
    waitForEvent: (what, matches, ms = 5_000) => eventually(`event: ${what}`, ms, () => events().find(matches)),
  });
}

// All events so far; each call reads only what was written since the last one.
function eventReader(file) {
  const events = [];
  let at = 0;
  return () => {
    if (!existsSync(file)) return events;
    const fd = openSync(file, "r");
    try {
      const chunk = Buffer.alloc(fstatSync(fd).size - at);
      const end = chunk.subarray(0, readSync(fd, chunk, 0, chunk.length, at)).lastIndexOf("\n") + 1; // behind it: a line that is being written
      for (const line of chunk.toString("utf8", 0, end).split("\n")) if (line) events.push(JSON.parse(line));
      at += end;
      return events.slice();
    } finally {
      closeSync(fd);
    }
  };
}

// A predicate for the event that ends an invocation whose members equal those of `wanted`.
export const isEnd = (wanted) => (event) => event.t === "invocation_ended" && Object.entries(wanted).every(([key, value]) => event[key] === value);

// ---------------------------------------------------------------- clients

export async function startBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

// A request with its timing: `ms` until the head, `total` until the end of the body; `cut` when the body ended in an error.
export async function request(url, options = {}) {
  const begun = performance.now();
  const response = await fetch(url, { redirect: "manual", ...options });
  const ms = performance.now() - begun;
  let text = "";
  let cut = null;
  const decoder = new TextDecoder();
  try {
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true });
  } catch (error) {
    cut = error;
  }
  return { status: response.status, headers: response.headers, text, cut, ms, total: performance.now() - begun };
}

export async function curl(...args) {
  const begun = performance.now();
  const result = await run("curl", ["--silent", "--show-error", "--no-buffer", ...args], { maxBuffer: 64e6 }).catch((error) => error);
  return { code: result.code ?? 0, stdout: result.stdout, stderr: result.stderr, ms: performance.now() - begun };
}
