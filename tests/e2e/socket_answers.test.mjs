// What a socket's client is told where the platform has no such server, in the forms that people write: Socket.IO on a path of its own, over every
// transport, with and without its slash, on `res.socket.server`, and a raw WebSocket on /ws. And advice that fits its cause: for a loop without
// end, a limit that is the plan's greatest, an interval of a module.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { io } from "socket.io-client";
import WebSocket from "ws";
import { cleanUp, copyApp, eventually, isEnd, once, request, startSim, within } from "./harness.mjs";

const kFiles = {
  "pages/api/io.ts": `
import type { NextApiRequest, NextApiResponse } from "next";
import { Server } from "socket.io";
export default function handler(req: NextApiRequest, res: NextApiResponse) {
  const { server } = res.socket as any;
  server.io ??= new Server(server, { path: "/api/io", addTrailingSlash: false });
  res.end();
}
`,
  "app/api/loop/route.ts": `
export const dynamic = "force-dynamic";
export const maxDuration = 2;
export function GET() {
  for (;;) Math.random();
}
`,
  "app/api/longest/route.ts": `
export const dynamic = "force-dynamic";
export const GET = () => new Promise<Response>(() => {});
`,
  "app/api/ticks/route.ts": `
export const dynamic = "force-dynamic";
const seen = { at: 0 };
setInterval(() => { seen.at += 1; }, 1_000);
export const GET = () => Response.json(typeof seen.at);
`,
};
const kSoonMs = 20_000;

const codes = (end) => (end.verdicts ?? []).map(({ code }) => code);
const ends = (sim, path, more = () => true) => sim.events().filter((e) => e.t === "invocation_ended" && e.target.split("?")[0].replace(/(.)\/$/, "$1") === path && more(e));
// Codes that were told of a path, in the order in which they were told.
const told = (sim, path) => ends(sim, path).flatMap(codes);

// Until its client has given up; what it asked is in the events by then.
async function failsToConnect(sim, path, options) {
  const socket = io(sim.url, { path, reconnection: false, forceNew: true, ...options });
  const before = ends(sim, path).length;
  const error = await within(kSoonMs, `connect_error at ${path}`, once(socket, "connect_error"));
  socket.close();
  await eventually(`end of ${path}`, kSoonMs, () => ends(sim, path).length > before);
  return error.message;
}

async function rawFails(sim, path) {
  const socket = new WebSocket(`${sim.url.replace("http", "ws")}${path}`);
  const error = await within(kSoonMs, `error at ${path}`, once(socket, "error"));
  await sim.waitForEvent(`end of ${path}`, isEnd({ target: path }), kSoonMs);
  return error.message;
}

describe("Socket servers that are not there", { timeout: 240_000 }, () => {
  let app;
  before(async () => (app = await copyApp(kFiles)));
  after(cleanUp);

  test("Hobby: Socket.IO meets nothing over any transport, each told once; no advice that cannot work there", async (t) => {
    const sim = await startSim(["--profile", "hobby", "--set", "duration.default=2s", "--set", "duration.max=2s"], { cwd: app });
    t.after(() => sim.kill());
    await request(`${sim.url}/nowhere`); // compiled
    for (const transports of [["polling"], ["websocket"], ["polling", "websocket"], ["polling"]]) await failsToConnect(sim, "/live", { transports, addTrailingSlash: false });
    const polls = ends(sim, "/live", ({ traffic }) => traffic !== "socket").flatMap(({ verdicts }) => verdicts ?? []);
    assert.deepEqual(polls.filter(({ code }) => code !== "SIM_WEBSOCKET_REFUSED").map(({ code, enforced }) => [code, enforced]), [["SIM_NO_SOCKET_SERVER", true]]);
    const { fix } = polls.find(({ code }) => code === "SIM_NO_SOCKET_SERVER");
    assert.match(fix, /Ably, Pusher/);
    assert.doesNotMatch(fix, /experimental_upgradeWebSocket/);
    assert.ok(told(sim, "/live").includes("SIM_WEBSOCKET_REFUSED"));
    await rawFails(sim, "/ws2");
    assert.deepEqual(told(sim, "/ws2"), ["SIM_WEBSOCKET_REFUSED"]);
    // It answers the poll as a plain GET, with nothing.
    await failsToConnect(sim, "/api/io", { transports: ["polling"], addTrailingSlash: false });
    assert.ok(told(sim, "/api/io").includes("SIM_NO_SOCKET_SERVER"), told(sim, "/api/io").join());

    await Promise.all([request(`${sim.url}/api/loop`), request(`${sim.url}/api/longest`)]);
    const verdictOf = async (target) => (await sim.waitForEvent(`end of ${target}`, isEnd({ target }), kSoonMs)).verdicts.find(({ code }) => code === "FUNCTION_INVOCATION_TIMEOUT");
    const loop = await verdictOf("/api/loop");
    assert.match(loop.fix, /event loop was busy/);
    assert.doesNotMatch(loop.fix, /maxDuration|after\(\)/);
    const longest = await verdictOf("/api/longest");
    assert.doesNotMatch(longest.fix, /[Ww]rite .*maxDuration|event loop was busy/);

    for (let n = 0; n < 6; n++) assert.equal((await request(`${sim.url}/api/ticks?${n}`)).status, 200);
    const work = await sim.waitForEvent("the interval", ({ t, route }) => t === "background_work" && route === "/api/ticks");
    assert.match(work.verdicts[0].file, /^app\/api\/ticks\/route\.ts:4/);
    assert.doesNotMatch(work.verdicts[0].fix, /after\(\)|waitUntil/);
    assert.equal((await sim.stop()).code, 130);  // Ctrl-C
    assert.equal(sim.events().filter(({ t, route }) => t === "background_work" && route === "/api/ticks").length, 1);
  });

  test("Hobby-fluid: 404, 308 and 200 that a socket's client gets are told once each, with the advice for each", async (t) => {
    const sim = await startSim(["--profile", "hobby-fluid"], { cwd: app });
    t.after(() => sim.kill());
    await request(`${sim.url}/nowhere`); // compiled
    const verdicts = (path, upgrade) => ends(sim, path, ({ traffic }) => (traffic === "socket") === upgrade).flatMap((e) => e.verdicts ?? []);
    const said = (path, upgrade) => verdicts(path, upgrade).map(({ code, enforced }) => `${code}${enforced ? "" : "?"}`);

    // The default path of Socket.IO, behind which it puts a slash that Next redirects away.
    for (const transports of [["websocket"], ["websocket"], ["polling"], ["polling", "websocket"]]) await failsToConnect(sim, "/socket.io", { transports });
    assert.deepEqual(said("/socket.io", true), ["SIM_NO_SOCKET_SERVER"]);
    assert.match(verdicts("/socket.io", true)[0].fix, /addTrailingSlash: false/);
    assert.match(verdicts("/socket.io", true)[0].measured, /308, a redirect to \/socket\.io,/);
    assert.equal(new Set(said("/socket.io", false)).size, said("/socket.io", false).length, "once for each kind of answer");
    assert.match(verdicts("/socket.io", false)[0].fix, /transports: \['websocket'\]/);

    // A path of its own without the slash.
    for (const transports of [["websocket"], ["websocket"], ["polling"]]) await failsToConnect(sim, "/live", { transports, addTrailingSlash: false });
    assert.deepEqual([said("/live", true), said("/live", false)], [["SIM_NO_SOCKET_SERVER"], ["SIM_NO_SOCKET_SERVER"]]);
    assert.match(verdicts("/live", true)[0].fix, /Make a route handler at this path/);

    // `ws` on a path of its own, a page, a handler that answers as for a plain GET.
    assert.match(await rawFails(sim, "/ws2"), /404/);
    assert.match(await rawFails(sim, "/about"), /200/);
    assert.match(await rawFails(sim, "/api/echo"), /200/);
    assert.match(await rawFails(sim, "/ws2"), /404/);
    for (const path of ["/ws2", "/about", "/api/echo"]) assert.deepEqual(said(path, true), ["SIM_NO_SOCKET_SERVER?"], path);
    assert.match(verdicts("/api/echo", true)[0].fix, /inside the handler/);
    assert.match(verdicts("/about", true)[0].measured, /200 by a page/);

    // `res.socket.server`: the upgrade comes to the handler, which makes a server for what comes later.
    await failsToConnect(sim, "/api/io", { transports: ["websocket"], addTrailingSlash: false });
    assert.deepEqual(said("/api/io", true), ["SIM_NO_SOCKET_SERVER"]);
    assert.match(verdicts("/api/io", true)[0].fix, /res\.socket\.server/);
    assert.equal((await sim.stop()).code, 130);  // Ctrl-C
  });
});
