// A client that leaves: the function goes on to its end, and with supportsCancellation its request.signal fires. The clients are those that
// people have: a browser, Node's fetch, curl; each closes its connection in its own way.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { cleanUp, copyApp, eventually, once, startBrowser, startSim } from "./harness.mjs";

// Tells the test's server that it runs, then whether its signal fired within four seconds.
const kRoute = `
export const dynamic = "force-dynamic";
export async function GET(request: Request) {
  const n = new URL(request.url).searchParams.get("n");
  const tell = (what: string) => fetch(process.env.E2E_TOLD + "/" + what + "/" + n, { cache: "no-store" });
  const aborted = new Promise((done) => request.signal.addEventListener("abort", () => done("aborted")));
  await tell("runs");
  const end = await Promise.race([aborted, new Promise((done) => setTimeout(() => done("finished"), 4_000))]);
  await tell(String(end));
  return new Response(String(end));
}
`;

describe("Client that leaves", { timeout: 240_000 }, () => {
  let sim, told, server, browser;
  const heard = (what) => eventually(what, 20_000, () => told.has(what));
  before(async () => {
    told = new Set();
    server = createServer((request, response) => {
      told.add(request.url.slice(1));
      response.end();
    }).listen(0);
    await once(server, "listening");
    const app = await copyApp({
      "app/api/stops/route.ts": kRoute,
      "app/api/goes-on/route.ts": kRoute,
      "vercel.json": JSON.stringify({ functions: { "app/api/stops/**": { supportsCancellation: true } } }),
    });
    sim = await startSim(["--profile", "hobby"], { cwd: app, env: { E2E_TOLD: `http://127.0.0.1:${server.address().port}` } });
    browser = await startBrowser();
  });
  after(async () => {
    await browser?.close();
    server?.close();
    await cleanUp();
  });

  const clients = {
    "fetch of Node": async (url, runs) => {
      const stop = new AbortController();
      const answer = fetch(url, { signal: stop.signal });
      await runs;
      stop.abort();
      await assert.rejects(answer);
    },
    curl: async (url, runs) => {
      const child = spawn("curl", ["--silent", url], { stdio: "ignore" });
      const gone = once(child, "exit");
      await runs;
      child.kill();
      await gone;
    },
    "a browser": async (url, runs) => {
      const page = await browser.newPage();
      await page.goto(`${sim.url}/icon.svg`);
      await page.evaluate((to) => {
        window.stop = new AbortController();
        window.answer = fetch(to, { signal: window.stop.signal }).catch((error) => error.name);
      }, url);
      await runs;
      await page.evaluate(() => window.stop.abort());
      assert.equal(await page.evaluate(() => window.answer), "AbortError");
      await page.close();
    },
  };
  for (const [name, go] of Object.entries(clients)) {
    for (const [route, end] of [
      ["goes-on", "finished"],
      ["stops", "aborted"],
    ]) {
      test(`Client that leaves: ${name}: a function ${end === "aborted" ? "with supportsCancellation is told" : "goes on to its end"}`, async () => {
        const n = encodeURIComponent(`${route}-${name}`);
        await go(`${sim.url}/api/${route}?n=${n}`, heard(`runs/${route}-${name.replaceAll(" ", "%20")}`));
        await heard(`${end}/${route}-${name.replaceAll(" ", "%20")}`);
      });
    }
  }
});
