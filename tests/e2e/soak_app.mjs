// What the soak asks for: routes of its own beside those of the example app, and one row for each kind of request with what must come of it.
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { WebSocket } from "ws";

// Preloaded into every Node process of the app. On SIGUSR2 a process collects its garbage, twice, since finalizers free more, and writes what
// is left: only so can a leak be told from a heap that has not been collected yet.
const kMeter = `
const folder = process.env.SOAK_FOLDER;
if (folder) {
  const { writeFileSync, renameSync } = require("node:fs");
  const v8 = require("node:v8");
  const vm = require("node:vm");
  const measure = async () => {
    v8.setFlagsFromString("--expose-gc");
    const gc = vm.runInNewContext("gc");
    for (let i = 0; i < 3; i += 1) {
      gc();
      await new Promise((done) => setImmediate(done));
    }
    const { heapUsed, external } = process.memoryUsage();
    writeFileSync(folder + "/new-" + process.pid, JSON.stringify({ heap: heapUsed, external }));
    renameSync(folder + "/new-" + process.pid, folder + "/" + process.pid);
  };
  process.on("SIGUSR2", () => void measure());
}
`;

const kRoute = 'export const dynamic = "force-dynamic";\n';

export const soakFiles = {
  "meter.cjs": kMeter,
  "app/api/drip/route.ts": `${kRoute}
export function GET(request: Request) {
  const chunks = Number(new URL(request.url).searchParams.get("chunks"));
  let sent = 0;
  return new Response(new ReadableStream({
    async pull(controller) {
      if (sent === chunks) return controller.close();
      await new Promise((done) => setTimeout(done, 20));
      controller.enqueue(new TextEncoder().encode("drop " + sent++ + ";"));
    },
  }));
}
`,
  "app/api/limit/route.ts": `${kRoute}export const maxDuration = 4;
export async function GET() {
  await new Promise((done) => setTimeout(done, 60_000));
  return new Response("late");
}
`,
  "app/api/die/route.ts": `${kRoute}
export async function GET(request: Request) {
  const how = new URL(request.url).searchParams.get("how");
  if (how === "exit") process.exit(3);
  if (how === "throw") setTimeout(() => { throw new Error("thrown later"); }, 1);
  if (how === "reject") void Promise.reject(new Error("rejected"));
  await new Promise(() => {});
}
`,
  "app/api/fail/route.ts": `${kRoute}export function GET() { throw new Error("on purpose"); }\n`,
  "app/api/own/route.ts": `${kRoute}
export async function GET(request: Request) {
  const url = new URL(request.url);
  const answer = await fetch(url.origin + "/api/echo" + url.search, { cache: "no-store" });
  return Response.json({ below: (await answer.json()).method });
}
`,
  "app/api/later/route.ts": `${kRoute}import { after } from "next/server";
export function GET() {
  after(() => new Promise((done) => setTimeout(done, 100)));
  return new Response("now");
}
`,
  "app/api/left/route.ts": `${kRoute}
export function GET() {
  const timer = setInterval(() => {}, 50); // for ever would be a leak of the app's own
  setTimeout(() => clearInterval(timer), 2_000);
  return new Response("left");
}
`,
  "app/rsc/[id]/page.tsx": `import { Suspense } from "react";
export const dynamic = "force-dynamic";
async function Late({ id }: { id: string }) {
  await new Promise((done) => setTimeout(done, 20));
  return <p>late {id}</p>;
}
export default async function Page({ params }: { params: Promise<{ id: string }> }) {
  const { id } = await params;
  return <main><h1>page {id}</h1><Suspense fallback={<p>wait</p>}><Late id={id} /></Suspense></main>;
}
`,
  "pages/ssr.tsx": `export const getServerSideProps = async ({ query }: { query: { n?: string } }) => ({ props: { n: query.n ?? "" } });
export default function Ssr({ n }: { n: string }) { return <p>ssr {n}</p>; }
`,
  "pages/api/body.ts": `import type { NextApiRequest, NextApiResponse } from "next";
export default function handler(req: NextApiRequest, res: NextApiResponse) { res.json({ got: req.body }); }
`,
  "app/api/room/route.ts": `${kRoute}import { WebSocketServer } from "ws";
export async function GET() {
  const { req, socket, head } = (globalThis as any)[Symbol.for("@vercel/request-context")].get().upgradeWebSocket();
  await new Promise<void>((done) => {
    new WebSocketServer({ noServer: true }).handleUpgrade(req, socket, head, (client) => {
      client.on("message", (data) => client.send(String(data)));
      done();
    });
  });
  return new Response(null, { status: 204 });
}
`,
};

// ---------------------------------------------------------------- requests

// One request on a connection of its own or of the agent's. `leaveAfter`: bytes of the response after which the client is gone, -1: as soon as
// the request is written.
function ask({ port, agent }, path, { method = "GET", headers = {}, body, leaveAfter } = {}) {
  return new Promise((done, fail) => {
    const req = httpRequest({ host: "127.0.0.1", port, path, method, headers: { host: `localhost:${port}`, ...headers }, agent: leaveAfter === undefined ? agent : false });
    let left = false;
    const leave = () => {
      left = true;
      req.destroy();
      done({ left });
    };
    req.on("error", (error) => !left && fail(new Error(`${method} ${path}: ${error.message}`)));
    req.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => {
        text += chunk;
        if (leaveAfter > 0 && text.length >= leaveAfter) leave();
      });
      response.on("end", () => done({ status: response.statusCode, headers: response.headers, text }));
      response.on("error", () => !left && done({ status: response.statusCode, headers: response.headers, text, cut: true }));
    });
    req.end(body, () => leaveAfter === -1 && leave());
  });
}

// A client that says that a body comes, sends half of it and resets the connection.
function resetInBody({ port }, path) {
  return new Promise((done, fail) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("error", fail);
    socket.on("connect", () => {
      socket.write(`POST ${path} HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Length: 200\r\n\r\n${"x".repeat(100)}`, () => {
        socket.off("error", fail);
        socket.on("error", () => {});
        socket.resetAndDestroy();
        done({ left: true });
      });
    });
  });
}

function speak({ port }, path) {
  return new Promise((done, fail) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers: { host: `localhost:${port}` } });
    socket.on("error", fail);
    socket.on("unexpected-response", (_, response) => {
      response.resume();
      response.on("end", () => done({ status: response.statusCode, headers: response.headers, text: "" }));
    });
    socket.on("open", () => socket.send("hello"));
    socket.on("close", () => done({ status: 101, headers: {}, text: "", cut: true })); // its instance died
    socket.on("message", (data) => {
      socket.terminate();
      done({ status: 101, headers: {}, text: String(data) });
    });
  });
}

const is = (status, text) => (answer) => answer.status === status && (text === undefined || answer.text.includes(text));
const failed = (status, code) => (answer) => answer.status === status && answer.headers["x-vercel-error"] === code;
const gone = (answer) => answer.left;
const large = "y".repeat(100_000);

// name, weight, request, what must come of it, and:
//   kills: its instance dies of it, and on fluid its neighbours may;  retires: its instance takes no more work;  ends: how many requests it makes
export const kinds = [
  { name: "route handler", weight: 30, go: (to, n) => ask(to, `/api/echo?n=${n}`), ok: is(200, '"method":"GET"') },
  { name: "pages/api", weight: 10, go: (to, n) => ask(to, `/api/body?n=${n}`, { method: "POST", headers: { "content-type": "application/json" }, body: `{"n":${n}}` }), ok: (answer, n) => is(200, `{"got":{"n":${n}}}`)(answer) },
  { name: "RSC page", weight: 8, go: (to, n) => ask(to, `/rsc/p${n}?n=${n}`), ok: (answer, n) => answer.status === 200 && new RegExp(`page (<!-- -->)?p${n}<`).test(answer.text) && /late/.test(answer.text) },
  { name: "getServerSideProps", weight: 5, go: (to, n) => ask(to, `/ssr?n=${n}`), ok: is(200, "ssr") },
  { name: "stream", weight: 6, go: (to, n) => ask(to, `/api/drip?chunks=6&n=${n}`), ok: is(200, "drop 5;") },
  { name: "stream that is left", weight: 4, go: (to, n) => ask(to, `/api/drip?chunks=6&n=${n}`, { leaveAfter: 5 }), ok: gone },
  { name: "client that leaves", weight: 4, go: (to, n) => ask(to, `/api/drip?chunks=3&n=${n}`, { leaveAfter: -1 }), ok: gone },
  { name: "reset in the body", weight: 2, go: (to, n) => resetInBody(to, `/api/upload?n=${n}`), ok: gone },
  { name: "upload", weight: 6, go: (to, n) => ask(to, `/api/upload?n=${n}`, { method: "POST", body: large }), ok: is(200, '{"bytes":100000}') },
  { name: "body too large", weight: 1, go: (to, n) => ask(to, `/api/upload?n=${n}`, { method: "POST", headers: { "content-length": 5_000_000 }, body: "y".repeat(5_000_000) }), ok: failed(413, "FUNCTION_PAYLOAD_TOO_LARGE") },
  { name: "not found", weight: 3, go: (to, n) => ask(to, `/no/such/page?n=${n}`), ok: is(404) },
  { name: "file", weight: 4, go: (to, n) => ask(to, `/icon.svg?n=${n}`), ok: is(200, "<svg") },
  { name: "redirect", weight: 2, go: (to, n) => ask(to, `/redirect?n=${n}`), ok: is(307) },
  { name: "own request", weight: 4, go: (to, n) => ask(to, `/api/own?n=${n}`), ok: is(200, '"below":"GET"'), ends: 2 },
  { name: "after()", weight: 3, go: (to, n) => ask(to, `/api/later?n=${n}`), ok: is(200, "now") },
  { name: "work left behind", weight: 2, go: (to, n) => ask(to, `/api/left?n=${n}`), ok: is(200, "left") },
  { name: "error in the handler", weight: 2, go: (to, n) => ask(to, `/api/fail?n=${n}`), ok: is(500) },
  { name: "WebSocket", weight: 2, go: (to, n) => speak(to, `/api/room?n=${n}`), ok: (answer) => (answer.status === 101 ? answer.text === "hello" : answer.status === 400) },
  { name: "timeout", weight: 1, go: (to, n) => ask(to, `/api/limit?n=${n}`), ok: failed(504, "FUNCTION_INVOCATION_TIMEOUT"), retires: true },
  { name: "process.exit", weight: 0.7, go: (to, n) => ask(to, `/api/die?how=exit&n=${n}`), ok: failed(500, "FUNCTION_INVOCATION_FAILED"), kills: true },
  { name: "uncaught error", weight: 0.7, go: (to, n) => ask(to, `/api/die?how=throw&n=${n}`), ok: failed(500, "FUNCTION_INVOCATION_FAILED"), kills: true },
  { name: "unhandled rejection", weight: 0.6, go: (to, n) => ask(to, `/api/die?how=reject&n=${n}`), ok: failed(500, "FUNCTION_INVOCATION_FAILED"), kills: true },
];
