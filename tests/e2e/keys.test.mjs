// The keys of `run` over real `next dev`, with a stream, a WebSocket and a counter: what is switched holds for what comes from then on, and
// what goes on is left where it is.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { WebSocket } from "ws";
import { cleanUp, copyApp, eventually, isEnd, once, request, startSim, within } from "./harness.mjs";

// By the contract that experimental_upgradeWebSocket of @vercel/functions stands on.
const kSocket = `
import { WebSocketServer } from "ws";
let count = 0;
export const dynamic = "force-dynamic";
export async function GET() {
  const context = (globalThis as any)[Symbol.for("@vercel/request-context")]?.get?.();
  if (typeof context?.upgradeWebSocket !== "function") return Response.json({ upgradable: false });
  const { req, socket, head } = context.upgradeWebSocket();
  await new Promise<void>((done) => {
    new WebSocketServer({ noServer: true }).handleUpgrade(req, socket, head, (client) => {
      client.on("message", (data) => String(data) === "end" ? client.terminate() : client.send(JSON.stringify({ pid: process.pid, count: ++count, data: String(data) })));
      client.send(JSON.stringify({ pid: process.pid }));
      done();
    });
  });
  return new Response(null, { status: 204 });
}
`;
const kWho = `
let count = 0;
export const dynamic = "force-dynamic";
export const GET = () => Response.json({ pid: process.pid, count: ++count, deployment: process.env.VERCEL_DEPLOYMENT_ID });
`;
const kTerminal = spawnSync("script", ["-qec", "true", "/dev/null"]).status === 0;

const who = async (sim) => JSON.parse((await request(`${sim.url}/api/who`)).text);

async function openSocket(sim) {
  const socket = new WebSocket(`ws://localhost:${sim.port}/api/talk`);
  const opened = once(socket, "message");
  socket.on("error", () => {});
  const { pid } = JSON.parse(await within(30_000, "the first word of the socket", opened));
  const ask = async (text) => {
    const answer = once(socket, "message");
    socket.send(text);
    return JSON.parse(await within(10_000, "an answer on the socket", answer));
  };
  return { socket, pid, ask };
}

// The ticks of /api/sse, as they come.
function openStream(sim) {
  const ended = new AbortController();
  const ticks = [];
  const done = (async () => {
    const response = await fetch(`${sim.url}/api/sse`, { signal: ended.signal });
    for await (const part of response.body.pipeThrough(new TextDecoderStream())) ticks.push(part);
  })().catch((error) => error);
  return { ticks, stop: () => ended.abort(), done };
}

describe("Keys", { timeout: 300_000, skip: !kTerminal && "no script(1) to make a terminal" }, () => {
  let sim;

  before(async () => {
    const app = await copyApp({ "app/api/talk/route.ts": kSocket, "app/api/who/route.ts": kWho });
    sim = await startSim(["--profile", "hobby-fluid", "--placement", "pack"], { cwd: app, terminal: true, env: { NO_COLOR: "1" } });
    await who(sim);
    await request(`${sim.url}/api/talk`); // compiled
  });
  after(cleanUp);

  test("kill, by the API with the token of the link: the request that ran there gets what a crash gets, and it is no fault of the app", async () => {
    const [, token] = /_vercel-sim\/#([0-9a-f]{16})/.exec(sim.output.text);
    const slow = request(`${sim.url}/api/slow?ms=60000`);
    const ran = await sim.waitForEvent("the handler runs", (event) => event.t === "invocation_running" && event.route === "/api/slow");
    const kill = (name) => fetch(`${sim.url}/_vercel-sim/api/kill?instance=${name}`, { method: "POST", headers: { "X-Vercel-Sim-Token": token } });
    assert.equal((await kill(ran.instance)).status, 200);
    assert.equal((await within(10_000, "its end", slow)).status, 500);
    const end = await sim.waitForEvent("its end", isEnd({ id: ran.id }));
    assert.equal(end.code, "FUNCTION_INVOCATION_FAILED");
    assert.equal(end.ended_by, "emulator");
    assert.match(end.verdicts[0].measured, /killed because somebody asked for it/);
    assert.equal(end.verdicts[0].enforced, false, "no violation of the run");
    await sim.output.waitFor(new RegExp(`${ran.instance} is killed because somebody asked for it`), 5_000);
    assert.equal((await kill(ran.instance)).status, 409, "it is gone");
    assert.equal((await request(`${sim.url}/api/slow?ms=1`)).status, 200, "another one serves on");
  });

  test("i: the next request gets a fresh instance, a stream and a socket stay on theirs until they end", async () => {
    const before = await who(sim);
    const talk = await openSocket(sim);
    const stream = openStream(sim);
    await eventually("a tick", 30_000, () => stream.ticks.length > 0);
    assert.equal((await talk.ask("one")).count, 1);
    sim.press("i");
    await sim.output.waitFor(/^note: all instances are new from the next request on/m, 10_000);
    const fresh = await who(sim);
    assert.notEqual(fresh.pid, before.pid);
    assert.equal(fresh.count, 1);
    assert.deepEqual(await talk.ask("two"), { pid: talk.pid, count: 2, data: "two" });
    const seen = stream.ticks.length;
    await eventually("more ticks", 10_000, () => stream.ticks.length > seen);
    const again = await openSocket(sim);
    assert.notEqual(again.pid, talk.pid);
    for (const { socket } of [talk, again]) socket.close();
    stream.stop();
    await stream.done;
    const retired = sim.events().filter((e) => e.t === "instance_changed" && e.to === "retired");
    assert.deepEqual(retired.map((e) => e.why), ["asked"]);
  });

  test("d: sockets and streams stay on the old deployment, new requests meet the new one, and the score says who came back", async () => {
    const before = await who(sim);
    const [faithful, faithless] = [await openSocket(sim), await openSocket(sim)];
    const stream = openStream(sim);
    await eventually("a tick", 30_000, () => stream.ticks.length > 0);
    sim.press("d");
    await sim.output.waitFor(/^deployment 2: new requests go to it, on fresh instances; 2 sockets, 1 stream stay on the one before until they end$/m, 10_000);
    const fresh = await who(sim);
    assert.notEqual(fresh.pid, before.pid);
    assert.deepEqual([before.deployment, fresh.deployment, fresh.count], ["dpl_vercelsim", "dpl_vercelsim2", 1]);
    assert.deepEqual(await faithful.ask("still here"), { pid: faithful.pid, count: 1, data: "still here" });
    // The function ends both; one client knows what to do then.
    const closed = [faithful, faithless].map(({ socket }) => once(socket, "close"));
    const [one, other] = [faithful, faithless];
    one.socket.send("end");
    await within(10_000, "the end of the first", closed[0]);
    const back = await openSocket(sim);
    assert.notEqual(back.pid, faithful.pid);
    other.socket.send("end");
    await within(10_000, "the end of the second", closed[1]);
    stream.stop();
    const scored = await sim.waitForEvent("the score", (e) => e.t === "deployment_scored", 90_000);
    assert.deepEqual([scored.sockets, scored.streams, scored.reconnected, scored.lost, scored.left, scored.ended, scored.open], [2, 1, 1, 1, 1, 0, 0]);
    await sim.output.waitFor(/^ deployment 2 WS \/api\/talk came back after \S+ \(it had stayed \S+ on the old one\)$/m, 10_000);
    await sim.output.waitFor(/^ deployment 2 WS \/api\/talk is lost: it was ended, and nobody came back within 10s/m, 10_000);
    await sim.output.waitFor(/^deployment 2 met 2 sockets and 1 stream: 1 came back \(slowest \S+\), 1 left, 1 lost$/m, 10_000);
    const met = sim.events().filter((e) => e.t === "deployment_met" && e.socket).map((e) => e.fate);
    assert.deepEqual(met, ["reconnected", "lost"]);
    back.socket.close();
  });

  test("p: a socket stays open under the plan that carries it; from then on each request has an instance and the limits of the next plan", async () => {
    const talk = await openSocket(sim);
    const before = await who(sim);
    sim.press("p");
    await sim.output.waitFor(/^plan pro \(as of \S+\) for requests that come from now on, after hobby-fluid;/m, 10_000);
    await sim.output.waitFor(/^ {2}websocket\.policy +tunnel → reject$/m, 10_000);
    const first = await who(sim);
    const second = await who(sim);
    assert.deepEqual([first.count, second.count], [1, 1], "no instance serves twice without Fluid compute");
    assert.equal(new Set([before.pid, first.pid, second.pid]).size, 3);
    assert.equal((await talk.ask("still")).pid, talk.pid);
    const refused = new WebSocket(`ws://localhost:${sim.port}/api/talk`);
    const error = await within(10_000, "a refusal", once(refused, "error"));
    assert.match(error.message, /400/);
    assert.equal((await request(`${sim.url}/api/slow?ms=300`)).status, 200);
    const slow = await sim.waitForEvent("a request under the next plan", isEnd({ target: "/api/slow?ms=300" }));
    assert.equal(slow.limit_ms, 60_000);
    const changed = sim.events().find((e) => e.t === "profile_changed");
    assert.deepEqual([changed.profile, changed.before, changed.isolation], ["pro", "hobby-fluid", "invocation"]);
    const closed = once(talk.socket, "close");
    talk.socket.close();
    await within(10_000, "the close", closed);
    const end = await sim.waitForEvent("the end of the socket", (e) => isEnd({ target: "/api/talk", traffic: "socket", status: 101 })(e) && e.limit_ms === 300_000 && e.seq > changed.seq);
    assert.equal(end.code, undefined);
    await sim.waitForEvent("the end of its instance", (e) => e.t === "instance_changed" && e.instance === end.instance && e.to === "dead", 20_000);
  });

  test("t: limits and the timers of functions run faster from then on, and a verdict names the limit as it is", async () => {
    sim.press("t");
    await sim.output.waitFor(/^time scale 2x for requests that come from now on/m, 10_000);
    const begun = performance.now();
    assert.equal((await request(`${sim.url}/api/slow?ms=4000`)).status, 200);
    const end = await sim.waitForEvent("its end", isEnd({ target: "/api/slow?ms=4000" }));
    assert.equal(end.limit_ms, 30_000);
    assert.ok(end.charged_ms < 3_500, `${end.charged_ms} ms of ${performance.now() - begun}`);
  });

  test("q ends it, and nothing is left", async () => {
    sim.press("q");
    const { code } = await within(15_000, "the end", sim.exited);
    assert.equal(code, 0);
    await eventually("no process left", 5_000, () => sim.alive().length === 0);
  });
});
