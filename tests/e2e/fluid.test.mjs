// `vercel-sim run --profile hobby-fluid --isolation none`: the tunnel itself, which carries WebSockets to whoever listens for them in the one
// process, and is closed at the function's maximum duration. On instances (fluid_instances.test.mjs) only a route can take an upgrade, as on Vercel:
// the example's /ws and /socket.io hang on the http server of `next dev`.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { WebSocket } from "ws";
import { openChat } from "./chat_page.mjs";
import { cleanUp, copyApp, isEnd, once, request, startBrowser, startSim, within } from "./harness.mjs";

const kLimitMs = 12_000; // set below: long enough to chat, short enough to wait for

// Ping and close of a raw WebSocket, with its times.
function openRaw(url) {
  const begin = performance.now();
  const socket = new WebSocket(url);
  const frames = [];
  socket.on("message", (data) => frames.push(JSON.parse(data)));
  socket.on("error", () => {});
  const closed = new Promise((done) => socket.once("close", (code, reason) => done({ code, reason: reason.toString(), ms: performance.now() - begin })));
  return { socket, frames, closed };
}

describe("Hobby-fluid", { timeout: 200_000 }, () => {
  let sim;
  let browser;

  before(async () => {
    const app = await copyApp();
    sim = await startSim(["--profile", "hobby-fluid", "--isolation", "none", "--set", `duration.default=${kLimitMs / 1000}s`], { cwd: app });
    browser = await startBrowser();
    await request(`${sim.url}/api/socket`); // compiled before the clock of a socket runs
    await request(`${sim.url}/api/ws`);
  });

  after(async () => {
    await browser?.close();
    await cleanUp();
  });

  test("Hobby-fluid: a raw WebSocket talks through the tunnel, and is closed at the limit with code 1006", async () => {
    const { socket, frames, closed } = openRaw(`ws://localhost:${sim.port}/ws`);
    await within(5_000, "open", once(socket, "open"));
    const answer = once(socket, "message");
    socket.send(JSON.stringify({ type: "join", room: "tea", name: "Ada" }));
    await within(5_000, "an answer", answer);
    assert.deepEqual(frames[0], { type: "presence", room: "tea", names: ["Ada"] });

    const { code, reason, ms } = await within(kLimitMs + 8_000, "close", closed);
    assert.equal(code, 1006);
    assert.equal(reason, "");
    assert.ok(ms >= kLimitMs, `closed after ${ms} ms`);
    const end = await sim.waitForEvent("end of the socket", isEnd({ target: "/ws" }));
    assert.equal(end.traffic, "socket");
    assert.equal(end.code, "SIM_WEBSOCKET_CLOSED_AT_LIMIT");
    await sim.output.waitFor(/SIM_WEBSOCKET_CLOSED_AT_LIMIT/, 5_000);
  });

  test("Hobby-fluid: a socket that closes by itself is not called a violation", async () => {
    const { socket, closed } = openRaw(`ws://127.0.0.1:${sim.port}/ws?mine=1`);
    await within(5_000, "open", once(socket, "open"));
    socket.close(1000, "bye");
    assert.equal((await within(5_000, "close", closed)).code, 1000);
    const end = await sim.waitForEvent("end of the socket", isEnd({ target: "/ws?mine=1" }));
    assert.equal(end.code, undefined);
  });

  for (const transport of ["websocket", "auto", "raw"]) {
    test(`Hobby-fluid: two tabs chat over transport "${transport}"`, async () => {
      const context = await browser.newContext();
      const tabs = [];
      for (const name of ["Ada", "Bob"]) tabs.push(await openChat(context, sim.url, { transport, room: `room-${transport}`, name }));
      for (const tab of tabs) {
        await tab.join();
        await tab.waitFor("status", /^connected$/);
      }
      const [ada, bob] = tabs;
      await bob.waitFor("via", /^websocket$/);
      await ada.say("over a socket");
      await bob.waitFor("messages", /Ada.*over a socket/);
      await context.close();
    });
  }

  test("Hobby-fluid: a chat that is closed at the limit says so, and comes back", async () => {
    const context = await browser.newContext();
    const ada = await openChat(context, sim.url, { transport: "websocket", room: "long", name: "Ada" });
    await ada.join();
    await ada.waitFor("status", /^connected$/);
    await ada.waitFor("wire", /disconnect: transport (close|error)/, kLimitMs + 10_000);
    await ada.waitFor("status", /^connected$/, 15_000);
    await context.close();
  });

  test("Hobby-fluid: Ctrl-C with an open WebSocket leaves nothing", async () => {
    const { socket, closed } = openRaw(`ws://localhost:${sim.port}/ws?last=1`);
    await within(5_000, "open", once(socket, "open"));
    const { left, files } = await sim.stop("SIGINT");
    assert.equal((await within(5_000, "close", closed)).code, 1006);
    assert.deepEqual(left, []);
    assert.deepEqual(files, []);
  });
});

describe("Time scale", { timeout: 100_000 }, () => {
  after(cleanUp);

  test("Time scale: at 5x a limit of 10 s is 2 s, and the app's timers run five times as fast", async () => {
    const sim = await startSim(["--profile", "hobby", "--time-scale", "5x"], { cwd: await copyApp() });
    const inTime = await request(`${sim.url}/api/slow?ms=7500`);
    assert.equal(inTime.status, 200);
    const warm = await request(`${sim.url}/api/slow?ms=7500`);
    assert.ok(warm.ms >= 1_500 && warm.ms < 7_500, `answered after ${warm.ms} ms`);
    const cut = await request(`${sim.url}/api/slow?ms=15000`);
    assert.equal(cut.status, 504);
    assert.ok(cut.ms >= 2_000, `answered after ${cut.ms} ms`);
    const end = await sim.waitForEvent("the end of what was cut", (event) => event.t === "invocation_ended" && event.status === 504);
    assert.ok(end.charged_ms >= 2_000 && end.charged_ms < 3_000, JSON.stringify(end));
    assert.deepEqual((await sim.stop()).left, []);
  });
});
