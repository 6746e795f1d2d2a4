// What a person meets when something is not as it should be: each case has one clear message with the fix, an exit code, and leaves nothing.
import assert from "node:assert/strict";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { cleanUp, copyApp, eventually, isEnd, listens, once, request, spawnSim, startNextDev, startSim, tempFolder, within } from "./harness.mjs";

// Runs vercel-sim to its own end.
async function runToEnd(args, options, ms = 60_000) {
  const temp = await tempFolder("t");
  const child = spawnSim(args, { ...options, temp });
  const { code } = await within(ms, `end of vercel-sim ${args.join(" ")}`, child.exited).catch((error) => {
    throw new Error(`${error.message}; printed:\n${child.output.text}`);
  });
  const { left, files } = await child.stop();
  assert.deepEqual(left, []);
  assert.deepEqual(files, []);
  return { code, text: child.output.text };
}

describe("Startup", { timeout: 400_000 }, () => {
  after(cleanUp);

  test("Startup: a folder without a project is refused with what to do", async () => {
    const { code, text } = await runToEnd(["run", "--port", "0"], { cwd: await tempFolder("empty") });
    assert.equal(code, 64, text);
    assert.match(text, /package\.json/);
    assert.match(text, /next/i);
    assert.match(text, /--cwd|-- COMMAND|--upstream/);
  });

  test("Startup: a project whose packages are not installed is told to install them", async () => {
    const folder = await tempFolder("bare");
    await writeFile(join(folder, "package.json"), JSON.stringify({ name: "bare", private: true, scripts: { dev: "next dev" }, dependencies: { next: "16.4.6" } }));
    const { code, text } = await runToEnd(["run", "--port", "0"], { cwd: folder });
    assert.equal(code, 64, text);
    assert.match(text, /install/);
  });

  test("Startup: an unknown profile is refused with the nearest name", async () => {
    const { code, text } = await runToEnd(["run", "--profile", "hoby"], { cwd: await tempFolder("empty") });
    assert.equal(code, 64, text);
    assert.match(text, /hobby/);
  });

  test("Startup: a port in use is named, with a way out", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address();
    const { code, text } = await runToEnd(["run", "--port", String(port)], { cwd: await copyApp() });
    server.close();
    assert.notEqual(code, 0);
    assert.match(text, new RegExp(`${port}.*(in use|taken)|(in use|taken).*${port}`, "i"));
    assert.match(text, /--port/);
  });

  test("Startup: another dev server in the same folder is named", async () => {
    const app = await copyApp();
    const other = await startNextDev(app);
    const { code, text } = await runToEnd(["run", "--port", "0"], { cwd: app });
    assert.notEqual(code, 0);
    assert.match(text, /another.*next dev|already running/i);
    assert.match(text, new RegExp(`\\b(${other.port}|${other.process.pid})\\b|stop it|\\.next/dev/lock`, "i"));
    assert.equal(await listens(other.port), true); // it is not ours to end
    await other.stop();
  });

  test("Startup: the project is found from a folder below it, and a custom server is named as never deployed", async () => {
    const app = await copyApp({
      "package.json": JSON.stringify({ name: "chat", private: true, scripts: { dev: "node server.js" }, dependencies: { next: "16.4.6" } }),
      "server.js": 'throw new Error("this server must not be started");\n',
    });
    const sim = await startSim(["--profile", "hobby"], { cwd: join(app, "app/api") });
    await sim.output.waitFor(/custom server|server\.js/i, 5_000);
    assert.match(sim.output.text, /server\.js/);
    assert.match(sim.output.text, /never deploy|not deploy|does not (run|exist)/i);
    assert.equal((await request(`${sim.url}/api/counter`)).text, '{"count":1}');
    assert.deepEqual((await sim.stop()).left, []);
  });

  test("Startup: a vercel.json with fluid compute under a serverless profile gets a hint, and says where functions run", async () => {
    const app = await copyApp({ "vercel.json": JSON.stringify({ fluid: true, regions: ["fra1", "iad1"], functions: { "app/api/slow/route.ts": { maxDuration: 2 } } }) });
    const sim = await startSim(["--profile", "hobby"], { cwd: app });
    await sim.output.waitFor(/fluid/i, 5_000);
    assert.match(sim.output.text, /hobby-fluid/);
    assert.match(sim.output.text, /functions run in fra1, the first of `regions` in vercel\.json/);
    const response = await request(`${sim.url}/api/slow?ms=5000`);
    assert.match(response.headers.get("x-vercel-id"), /^fra1::/);
    assert.equal(response.status, 504, "maxDuration of vercel.json");
    const { charged_ms: charged } = await sim.waitForEvent("its end", isEnd({ target: "/api/slow?ms=5000" }));
    assert.ok(charged >= 2_000 && charged < 5_000, `charged ${charged} ms`);
    assert.deepEqual((await sim.stop()).left, []);
  });

  test("Startup: when next dev is killed, it is said, and it is started again", async () => {
    const sim = await startSim(["--profile", "hobby"], { cwd: await copyApp() });
    assert.equal((await request(`${sim.url}/api/echo`)).status, 200);
    const devServer = () => sim.alive().find(({ command }) => /next-server|start-server\.js/.test(command))?.pid;
    const first = devServer();
    const printed = sim.output.text.length;
    process.kill(first, "SIGKILL");
    await sim.output.waitFor(/the app stopped: [^]*restarting the app/, 20_000, printed);
    await eventually("an answer of the new dev server", 60_000, async () => (await request(`${sim.url}/api/echo`).catch(() => null))?.status === 200);
    assert.notEqual(devServer(), first);
    const { left, files } = await sim.stop("SIGTERM");
    assert.deepEqual(left, []);
    assert.deepEqual(files, []);
  });

  test("Startup: Ctrl-C ends a dev server that no longer listens to anybody", async () => {
    const app = await copyApp({ "app/api/hang/route.ts": "export function GET() {\n  for (;;);\n}\n" });
    // On a busy machine a loop that works for its three seconds lives for many.
    const sim = await startSim(["--profile", "hobby", "--set", "duration.default=3s"], { cwd: app });
    await request(`${sim.url}/api/echo`);
    const hung = request(`${sim.url}/api/hang`);
    hung.catch(() => {});
    await sim.waitForEvent("the hanging request", (event) => event.t === "invocation_started" && event.target === "/api/hang");
    assert.equal((await within(120_000, "the cut of a blocked function", hung)).status, 504);
    const { code, signal, left, files } = await sim.stop("SIGINT");
    assert.equal(signal, null);
    assert.equal(code, 130, sim.output.text.slice(-2_000));
    assert.deepEqual(left, []);
    assert.deepEqual(files, []);
    assert.equal(await listens(sim.port), false);
  });

  test("Startup: when vercel-sim itself is killed, nothing of it stays", async () => {
    const app = await copyApp();
    const sim = await startSim(["--profile", "hobby"], { cwd: app });
    await request(`${sim.url}/api/echo`);
    sim.process.kill("SIGKILL");
    await within(5_000, "death", sim.exited);
    await eventually("no process left", 10_000, () => sim.alive().length === 0);
    sim.kill();
    await rm(join(app, ".next"), { recursive: true, force: true });
  });
});

describe("Other ways to start", { timeout: 200_000 }, () => {
  after(cleanUp);

  test("Upstream: vercel-sim in front of a dev server that already runs rewrites its redirects and enforces the limit", async () => {
    const dev = await startNextDev(await copyApp());
    await request(`${dev.url}/api/slow?ms=1`); // compiled: without a preload the time counts from the request head
    const sim = await startSim(["--profile", "hobby", "--set", "duration.default=2s", "--upstream", dev.url], { cwd: await tempFolder("empty") });
    const moved = await request(`${sim.url}/redirect`);
    assert.equal(new URL(moved.headers.get("location"), sim.url).port, String(sim.port));
    assert.equal((await request(`${sim.url}/api/slow?ms=100`)).text, '{"slept":100}');
    const cut = await request(`${sim.url}/api/slow?ms=9000`);
    assert.equal(cut.status, 504);
    assert.ok(cut.ms >= 2_000, `answered after ${cut.ms} ms`);
    assert.deepEqual((await sim.stop()).left, []);
    assert.equal(await listens(dev.port), true);
    await dev.stop();
  });

  test("Command: any server that takes PORT runs behind vercel-sim", async () => {
    const folder = await tempFolder("any");
    await mkdir(folder, { recursive: true });
    await writeFile(
      join(folder, "server.js"),
      'require("node:http").createServer((req, res) => setTimeout(() => res.end("port " + process.env.PORT), Number(req.url.slice(1)))).listen(process.env.PORT);\n',
    );
    const sim = await startSim(["--profile", "hobby", "--set", "duration.default=2s", "--", process.execPath, "server.js"], { cwd: folder });
    const fast = await request(`${sim.url}/1`);
    assert.equal(fast.status, 200);
    assert.match(fast.text, /^port \d+$/);
    const cut = await request(`${sim.url}/9000`);
    assert.equal(cut.status, 504);
    assert.ok(cut.ms >= 2_000, `answered after ${cut.ms} ms`);
    assert.deepEqual((await sim.stop()).left, []);
  });
});
