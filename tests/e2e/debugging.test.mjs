// What a developer needs to see stays as it is under isolation: the error overlay with the line that threw, source-mapped stacks in the terminal
// once, hot reload in a browser, and breakpoints. And what Next keeps between requests.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { WebSocket } from "ws";
import { cleanUp, copyApp, editFile, eventually, isEnd, once, request, startBrowser, startSim, within } from "./harness.mjs";

const kFiles = {
  "app/broken/page.tsx": `export const dynamic = "force-dynamic";

function explode(word: string): never {
  throw new Error("page broke on " + word);
}

export default async function Broken({ searchParams }: { searchParams: Promise<{ word?: string }> }) {
  const { word } = await searchParams;
  if (word) explode(word);
  return <p id="whole">whole</p>;
}
`,
  "app/api/thrower/route.ts": `export const dynamic = "force-dynamic";

interface Padding { so: string; that: string; lines: string; differ: string }

export function GET(request: Request) {
  const padding = { so: "a" } as Padding;
  throw new Error("handler broke on " + padding.so);
}
`,
  "app/live/button.tsx": `"use client";
import { useState } from "react";
export default function Button() {
  const [n, setN] = useState(0);
  return <button id="button" onClick={() => setN(n + 1)}>{"button one " + n}</button>;
}
`,
  "app/live/page.tsx": `import Button from "./button";
export const dynamic = "force-dynamic";
export default function Live() {
  return <main><p id="server">{"server one " + process.pid}</p><Button /></main>;
}
`,
  "app/api/stop/route.ts": `export const dynamic = "force-dynamic";
export function GET() {
  const found = { pid: process.pid, late: 0 };
  debugger;
  return Response.json(found);
}
`,
};

describe("Debugging under isolation", { timeout: 300_000 }, () => {
  let app;
  let sim;
  let browser;

  before(async () => {
    app = await copyApp(kFiles);
    [sim, browser] = await Promise.all([startSim(["--profile", "hobby"], { cwd: app }), startBrowser()]);
  });
  after(async () => {
    await browser?.close();
    await cleanUp();
  });

  // What the overlay of Next shows, wherever in its shadow root.
  const overlay = (page) => page.evaluate(() => [...document.querySelectorAll("nextjs-portal")].map((one) => one.shadowRoot?.textContent ?? "").join("\n"));

  test("Debugging: a Server Component that throws: the overlay shows the line of the source", async () => {
    const page = await browser.newPage();
    await page.goto(`${sim.url}/broken?word=tea`, { timeout: 60_000 });
    const badge = page.locator("nextjs-portal [data-issues-open], nextjs-portal [data-nextjs-toast] button").first();
    let text = "";
    await eventually("the error in the overlay", 30_000, async () => {
      text = await overlay(page);
      if (/page broke on tea/.test(text) && /broken\/page\.tsx/.test(text)) return true;
      if (await badge.isVisible().catch(() => false)) await badge.click({ timeout: 1_000 }).catch(() => {});
      return false;
    }).catch((error) => {
      throw new Error(`${error.message}; it says: ${text.slice(0, 3_000)}`);
    });
    assert.match(text, /app\/broken\/page\.tsx\s*\(?4:9/, text.slice(0, 2_000));
    assert.match(text, /throw new Error\("page broke on " \+ word\)/, "the code frame");
    await page.close();
  });

  test("Debugging: errors are in the terminal once, with the instance and the place in the source", async () => {
    const from = sim.output.text.length;
    assert.equal((await request(`${sim.url}/api/thrower`)).status, 500);
    const end = await sim.waitForEvent("its end", isEnd({ target: "/api/thrower" }));
    await sim.output.waitFor(/\/api\/thrower 500/, 5_000, from);
    const printed = sim.output.text.slice(from);
    assert.equal(printed.match(/handler broke on a/g)?.length, 1, printed);
    assert.match(printed, new RegExp(`\\[${end.instance}\\] .*handler broke on a[\\s\\S]*?\\[${end.instance}\\] +at GET \\(app/api/thrower/route\\.ts:7:9\\)`));
  });

  test("Debugging: hot reload of a server and of a client component in a browser; the client's state stays", async () => {
    const page = await browser.newPage();
    await page.goto(`${sim.url}/live`, { timeout: 60_000 });
    const button = page.locator("#button");
    await eventually("a page that answers clicks", 20_000, async () => {
      await button.click();
      return /button one [1-9]/.test(await button.textContent());
    });
    const clicked = (await button.textContent()).match(/\d+/)[0];
    let loads = 0;
    page.on("load", () => (loads += 1));
    await editFile(join(app, "app/live/page.tsx"), "server one", "server two");
    await page.locator("#server").filter({ hasText: "server two" }).waitFor({ timeout: 30_000 });
    assert.match(await button.textContent(), new RegExp(`button one ${clicked}$`));
    await editFile(join(app, "app/live/button.tsx"), "button one", "button two");
    await button.filter({ hasText: `button two ${clicked}` }).waitFor({ timeout: 30_000 });
    assert.equal(loads, 0, "without loading the page again");
    await page.reload();
    await page.locator("#server").filter({ hasText: "server two" }).waitFor();
    await page.close();
  });

  test("Debugging: a body of 7 MB, whole or cut off, ends neither a request nor the program", async () => {
    const body = Buffer.alloc(7_000_000, "z");
    for (let i = 0; i < 3; i += 1) {
      const { status, headers } = await request(`${sim.url}/api/upload`, { method: "POST", body });
      assert.equal(status, 413);
      assert.equal(headers.get("x-vercel-error"), "FUNCTION_PAYLOAD_TOO_LARGE");
      const socket = connect({ port: sim.port, host: "127.0.0.1" });
      socket.on("error", () => {}); // it is refused while it still sends
      await once(socket, "connect");
      socket.write(`POST /api/upload HTTP/1.1\r\nHost: localhost:${sim.port}\r\nTransfer-Encoding: chunked\r\n\r\n${(3_000_000).toString(16)}\r\n`);
      socket.write(body.subarray(0, 3_000_000), () => socket.resetAndDestroy());
      await within(5_000, "the end of the socket", once(socket, "close"));
      const { status: next, text } = await request(`${sim.url}/api/upload`, { method: "POST", body: "small" });
      assert.deepEqual([next, text], [200, '{"bytes":5}']);
    }
  });

  test("Debugging: it stops clean", async () => {
    assert.deepEqual((await sim.stop()).left, []);
  });
});

describe("A debugger", { timeout: 200_000 }, () => {
  after(cleanUp);

  test("Inspector: each instance has one, and no deadline strikes while a debugger is attached", async () => {
    const sim = await startSim(["--profile", "hobby", "--isolation", "instance", "--inspect-instance", "--set", "duration.default=2s"], { cwd: await copyApp() });
    const slow = () => request(`${sim.url}/api/slow?ms=3500`);
    assert.equal((await slow()).status, 504);
    assert.equal((await request(`${sim.url}/api/counter`)).status, 200);
    const { instance } = await sim.waitForEvent("an end", isEnd({ target: "/api/counter" }));
    const [, address] = await sim.output.waitFor(new RegExp(`\\[${instance}\\] Debugger listening on (ws://\\S+)`), 10_000);
    const debug = new WebSocket(address);
    await within(5_000, "the inspector", once(debug, "open"));
    await sim.output.waitFor(new RegExp(`\\[${instance}\\] Debugger attached`), 5_000);
    const answer = await slow();
    assert.equal(answer.status, 200, answer.text);
    debug.close();
    assert.deepEqual((await sim.stop()).left, []);
  });

  test("Inspector: a breakpoint in a function hits; while it holds, no deadline strikes, and then the function goes on", async () => {
    const sim = await startSim(["--profile", "hobby", "--isolation", "instance", "--inspect-instance", "--set", "duration.default=2s"], { cwd: await copyApp(kFiles) });
    assert.equal((await request(`${sim.url}/api/stop`)).status, 200);
    const { instance } = await sim.waitForEvent("an end", isEnd({ target: "/api/stop" }));
    const [, address] = await sim.output.waitFor(new RegExp(`\\[${instance}\\] Debugger listening on (ws://\\S+)`), 10_000);
    const debug = new WebSocket(address);
    await within(5_000, "the inspector", once(debug, "open"));
    const paused = new Promise((done) => {
      debug.on("message", (data) => {
        const message = JSON.parse(String(data));
        if (message.method === "Debugger.paused") done(message.params);
      });
    });
    let id = 0;
    const say = (method, params = {}) => {
      const asked = ++id;
      debug.send(JSON.stringify({ id: asked, method, params }));
      return within(
        5_000,
        method,
        new Promise((done) => debug.on("message", (data) => JSON.parse(String(data)).id === asked && done(JSON.parse(String(data)).result))),
      );
    };
    await say("Runtime.enable");
    await say("Debugger.enable");
    const answer = request(`${sim.url}/api/stop`);
    const { callFrames } = await within(15_000, "a pause", paused);
    assert.equal(callFrames[0].functionName, "GET");
    const seen = await say("Debugger.evaluateOnCallFrame", { callFrameId: callFrames[0].callFrameId, expression: "found.late = 7, process.pid" });
    assert.equal(typeof seen.result.value, "number");
    await new Promise((done) => setTimeout(done, 3_000)); // longer than the function may run
    await say("Debugger.resume");
    const { status, text } = await within(10_000, "the answer", answer);
    assert.equal(status, 200, text);
    assert.deepEqual(JSON.parse(text), { pid: seen.result.value, late: 7 });
    debug.close();
    assert.deepEqual((await sim.stop()).left, []);
  });
});
