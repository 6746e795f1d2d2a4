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
const pages = new Set();
const told = [];
const tell = (event) => {
  const line = JSON.stringify({ seq: ++seq, at_ms: Math.round(performance.now()), ...event });
  process.stdout.write(`${line}\n`);
  told.push(`data: ${line}\n\n`);
  for (const page of pages) page.write(told.at(-1));
};
// What the page and the runner ask of a run, as app/live.cpp answers.
const kToken = "00112233445566ff";
function live(req, res) {
  if (req.url.includes("%")) return void res.writeHead(404).end();
  if (req.method === "POST") return void res.writeHead(req.headers["x-vercel-sim-token"] === kToken ? 200 : 403, { "content-type": "application/json" }).end("{}");
  res.writeHead(200, { "content-type": "text/event-stream" });
  res.write(`event: hello\ndata: ${JSON.stringify({ run: String(process.pid), left_out: 0, at_ms: Math.round(performance.now()), takes_actions: true, profiles: ["hobby"] })}\n\n${told.join("")}`);
  pages.add(res);
}
const rooms = [new Map(), new Map()];
const server = createServer(async (req, res) => {
  if (req.url.startsWith("/_vercel-sim/")) return live(req, res);
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
    // Through another pipe than the events, and later than them, as on a busy machine.
    setTimeout(() => process.stderr.write("./app/api/rooms/route.js:1:28\nParsing ecmascript source code failed\n"), 300);
  }
  const verdicts = answer[0] === 404 ? [{ code: "SIM_STATE_NOT_SHARED", enforced: true, measured: "nothing is there" }] : undefined;
  tell({ t: "invocation_ended", ...own, traffic: "invocation", status: answer[0], instance: `i${turn + 1}`, total_ms: 12, charged_ms: 8, bytes_in: 0, bytes_out: 20, ended_by: "function", phase: "responding", verdicts });
  res.writeHead(answer[0], { "x-vercel-id": own.request_id }).end(JSON.stringify(answer[1]));
});
server.listen(0, "127.0.0.1", () => {
  const url = `http://localhost:${server.address().port}`;
  process.stderr.write(`live: ${url}/_vercel-sim/#${kToken}\n`);
  tell({ t: "run_started", url });
});
process.on("SIGTERM", () => process.exit(0));
