// The notice on the app's own page (src/agent/dev/notice.cjs) in a real Chromium, before real next dev: when one of the page's requests was cut or refused, and never
// else; what the app serves is what it serves without it. With VSIM_FULL=1 on the newest minor of every major, with each bundler.
import assert from "node:assert/strict";
import { get } from "node:http";
import { after, before, describe, test } from "node:test";
import { cleanUp, eventually, isEnd, kBin, kFull, request, startBrowser, startSim, tempFolder, Child } from "./harness.mjs";
import { makeApp } from "./matrix_app.mjs";
import { kNewestOfMajor } from "../next_versions.mjs";

const kFiles = {
  "app/layout.js": "export default function Layout({ children }) { return <html lang=\"en\"><body>{children}</body></html>; }\n",
  "app/page.js": 'import { Client } from "./client";\nexport default function Page() { return <main><h1>The app</h1><Client /></main>; }\n',
  "app/client.js": `"use client";
import { useState } from "react";
export function Client() {
  const [said, say] = useState("nothing yet");
  const ask = async (path) => {
    try {
      const answer = await fetch(path);
      say(answer.status + " " + (await answer.text()).slice(0, 20));
    } catch (error) {
      say("broken off");
    }
  };
  const socket = () => {
    const one = new WebSocket(location.origin.replace("http", "ws") + "/api/socket");
    one.onerror = () => say("no socket");
  };
  return <div><button onClick={() => ask("/api/fine")}>fine</button><button onClick={() => ask("/api/slow?token=s3cret")}>slow</button>
    <button onClick={() => ask("/api/stream")}>stream</button><button onClick={socket}>socket</button><p id="said">{said}</p></div>;
}
`,
  "app/api/fine/route.js": 'export const dynamic = "force-dynamic";\nexport const GET = () => new Response("fine");\n',
  "app/api/slow/route.js": 'export const dynamic = "force-dynamic";\nexport async function GET() { await new Promise((done) => setTimeout(done, 20_000)); return new Response("late"); }\n',
  "app/api/stream/route.js": `export const dynamic = "force-dynamic";
export const GET = () => new Response(new ReadableStream({ async start(controller) {
  for (let i = 0; i < 200; i += 1) { controller.enqueue(new TextEncoder().encode("word ")); await new Promise((done) => setTimeout(done, 100)); }
  controller.close();
} }));
`,
  "pages/old.js": 'export default function Old() { return <button onClick={() => fetch("/api/slow")}>slow</button>; }\n',
  "next.config.js": `module.exports = { devIndicators: false, async headers() {
  return [{ source: "/", has: [{ type: "query", key: "strict" }], headers: [{ key: "content-security-policy", value: "connect-src ws:" }] }];
} };
`,
};
const kRun = ["--profile", "hobby", "--set", "duration.default=1s"];
const kRuntime = /\/_next\/static\/chunks\/(?:webpack|turbopack-[^"/]*)\.js[^"\\]*/g;
const kOurs = "vercel-sim-notice";

// As a client that is no page of the app: its answer's status.
const askForSocket = (url, headers) => new Promise((done, failed) => {
  const upgrade = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==", "sec-websocket-version": "13" };
  get(`${url}/api/other`, { headers: { ...upgrade, ...headers } }, (response) => (response.resume(), done(response.statusCode))).on("error", failed);
});

// What a notice says, in its tree that no script of the page sees; undefined: there is none.
async function saidOn(page) {
  const devtools = await page.context().newCDPSession(page);
  const { root } = await devtools.send("DOM.getDocument", { depth: -1, pierce: true });
  await devtools.detach();
  const texts = (node) => [node.nodeValue ?? "", ...[...(node.shadowRoots ?? []), ...(node.children ?? [])].flatMap(texts)];
  const find = (node) => (node.localName === kOurs ? node : [...(node.children ?? []), ...(node.shadowRoots ?? [])].map(find).find(Boolean));
  const host = find(root);
  return host && texts(host).filter(Boolean).join(" | ");
}

describe("the notice on the app's page", { timeout: kFull ? 1_800_000 : 400_000 }, () => {
  let browser;
  before(async () => (browser = await startBrowser()));
  after(async () => {
    await browser?.close();
    await cleanUp();
  });

  async function open(url) {
    const page = await (await browser.newContext()).newPage();
    page.asked = [];
    page.on("request", (one) => page.asked.push(new URL(one.url()).pathname));
    await page.goto(url, { timeout: 120_000 });
    return page;
  }
  const press = async (page, name, said) => {
    await page.getByRole("button", { name }).click();
    if (said) await page.locator("#said", { hasText: said }).waitFor({ timeout: 60_000 });
  };
  const told = (page, pattern) => eventually(`a notice like ${pattern}`, 40_000, async () => pattern.test((await saidOn(page)) ?? ""));

  for (const combo of kFull ? kNewestOfMajor : ["16-turbopack", "14-webpack"]) {
    test(`${combo}: what was cut or refused is told, with a link, and nothing else; the page's HTML is as without it`, async () => {
      const app = await makeApp(combo, kFiles, null);
      const sim = await startSim(kRun, { cwd: app });
      const page = await open(sim.url);
      await press(page, "fine", "200 fine");
      await sim.waitForEvent("the end of what is fine", isEnd({ route: "/api/fine", status: 200 }));
      await press(page, "slow", "504");
      await told(page, /^vercel-sim: GET \/api\/slow was answered with 504 \(FUNCTION_INVOCATION_TIMEOUT\) \| What happened, and what to change \| ×$/);
      assert.ok(page.asked.includes("/_vercel-sim/api/verdicts"));
      await press(page, "stream", "broken off");
      await told(page, /GET \/api\/stream was cut \(FUNCTION_INVOCATION_TIMEOUT\)/);
      await press(page, "socket", "no socket");
      await press(page, "fine", "200 fine");
      await told(page, /a WebSocket of this page, or of another one that is open: GET \/api\/socket was answered with/);
      assert.doesNotMatch(await saidOn(page), /fine|s3cret/);
      // For the app and its tests there is nothing: no text, and one element that React does not mind.
      assert.doesNotMatch(await page.evaluate(() => document.body.innerText + document.body.textContent), /vercel-sim/);
      assert.equal(await page.evaluate((name) => document.querySelector(name).shadowRoot, kOurs), null);

      // Another page of the app asked for none of that. What is no browser's is told on no page, nor what another site's page has asked for.
      const other = await open(sim.url);
      for (const headers of [{}, { origin: sim.url.replace("localhost", "127.0.0.1") }]) await askForSocket(sim.url, headers);
      await eventually("both are refused", 30_000, () => sim.events().filter((e) => e.t === "invocation_ended" && e.target === "/api/other").length === 2);
      await press(other, "fine", "200 fine");
      await eventually("it has asked", 30_000, () => other.asked.includes("/_vercel-sim/api/verdicts"));
      assert.equal(await saidOn(other), undefined);
      // In the Pages Router too.
      const old = await open(`${sim.url}/old`);
      await press(old, "slow");
      await told(old, /GET \/api\/slow/);

      // A policy that allows no requests: none gets through, and that is all.
      const strict = await open(`${sim.url}/?strict=1`);
      await press(strict, "fine", "broken off");
      assert.equal(await saidOn(strict), undefined);

      const html = async (run) => {
        // The same before it: what Next puts into a page depends on what it has compiled.
        for (const path of ["/", "/old"]) await request(run.url + path);
        const { text } = await request(`${run.url}/old`);
        const [script] = text.match(kRuntime) ?? [];
        assert.ok(script, text);
        const runtime = await fetch(run.url + script);
        return { text: text.replace(/\?v=\d+|\?ts=\d+/g, ""), runtime: await runtime.text(), type: runtime.headers.get("content-type") };
      };
      const withIt = await html(sim);
      await sim.stop();
      const plain = await startSim([...kRun, "--notice", "off"], { cwd: app });
      const without = await html(plain);
      assert.ok(withIt.text === without.text, `${withIt.text}\n${without.text}`);
      assert.equal(withIt.type, without.type);
      assert.ok(withIt.runtime.includes(kOurs) && !without.runtime.includes(kOurs));
      const quiet = await open(plain.url);
      await press(quiet, "slow", "504");
      assert.equal(await saidOn(quiet), undefined);
      assert.ok(!quiet.asked.some((path) => path.startsWith("/_vercel-sim")));
      await plain.stop();
    });
  }

  test("`test` puts none there: what it runs sees the app alone", async () => {
    const app = await makeApp("16-turbopack", kFiles, null);
    const script = `const html = await (await fetch(process.env.BASE_URL ?? process.argv[1])).text();
const names = html.match(${kRuntime}) ?? [];
if (names.length === 0) throw new Error("no runtime in the page");
for (const name of names) if ((await (await fetch(process.env.BASE_URL + name)).text()).includes("${kOurs}")) throw new Error("a notice in " + name);`;
    const child = new Child(kBin, ["test", ...kRun, "--port", "0", "--", process.execPath, "--input-type=module", "-e", script], { cwd: app, temp: await tempFolder("t") });
    const { code } = await child.exited;
    assert.equal(code, 0, child.output.text);
  });
});
