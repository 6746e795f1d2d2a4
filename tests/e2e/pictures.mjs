// The picture of the live page in the README, of a real run of the example app: node tests/e2e/pictures.mjs. No test: whoever changes the page looks at it.
import { mkdtemp } from "node:fs/promises";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { cleanUp, copyApp, kBin, kRepo, request, startBrowser, startSim } from "./harness.mjs";

const sim = await startSim(["--profile", "hobby-fluid", "--placement", "spread:2", "--set", "duration.default=10s"], { cwd: await copyApp() });
const get = (path, options) => request(sim.url + path, options);
const post = (path, body = {}) => get(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
// Compiled first: the picture is of a run and not of its first minute.
for (const path of ["/api/rooms", "/api/slow?ms=1", "/api/counter", "/api/limited"]) await get(path);
await post("/api/rooms/none/join");
const { text } = await post("/api/rooms", { name: "kitchen" });
const { id } = JSON.parse(text);
const streams = [get("/api/sse"), get("/api/slow?ms=14000")];
for (let i = 0; i < 6; i += 1) {
  await post(`/api/rooms/${id}/join`, { name: "Ann" });
  await get("/api/counter");
}
await Promise.all([...streams, get("/api/slow?ms=3000"), get("/api/slow?ms=4000")]);
const events = sim.eventsFile;
await sim.stop();

const html = join(await mkdtemp(join(tmpdir(), "vs-picture-")), "run.html");
const made = spawnSync(kBin, ["report", events, "--html", html], { encoding: "utf8" });
if (made.status !== 0) throw new Error(made.stderr);
const browser = await startBrowser();
for (const scheme of ["light", "dark"]) {
  const page = await browser.newPage({ viewport: { width: 1180, height: 820 }, colorScheme: scheme });
  await page.goto(pathToFileURL(html).href);
  await page.waitForFunction(() => window["vercelSim"].settled);
  await page.screenshot({ clip: { x: 0, y: 0, width: 1180, height: 770 }, path: join(kRepo, `docs/live-${scheme}.png`) });
}
await browser.close();
await cleanUp();
