// The app that is broken: the example app with one route of all kinds of answers, and code that fights; and the same without Next, for faults that
// end the whole run and need no instance.
const kBody = `
  if (how === "exit") process.exit(3);
  if (how === "throw") setTimeout(() => { throw new Error("thrown by the fault test"); }, 1);
  if (how === "reject") Promise.reject(new Error("rejected by the fault test"));
  if (how === "loop") for (;;);
  if (how === "memory") {
    const held = Array.from({ length: 300 }, () => Buffer.alloc(1 << 20, 1));
    await wait(200);
    return Response.json({ how, held: held.length });
  }
  if (how === "empty tmp") {
    // Never the machine's own: the rig names a folder of its own.
    const own = process.env.RIG_TMP!;
    if (tmpdir() !== own) throw new Error("another folder");
    for (const name of await readdir(own)) await rm(own + "/" + name, { recursive: true, force: true });
    return Response.json({ how });
  }
  if (how === "many lines") for (let i = 0; i < 3000; i += 1) console.log("line " + i + " " + "x".repeat(200));
  if (how === "hang" || how === "throw" || how === "reject") await wait(3_000);
  if (how === "slow") await wait(300);
  if (how !== "sse" && how !== "stream" && how !== "broken") return Response.json({ how, version: kVersion });
  const text = new TextEncoder();
  const isSse = how !== "stream";
  return new Response(new ReadableStream({
    async start(stream) {
      for (let i = 0; i < 10; i += 1) {
        if (how === "broken" && i === 3) return stream.error(new Error("the model went away"));
        stream.enqueue(text.encode(isSse ? "data: " + i + "\\n\\n" : "x".repeat(20_000)));
        await wait(isSse ? 50 : 5);
      }
      stream.close();
    },
  }), { headers: { "content-type": isSse ? "text/event-stream" : "text/plain" } });
`;

export const kAppFiles = {
  "app/api/mix/route.ts": `
import { readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
export const dynamic = "force-dynamic";
const kVersion = 0;
const wait = (ms: number) => new Promise((done) => setTimeout(done, ms));
export async function GET(request: Request) {
  const how = new URL(request.url).searchParams.get("how");
${kBody}}
export async function POST(request: Request) {
  return Response.json({ bytes: (await request.arrayBuffer()).byteLength });
}
`,
};

export const kServer = `
const http = require("node:http");
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
http.createServer(async (request, response) => {
  const how = new URL(request.url, "http://localhost").searchParams.get("how");
  if (request.method === "POST") {
    let bytes = 0;
    for await (const part of request) bytes += part.length;
    return response.end(JSON.stringify({ bytes }));
  }
  if (how === "slow") await wait(300);
  if (how === "long") await wait(60_000);
  if (how !== "sse" && how !== "stream" && how !== "endless") return response.end(JSON.stringify({ how, version: 0 }));
  response.writeHead(200, { "content-type": how === "stream" ? "text/plain" : "text/event-stream" });
  for (let i = 0; i < (how === "endless" ? 10_000 : 10); i += 1) {
    response.write(how === "stream" ? "x".repeat(20_000) : "data: " + i + "\\n\\n");
    await wait(how === "stream" ? 5 : 50);
  }
  response.end();
}).on("upgrade", (_, socket) => socket.end("HTTP/1.1 400 Bad Request\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n")).listen(Number(process.env.PORT));
`;
