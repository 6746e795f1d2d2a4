// What README.md and demo.sh say of the demo, held against the demo: the lines of the terminal that are shown, what the client gets, what the two tabs meet.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { openChat } from "./chat_page.mjs";
import { cleanUp, copyApp, curl, kRepo, request, startBrowser, startSim } from "./harness.mjs";

const escaped = (text) => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");

// What differs from run to run may differ; an end that is left out ("…") may be anything.
function pattern(line) {
  const loose = escaped(line.replace(/ ?…$/, ""))
    .replace(/localhost:3000/g, "localhost:\\d+")
    .replace(/ in [\d\\.]+(ms|s)/g, " in [\\d.]+m?s")
    .replace(/ \\\(not counted: .*?\\\)/g, "(?: \\(not counted: [^)]*\\))?")
    .replace(/10\\\.0s, the limit/g, "10\\.\\ds, the limit")
    .replace(/ i\d+( (?:cold|warm))?/g, (_, state) => ` i\\d+${state ? " (?:cold|warm)" : ""}`);
  return new RegExp(`^${loose}${/…$/.test(line) ? "" : "$"}`, "m");
}

describe("README", { timeout: 240_000 }, () => {
  let readme;
  let demo;
  let sim;
  let block;
  let slow;
  before(async () => {
    readme = await readFile(join(kRepo, "README.md"), "utf8");
    demo = await readFile(join(kRepo, "demo.sh"), "utf8");
    block = (begin) => readme.split("```\n").find((text) => text.startsWith(begin))?.trimEnd().split("\n") ?? assert.fail(`the README shows "${begin}"`);
    const [, hint] = /hint="(Open \{url\} in two tabs: under [^"]+)"/.exec(demo);
    sim = await startSim(["--profile", "hobby"], { cwd: await copyApp(), env: { VERCEL_SIM_READY_HINT: hint.replaceAll("\\`", "`") } });
    slow = Promise.all([request(`${sim.url}/api/slow?ms=12000`), curl("-i", `${sim.url}/api/slow?ms=15000`)]);
    slow.catch(() => {});
  });
  after(async () => {
    await sim?.stop();
    await cleanUp();
  });

  test("README: the lines of the terminal are those of a run on the example app", async () => {
    const [command, ...lines] = block("$ vercel-sim run");
    assert.equal(command, "$ vercel-sim run --profile hobby");
    assert.equal((await request(`${sim.url}/api/counter`)).status, 200);
    assert.equal((await request(`${sim.url}/api/background`, { method: "POST" })).status, 202);
    await slow;
    for (const line of lines) if (line.trim() !== "…") await sim.output.waitFor(pattern(line), 10_000);
  });

  test("README: what curl gets from a function that was cut", async () => {
    const [command, ...lines] = block("$ curl -i");
    assert.equal(command, "$ curl -i 'http://localhost:3000/api/slow?ms=15000'");
    const [, { stdout }] = await slow;
    const kId = /iad1::[a-z0-9]{5}-\d{13}-[0-9a-f]{12}/g;
    const masked = (text) => text.replace(kId, "ID").replaceAll("\r\n", "\n").trimEnd();
    const got = masked(stdout).split("\n").filter((line) => !/^(Date|Content-Length|Connection|Keep-Alive):/i.test(line));
    assert.deepEqual(got.map((line) => line.toLowerCase()), masked(lines.join("\n")).toLowerCase().split("\n"));
  });

  test("README: two tabs never see each other: the WebSocket is refused, polling meets another instance, no message arrives", async () => {
    const browser = await startBrowser();
    const context = await browser.newContext();
    const tab = async (transport, name) => {
      const opened = await openChat(context, sim.url, { transport, room: "readme", name });
      await opened.join();
      return opened;
    };
    const ada = await tab("websocket", "Ada");
    await ada.waitFor("error", /^connect_error: websocket error$/);
    const tabs = [await tab("route", "Bob"), await tab("route", "Eve")];
    for (const one of tabs) await one.waitFor("error", /connect_error|disconnect/);
    const unknown = ({ target, status, verdicts }) => /[?&]sid=/.test(target) && status === 400 && verdicts?.some(({ code }) => code === "SIM_STATE_NOT_SHARED");
    await sim.waitForEvent("a session that another instance does not know", unknown, 20_000);
    await tabs[0].waitForConsole(/400 \(Bad Request\)/);
    for (const one of tabs) {
      assert.doesNotMatch(await one.status.innerText(), /^connected$/);
      assert.ok(await one.page.getByTestId("send").isDisabled(), "nothing can be said");
    }
    await context.close();
  });

  test("demo.sh: what it says when it is ready, and of the profile, is so", async () => {
    await sim.output.waitFor(new RegExp(`Open http://localhost:${sim.port} in two tabs: under \`next dev\` they chat, here the WebSocket is refused`), 5_000);
    const [, path, seconds] = /Then try \{url\}(\S+) \(cut at (\d+) s\)/.exec(demo);
    assert.equal(path, "/api/slow?ms=15000");
    const [, { stdout, ms }] = await slow;
    assert.match(stdout, /^HTTP\/1\.1 504 /);
    assert.ok(ms >= seconds * 1000, `${ms} ms`);
    for (const text of [readme, demo]) assert.match(text, /23 April 2025[^]*--profile hobby-fluid/);
  });
});
