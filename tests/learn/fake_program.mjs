#!/usr/bin/env node
// vercel-sim as the lessons use it, without next dev: its `run` serves the first lesson's route as its file says at each request. What is no `run` is the
// real program's (VSIM_BIN).
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const [command, ...rest] = process.argv.slice(2);
if (command !== "run") {
  const { status } = spawnSync(process.env.VSIM_BIN, [command, ...rest], { stdio: "inherit" });
  process.exit(status ?? 70);
}
let seq = 0;
let id = 0;
const tell = (event) => process.stdout.write(`${JSON.stringify({ seq: ++seq, ...event })}\n`);
const rooms = [new Map(), new Map()];
const server = createServer(async (req, res) => {
  let body = "";
  for await (const part of req) body += part;
  const code = readFileSync("app/api/rooms/route.js", "utf8");
  const own = { id: ++id, request_id: `iad1::r-${id}`, method: req.method, target: req.url };
  const turn = code.includes("store.get") ? 0 : id % 2;
  const wanted = new URL(req.url, "http://x").searchParams.get("id");
  tell({ t: "invocation_started", ...own });
  let answer = [500, { error: "it does not compile" }];
  if (/export async function POST\(request\)/.test(code)) {
    if (req.method === "POST") rooms[turn].set(`room${id}`, JSON.parse(body).name);
    answer = req.method === "POST" ? [201, { id: `room${id}` }] : rooms[turn].has(wanted) ? [200, { id: wanted, name: rooms[turn].get(wanted) }] : [404, {}];
  } else {
    process.stderr.write("./app/api/rooms/route.js:1:28\nParsing ecmascript source code failed\n");
  }
  const verdicts = answer[0] === 404 ? [{ code: "SIM_STATE_NOT_SHARED", enforced: true, measured: "nothing is there" }] : undefined;
  tell({ t: "invocation_ended", ...own, traffic: "invocation", status: answer[0], instance: `i${turn + 1}`, ended_by: "function", phase: "responding", verdicts });
  res.writeHead(answer[0], { "x-vercel-id": own.request_id }).end(JSON.stringify(answer[1]));
});
server.listen(0, "127.0.0.1", () => tell({ t: "run_started", url: `http://localhost:${server.address().port}` }));
process.on("SIGTERM", () => process.exit(0));
