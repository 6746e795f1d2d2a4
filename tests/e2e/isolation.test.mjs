// A fresh instance for each invocation, in front of a real `next dev`: what one remembers is not there for another, and what ends one ends nothing
// else. The other policies: reused_instances.test.mjs, fluid_instances.test.mjs; docs/isolation.md says the same in words.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { io } from "socket.io-client";
import { cleanUp, copyApp, editFile, eventually, isEnd, listens, once, request, startSim, within } from "./harness.mjs";
import { instances, json, kCrashes, kKept } from "./isolation_app.mjs";

const kSelf = `
export const dynamic = "force-dynamic";
export async function GET(request: Request) {
  const url = new URL(request.url);
  const depth = Number(url.searchParams.get("depth") ?? 0);
  const below = depth > 0 ? await (await fetch(\`\${url.origin}/api/self?depth=\${depth - 1}\`)).json() : [];
  return Response.json([process.pid, ...below]);
}
`;
const kSettings = `
export const dynamic = "force-dynamic";
export function GET() {
  const names = ["VERCEL", "VERCEL_REGION", "VERCEL_URL", "VERCEL_ENV", "TZ", "NODE_ENV", "FROM_DOTENV", "AWS_SECRET_ACCESS_KEY"];
  const ours = Object.keys(process.env).filter((name) => /^VSIM_(?!BIN|E2E)/.test(name));
  return Response.json({ ...Object.fromEntries(names.map((name) => [name, process.env[name] ?? null])), ours, cwd: process.cwd() });
}
`;
// What a bad package would try: the token of this run (others may run beside it), wherever it is written, and a word in the agent's name.
const kSpy = `
import { readFileSync, readdirSync } from "node:fs";
import net from "node:net";
export const dynamic = "force-dynamic";
const environ = (pid: string) => {
  try {
    return Object.fromEntries(readFileSync(\`/proc/\${pid}/environ\`, "latin1").split("\\0").map((line) => [line.split("=")[0], line.slice(line.indexOf("=") + 1)]));
  } catch {
    return {};
  }
};
export async function GET() {
  const own = Object.keys(environ("self")).filter((name) => name === "VSIM_TOKEN");
  const next = readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name)).map(environ).find((found) => found.VSIM_TOKEN && found.VSIM_AGENT_SOCKET && found.VSIM_E2E_MARK === process.env.VSIM_E2E_MARK);
  if (!next) return Response.json({ own, found: false });
  const hello = { t: "hello", pid: 1, next: "99", bundler: "webpack", missing: [], exec: "/bin/true", isolation: { ok: false, missing: ["forged"] } };
  const heard = await new Promise((done) => {
    const socket = net.connect(next.VSIM_AGENT_SOCKET);
    socket.on("error", () => done("refused")).on("close", () => done("put out"));
    socket.write(next.VSIM_TOKEN + "\\n" + JSON.stringify(hello) + "\\n");
    setTimeout(() => done("believed"), 5000).unref();
  });
  return Response.json({ own, found: true, heard });
}
`;
const kLoud = `
export const dynamic = "force-dynamic";
export function GET() {
  for (let i = 0; i < 5000; i += 1) console.log(i + " " + "x".repeat(1000));
  console.log("the last line of five thousand");
  return Response.json({ ok: true });
}
`;
// As Socket.IO's examples do it in pages/api.
const kOnServer = `
export default function handler(req: any, res: any) {
  const { server } = res.socket;
  const isNew = !server.io;
  if (isNew) server.io = { rooms: new Map() };
  res.json({ isNew });
}
`;
const kFiles = {
  "pages/api/on-server.ts": kOnServer,
  "app/api/crash/route.ts": kCrashes,
  "app/api/self/route.ts": kSelf,
  "app/api/settings/route.ts": kSettings,
  "app/api/kept/route.ts": kKept,
  "app/api/spy/route.ts": kSpy,
  "app/api/loud/route.ts": kLoud,
  ".env": "FROM_DOTENV=yes\nVERCEL_ENV=mine\n",
};

describe("Isolation: a fresh instance for each invocation", { timeout: 400_000 }, () => {
  let app;
  let sim;

  before(async () => {
    app = await copyApp(kFiles);
    sim = await startSim(["--profile", "hobby"], { cwd: app });
  });
  after(cleanUp);

  test("Isolation: the counter answers 1 every time, each from an instance of its own", async () => {
    for (let i = 0; i < 3; i += 1) assert.deepEqual(await json(`${sim.url}/api/counter`), { count: 1 });
    const ends = await eventually("three ends", 5_000, () => {
      const found = sim.events().filter(isEnd({ target: "/api/counter" }));
      return found.length === 3 && found;
    });
    assert.equal(new Set(ends.map((end) => end.instance)).size, 3);
    await sim.output.waitFor(/\/api\/counter 200 in \S+ i\d+ cold/, 5_000);
    assert.equal(sim.events().find((event) => event.t === "run_started").isolation, "invocation");
  });

  test("Isolation: a room that one request makes is not there for another", async () => {
    const made = await request(`${sim.url}/api/rooms`, { method: "POST", body: JSON.stringify({ name: "tea" }) });
    assert.equal(made.status, 201);
    assert.deepEqual(await json(`${sim.url}/api/rooms`), { rooms: [] });
  });

  test("Isolation: Socket.IO through a route opens a session that no other request knows", async () => {
    const open = await request(`${sim.url}/api/socket?EIO=4&transport=polling`);
    assert.equal(open.status, 200);
    const { sid } = JSON.parse(open.text.slice(1));
    const next = await request(`${sim.url}/api/socket?EIO=4&transport=polling&sid=${sid}`);
    assert.equal(next.status, 400);
    assert.deepEqual(JSON.parse(next.text), { code: 1, message: "Session ID unknown" });
    await sim.output.waitFor(/SIM_STATE_NOT_SHARED/, 5_000);
  });

  test("Isolation: a Socket.IO client that polls never gets a message through", async () => {
    const socket = io(sim.url, { path: "/api/socket", transports: ["polling"], reconnection: false });
    const ended = await within(30_000, "an end of the connection", Promise.race(["connect_error", "disconnect"].map((name) => once(socket, name))));
    assert.ok(ended);
    assert.equal(socket.connected, false);
    socket.close();
  });

  test("Isolation: process.exit, exceptions and rejections are the platform's error with their cause, and the next request works", async () => {
    for (const [how, cause] of [
      ["exit", /process\.exit\(3\)/],
      ["throw", /uncaught exception: thrown later/],
      ["reject", /unhandled rejection: rejected/],
    ]) {
      const target = `/api/crash?how=${how}`;
      const response = await request(sim.url + target);
      assert.equal(response.status, 500, how);
      assert.equal(response.headers.get("x-vercel-error"), "FUNCTION_INVOCATION_FAILED", how);
      const end = await sim.waitForEvent(`end of ${target}`, isEnd({ target, code: "FUNCTION_INVOCATION_FAILED" }));
      assert.match(JSON.stringify(end.verdicts), cause);
      assert.equal((await request(`${sim.url}/api/crash`)).status, 200, how);
    }
  });

  test("Isolation: process.exit(0) is an invocation without a response; a crash behind the head cuts the answer off", async () => {
    const left = await request(`${sim.url}/api/crash?how=leave`);
    assert.equal(left.status, 502);
    assert.equal(left.headers.get("x-vercel-error"), "NO_RESPONSE_FROM_FUNCTION");
    const cut = await fetch(`${sim.url}/api/crash?how=stream`);
    assert.equal(cut.status, 200);
    await assert.rejects(cut.text());
    const end = await sim.waitForEvent("end of the stream", isEnd({ target: "/api/crash?how=stream" }));
    assert.equal(end.status, 200);
    assert.match(end.verdicts[0].measured, /its answer had begun and was cut off$/);
  });

  test("Isolation: what a function puts on its server is told as not shared when it makes it again", async () => {
    assert.deepEqual(await json(`${sim.url}/api/on-server`), { isNew: true });
    assert.deepEqual(await json(`${sim.url}/api/on-server`), { isNew: true });
    const end = await sim.waitForEvent("the second server", (event) => event.t === "invocation_ended" && event.target === "/api/on-server" && event.verdicts);
    assert.equal(end.verdicts[0].code, "SIM_STATE_NOT_SHARED");
    assert.match(end.verdicts[0].measured, /^res\.socket\.server\.io was made again on i\d+: i\d+ has its own/);
    assert.match(end.verdicts[0].fix, /^This is the worst case/);
  });

  test("Isolation: events tell an instance's birth, the route it serves and the id that the client got", async () => {
    const response = await request(`${sim.url}/api/counter?of=events`);
    const end = await sim.waitForEvent("its end", isEnd({ target: "/api/counter?of=events" }));
    assert.equal(end.request_id, response.headers.get("x-vercel-id"));
    await sim.waitForEvent("the death of its instance", (event) => event.t === "instance_changed" && event.instance === end.instance && event.to === "dead");
    const life = sim.events().filter((event) => event.t === "instance_changed" && event.instance === end.instance);
    assert.deepEqual([life[0].from, life[0].to], [undefined, "spawning"]);
    assert.ok(life[0].pid > 0);
    const served = new Set(life.map((event) => event.function).filter(Boolean));
    assert.deepEqual([...served], ["/api/counter"]);
  });

  test("Isolation: a loop that never ends is killed at the deadline, and the next request works", async () => {
    const { pid } = await json(`${sim.url}/api/crash`);
    const looping = await request(`${sim.url}/api/crash?how=loop`);
    assert.equal(looping.status, 504);
    assert.equal(looping.headers.get("x-vercel-error"), "FUNCTION_INVOCATION_TIMEOUT");
    const next = await json(`${sim.url}/api/crash`);
    assert.notEqual(next.pid, pid);
    const end = await sim.waitForEvent("end of the loop", isEnd({ target: "/api/crash?how=loop" }));
    await sim.waitForEvent("death of its instance", (event) => event.t === "instance_changed" && event.instance === end.instance && event.to === "dead" && event.why === "deadline");
  });

  test("Isolation: work after the response is stopped with its instance, and told with its place", async () => {
    const { id } = await json(`${sim.url}/api/background?every=20`, { method: "POST" });
    assert.equal((await request(`${sim.url}/api/background?id=${id}`)).status, 404);
    await sim.output.waitFor(/SIM_BACKGROUND_WORK_FROZEN/, 5_000);
    const event = await sim.waitForEvent("what was left", (one) => one.t === "background_work" && one.route === "/api/background");
    assert.match(JSON.stringify(event.verdicts), /interval of 20ms at app\/api\/background\/route\.ts:19/);
  });

  test("Isolation: a stream is cut at the limit, and its instance is gone", async () => {
    const response = await request(`${sim.url}/api/sse`);
    assert.equal(response.status, 200);
    assert.ok(response.cut);
    const end = await sim.waitForEvent("end of the stream", isEnd({ target: "/api/sse" }));
    await sim.waitForEvent("death of its instance", (event) => event.t === "instance_changed" && event.instance === end.instance && event.to === "dead");
  });

  test("Isolation: an instance has the platform's variables, the user's own win, and none of ours", async () => {
    const found = await json(`${sim.url}/api/settings`);
    assert.deepEqual(found, {
      VERCEL: "1",
      VERCEL_REGION: "iad1",
      VERCEL_URL: `localhost:${sim.port}`,
      VERCEL_ENV: "mine",
      TZ: "UTC",
      NODE_ENV: "development",
      FROM_DOTENV: "yes",
      AWS_SECRET_ACCESS_KEY: null,
      ours: [],
      cwd: app,
    });
  });

  test("Isolation: a query that looks like a message of ours is a query", async () => {
    for (const query of ["$bigint=x", "$regexp=(", "$error=1", "__proto__=1", "$regexp=a&$regexp=zz"])
      for (const page of ["/api/counter", "/about"]) assert.equal((await request(`${sim.url}${page}?${query}`)).status, 200, `${page}?${query}`);
  });

  test("Isolation: a function that finds the token of next dev speaks for nobody", async () => {
    assert.deepEqual(await json(`${sim.url}/api/spy`), { own: [], found: true, heard: "put out" });
    for (let i = 0; i < 2; i += 1) assert.deepEqual(await json(`${sim.url}/api/counter`), { count: 1 });
    assert.doesNotMatch(sim.output.text, /NOT isolated|forged/);
  });

  test("Isolation: what a function has printed is shown to its last line, however much it is", async () => {
    const from = sim.output.text.length;
    assert.equal((await request(`${sim.url}/api/loud`)).status, 200);
    await sim.output.waitFor(/the last line of five thousand/, 10_000, from);
    const shown = new Set([...sim.output.text.slice(from).matchAll(/ (\d+) x{1000}/g)].map(([, n]) => n));
    assert.equal(shown.size, 5000);
  });

  test("Isolation: code that was saved serves the very next request", async () => {
    assert.deepEqual(Object.keys(await json(`${sim.url}/api/kept`)), ["count", "pid"]);
    for (const word of ["second", "third"]) {
      await editFile(join(app, "app/api/kept/route.ts"), word === "second" ? "const kept = { count: 0" : "second: 1", word === "second" ? "const kept = { second: 1, count: 0" : "third: 1");
      await eventually(`a request that meets "${word}"`, 20_000, async () => word in (await json(`${sim.url}/api/kept`)));
      for (let i = 0; i < 3; i += 1) assert.ok(word in (await json(`${sim.url}/api/kept`)), "once new, always new");
    }
  });

  test("Isolation: a function that calls its own API, and that again, gets an instance for each", async () => {
    const pids = await json(`${sim.url}/api/self?depth=3`);
    assert.equal(new Set(pids).size, 4);
  });

  test("Isolation: fifty at once are all answered, each by itself", async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => json(`${sim.url}/api/counter`)));
    assert.deepEqual(answers, Array(50).fill({ count: 1 }));
  });

  test("Isolation: kill -9 on instances harms no later request; on next dev, neither; and on vercel-sim, nothing is left", async () => {
    await eventually("a spare", 20_000, () => instances(sim).length > 0);
    const killed = instances(sim).map(({ pid }) => pid);
    for (const pid of killed) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // retired meanwhile
      }
    }
    // On a busy machine the signal takes a while, and a request that comes before it is one that an instance dies of.
    await eventually("their end", 20_000, () => !sim.alive().some(({ pid }) => killed.includes(pid)));
    assert.deepEqual(await json(`${sim.url}/api/counter`), { count: 1 });

    await eventually("a spare", 20_000, () => instances(sim).length > 0);
    const from = sim.output.text.length;
    const next = sim.alive().find(({ command }) => /next-server|start-server\.js/.test(command));
    process.kill(next.pid, "SIGKILL");
    await sim.output.waitFor(/Ready in/, 60_000, from);
    await eventually("an answer of the app that was started again", 60_000, async () => (await request(`${sim.url}/api/counter`)).status === 200);

    await eventually("a spare", 20_000, () => instances(sim).length > 0);
    process.kill(sim.process.pid, "SIGKILL");
    await eventually("no process", 3_000, () => sim.alive().length === 0);
    await eventually("a free port", 1_000, async () => !(await listens(sim.port)));  // a process that ends has no environment any more, and its sockets a moment longer
    await eventually("no socket file", 1_000, () => !readdirSync(sim.temp, { recursive: true }).some((path) => /\.sock/.test(path)));
    const again = await startSim(["--profile", "hobby"], { cwd: app });
    assert.deepEqual(await json(`${again.url}/api/counter`), { count: 1 });
    assert.deepEqual((await again.stop()).left, []);
  });
});
