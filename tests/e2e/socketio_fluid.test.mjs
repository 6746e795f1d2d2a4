// Socket.IO with `transports: ['websocket']` in a route handler on Fluid compute: `socket.io-client` and a browser talk through the tunnel, and
// a room is one instance's.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { io } from "socket.io-client";
import { cleanUp, copyApp, eventually, startBrowser, startSim, within } from "./harness.mjs";

const kRoute = `
import { Server as Engine } from "engine.io";
import { Server } from "socket.io";
export const dynamic = "force-dynamic";
const engine = new Engine({ transports: ["websocket"] });
const server = new Server();
server.bind(engine);
server.on("connection", (socket) => {
  socket.join("lobby");
  socket.emit("hello", process.pid);
  socket.on("say", (text: string) => server.to("lobby").emit("said", text));
});
export async function GET() {
  const { req, socket, head } = (globalThis as any)[Symbol.for("@vercel/request-context")].get().upgradeWebSocket();
  engine.handleUpgrade(req, socket, head);
  return new Response(null, { status: 204 });
}
`;

describe("Socket.IO on fluid", { timeout: 240_000 }, () => {
  let sim, browser;
  before(async () => {
    const app = await copyApp({ "app/api/io/route.ts": kRoute });
    sim = await startSim(["--profile", "hobby-fluid", "--placement", "spread:2"], { cwd: app });
    browser = await startBrowser();
  });
  after(async () => {
    await browser?.close();
    await cleanUp();
  });

  const join = async () => {
    const socket = io(sim.url, { path: "/api/io", transports: ["websocket"], reconnection: false, addTrailingSlash: false, forceNew: true });
    const said = [];
    socket.on("said", (text) => said.push(text));
    const pid = await within(60_000, "hello", new Promise((done, fail) => {
      socket.once("hello", done);
      socket.once("connect_error", fail);
    }));
    return { socket, said, pid };
  };

  test("Socket.IO on fluid: two on one instance share a room, two on two do not, and that is told", async () => {
    const [first, second, mine] = [await join(), await join(), await join()];
    assert.notEqual(first.pid, second.pid, "they take turns");
    const [mate, stranger] = mine.pid === first.pid ? [first, second] : [second, first];
    assert.equal(mine.pid, mate.pid);
    mine.socket.emit("say", "hello mate");
    await eventually("the word in the room", 10_000, () => mate.said.length > 0 && mine.said.length > 0);
    stranger.socket.emit("say", "anybody?");
    await eventually("the word in the other room", 10_000, () => stranger.said.length > 0);
    assert.deepEqual([mine.said, mate.said, stranger.said], [["hello mate"], ["hello mate"], ["anybody?"]]);
    await sim.output.waitFor(/warning: app\/api\/io\/route\.ts: \/api\/io has sockets open on i\d+ and on i\d+: [^]*SIM_STATE_NOT_SHARED/, 5_000);
    for (const { socket } of [first, second, mine]) socket.disconnect();
  });

  test("Socket.IO on fluid: a browser's own WebSocket talks through the tunnel", async () => {
    const page = await browser.newPage();
    await page.goto(`${sim.url}/icon.svg`);
    const first = await page.evaluate((url) => new Promise((done, fail) => {
      const socket = new WebSocket(url);
      socket.onmessage = ({ data }) => { socket.close(); done(data); };
      socket.onerror = () => fail(new Error("WebSocket error"));
    }), `${sim.url.replace("http", "ws")}/api/io?EIO=4&transport=websocket`);
    assert.match(first, /^0\{"sid":/, "engine.io's open packet");
    await page.close();
  });

  test("Socket.IO on fluid: it stops clean", async () => {
    const { left, files } = await sim.stop();
    assert.deepEqual([left, files], [[], []]);
  });
});
