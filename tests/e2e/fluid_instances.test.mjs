// Instances that several requests share (Fluid compute), in front of a real `next dev`: who shares with whom, what ends all, and WebSockets in a route.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { WebSocket } from "ws";
import { cleanUp, copyApp, eventually, isEnd, once, request, startSim, within } from "./harness.mjs";
import { json, kCrashes, kKept } from "./isolation_app.mjs";

// A room in module state, by the contract that experimental_upgradeWebSocket of @vercel/functions stands on.
const kRoom = `
import { WebSocketServer, type WebSocket } from "ws";
const members = new Set<WebSocket>();
export const dynamic = "force-dynamic";
export async function GET(request: Request) {
  const context = (globalThis as any)[Symbol.for("@vercel/request-context")]?.get?.();
  if (typeof context?.upgradeWebSocket !== "function") return Response.json({ upgradable: false });
  const { req, socket, head } = context.upgradeWebSocket();
  await new Promise<void>((done) => {
    new WebSocketServer({ noServer: true }).handleUpgrade(req, socket, head, (client) => {
      members.add(client);
      client.on("message", (data) => {
        const text = String(data);
        if (text === "throw") throw new Error("broken by a message");
        if (text === "kill") process.kill(process.pid, "SIGKILL");
        members.forEach((member) => member.send(text));
      });
      client.on("close", () => members.delete(client));
      client.send(JSON.stringify({ pid: process.pid }));
      done();
    });
  });
  if (request.url.includes("late-throw")) throw new Error("behind the upgrade");
  return new Response(null, { status: 204 });
}
`;
const kFiles = { "app/api/crash/route.ts": kCrashes, "app/api/kept/route.ts": kKept, "app/api/room/route.ts": kRoom };

describe("Isolation: Fluid compute", { timeout: 200_000 }, () => {
  let sim;
  before(async () => {
    sim = await startSim(["--profile", "hobby-fluid", "--seed", "7", "--set", "duration.default=6s"], { cwd: await copyApp(kFiles) });
  });
  after(cleanUp);

  test("Fluid: with spread:2 two clients take turns on two instances and see two counts", async () => {
    const seen = [];
    for (let i = 0; i < 8; i += 1) seen.push(await json(`${sim.url}/api/kept`));
    const pids = [...new Set(seen.map(({ pid }) => pid))];
    assert.equal(pids.length, 2);
    for (const pid of pids) {
      const counts = seen.filter((answer) => answer.pid === pid).map(({ count }) => count);
      assert.deepEqual(counts, [1, 2, 3, 4]);
    }
  });

  test("Fluid: requests at the same time share an instance", async () => {
    const answers = await Promise.all(Array.from({ length: 4 }, () => json(`${sim.url}/api/kept?ms=1000`)));
    assert.equal(new Set(answers.map(({ pid }) => pid)).size, 2);
  });

  test("Fluid: a loop takes its neighbours with it, and they are told why", async () => {
    for (const route of ["crash", "slow?ms=0"]) assert.equal((await request(`${sim.url}/api/${route}`)).status, 200); // compiled
    // Its deadline comes two seconds before theirs, and while they wait it loops.
    const loop = request(`${sim.url}/api/crash?how=loop&after=4000`);
    await request(`${sim.url}/api/slow?ms=2000`);
    const slow = Promise.all(Array.from({ length: 4 }, () => request(`${sim.url}/api/slow?ms=20000`)));
    assert.equal((await loop).status, 504);
    for (const answer of await slow) assert.ok([500, 504].includes(answer.status), `${answer.status}`);
    const notice = await sim.waitForEvent("the notice", (event) => event.t === "notice" && /event loop did not answer/.test(event.message), 30_000);
    for (const route of ["/api/slow", "/api/crash"]) assert.ok(notice.message.includes(route), notice.message);
    assert.equal((await request(`${sim.url}/api/crash`)).status, 200);
  });

  test("Fluid: WebSockets in a route: a room is one instance's, and a socket is closed at the function's maximum duration", async () => {
    assert.deepEqual(await json(`${sim.url}/api/room`), { upgradable: false }); // compiled before the clock of a socket runs
    const begin = performance.now();
    const sockets = await Promise.all(
      ["a", "b", "c", "d"].map(async (name) => {
        const socket = new WebSocket(`ws://localhost:${sim.port}/api/room?${name}`);
        const heard = [];
        socket.on("error", () => {});
        const closed = new Promise((done) => socket.once("close", (code) => done({ code, ms: performance.now() - begin })));
        const [first] = await within(15_000, `a word to ${name}`, new Promise((done) => socket.once("message", (...all) => done(all))));
        socket.on("message", (data) => heard.push(String(data)));
        return { name, socket, heard, closed, pid: JSON.parse(first).pid };
      }),
    );
    assert.equal(new Set(sockets.map(({ pid }) => pid)).size, 2);
    const [speaker] = sockets;
    const neighbours = sockets.filter(({ pid }) => pid === speaker.pid);
    const strangers = sockets.filter(({ pid }) => pid !== speaker.pid);
    speaker.socket.send("hello");
    await eventually("everybody in the room heard it", 3_000, () => neighbours.every(({ heard }) => heard.includes("hello")));
    strangers[0].socket.send("hello there");
    await eventually("the others hear each other", 3_000, () => strangers.every(({ heard }) => heard.includes("hello there")));
    for (const { heard } of strangers) assert.deepEqual(heard, ["hello there"]);
    for (const { closed } of sockets) {
      const { code, ms } = await within(15_000, "close", closed);
      assert.equal(code, 1006);
      assert.ok(ms >= 5_500, `closed after ${ms} ms`);
    }
    const end = await sim.waitForEvent("end of a socket", isEnd({ target: "/api/room?a", code: "SIM_WEBSOCKET_CLOSED_AT_LIMIT" }));
    assert.match(end.instance, /^i\d+$/);
  });

  for (const [word, cause] of [["throw", /uncaught exception: broken by a message; its WebSocket was cut off/], ["kill", /killed by SIGKILL.*; its WebSocket was cut off/]]) {
    test(`Fluid: an instance that ends with a WebSocket open (${word}): the socket ends at once, and its line says why`, async () => {
      const socket = new WebSocket(`ws://localhost:${sim.port}/api/room?${word}`);
      socket.on("error", () => {});
      const closed = once(socket, "close");
      await within(15_000, "the first message", once(socket, "message"));
      socket.send(word);
      await within(4_000, "close before the limit", closed);
      const end = await sim.waitForEvent("end of the socket", isEnd({ target: `/api/room?${word}` }));
      assert.equal(end.code, "FUNCTION_INVOCATION_FAILED");
      assert.match(end.verdicts[0].measured, cause);
    });
  }

  test("Fluid: a handler that throws behind the upgrade, whose client sees nothing of it, is told", async () => {
    const socket = new WebSocket(`ws://localhost:${sim.port}/api/room?late-throw`);
    socket.on("error", () => {});
    await within(15_000, "the first message", once(socket, "message"));
    const notice = await sim.waitForEvent("the notice", (event) => event.t === "notice" && /upgrade/.test(event.message));
    assert.match(notice.message, /^\/api\/room threw on i\d+ after it had taken the WebSocket's upgrade/);
    assert.equal(notice.level, "warning");
    socket.terminate();
  });

  test("Fluid: it stops clean", async () => {
    assert.deepEqual((await sim.stop()).left, []);
  });
});
