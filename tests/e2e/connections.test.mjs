// Connections of several instances to one database: each instance has a pool of its own, which one `next dev` does not show. Said once; where the database
// has no room left, it is a violation at the app's own line.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { cleanUp, isEnd, once, startSim, within } from "./harness.mjs";
import { makeApp } from "./packages/app.mjs";
import { tinyPostgres } from "./packages/servers.mjs";

const kRoom = 2;
const kPool = `import pg from "pg";
const pool = new pg.Pool({ host: "127.0.0.1", port: Number(process.env.PORT_OF_DATABASE), user: "app", database: "shop" });
export const query = (text) => pool.query(text);
`;
// Its instance is taken until the gate opens.
const kRoute = `import { connection } from "next/server";
import { query } from "../../../lib/pool";
export const maxDuration = 60;
export async function GET() {
  await connection();
  const { rowCount } = await query("select users");
  await fetch("http://127.0.0.1:" + process.env.PORT_OF_GATE);
  return Response.json({ rowCount });
}
`;

// Answers when it is opened; `arrived(n)`: n requests wait before it.
async function makeGate() {
  const waiting = [];
  let wanted = () => {};
  let isOpen = false;
  const server = createServer((_, res) => {
    if (isOpen) return res.end();
    waiting.push(res);
    wanted();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const arrived = (n) => new Promise((done) => (wanted = () => waiting.length >= n && done())());
  const open = () => {
    isOpen = true;
    for (const res of waiting.splice(0)) res.end();
  };
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return { port: server.address().port, arrived, open, stop };
}

describe("Connections of instances to one database", { timeout: 240_000 }, () => {
  let database;
  let gate;
  let sim;
  before(async () => {
    database = await tinyPostgres({ room: kRoom });
    gate = await makeGate();
    const row = { packages: ["pg@8"], files: { "lib/pool.js": kPool, "app/api/held/route.js": kRoute } };
    const cwd = await makeApp([row], false, new Map([["database", database.port], ["gate", gate.port]]));
    sim = await startSim(["--profile", "hobby", "--set", "network.loopback=off"], { cwd });
  });
  after(async () => {
    gate?.stop();
    database?.stop();
    await sim?.stop();
    await cleanUp();
  });

  test("what they hold together is said once; who is refused one more is told why, at the line that asked for it", async () => {
    const held = [0, 1].map(() => fetch(`${sim.url}/api/held`));
    await within(60_000, "two functions with a connection each", gate.arrived(kRoom));
    const refused = await within(60_000, "the third", fetch(`${sim.url}/api/held`));
    assert.equal(refused.status, 500);
    gate.open();
    for (const { status } of await Promise.all(held)) assert.equal(status, 200);
    const end = await sim.waitForEvent("the third's end", isEnd({ request_id: refused.headers.get("x-vercel-id") }));
    const to = `127.0.0.1:${database.port}`;
    const verdicts = end.verdicts.map(({ code, measured, limit, file }) => ({ code, measured, limit, file: file.replace(/:\d+$/, "") }));
    const limit = `${to} takes no more: 53300 sorry, too many clients already`;
    assert.deepEqual(verdicts, [{ code: "SIM_CONNECTIONS_REFUSED", measured: `2 instances hold 2 connections to ${to}`, limit, file: "lib/pool.js:3" }]);
    for (const { headers } of await Promise.all(held)) await sim.rest(headers);
    const notices = sim.events().filter(({ t, message }) => t === "notice" && message.includes(to));
    assert.equal(notices.length, 1);
    assert.match(notices[0].message, /^2 instances hold 2 connections to 127\.0\.0\.1:\d+, opened at lib\/pool\.js:3:\d+: /);
    assert.match(notices[0].fix, /attachDatabasePool/);
    const others = sim.events().filter((event) => event !== end && event.verdicts?.length > 0);
    assert.deepEqual(others, [], "nobody else is accused");
  });
});
