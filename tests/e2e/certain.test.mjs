// What certainly fails in production fails `vercel-sim test`, and what is sound beside it stays silent: answers of pages/api over 4.5 MB, code from strings
// on the edge runtime, work that middleware leaves behind.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { cleanUp, copyApp, kFull, spawnSim, tempFolder, within } from "./harness.mjs";

const kTrack = `import { NextResponse, after } from "next/server";
async function track(what) {
  await new Promise((done) => setTimeout(done, 300));
  await fetch(process.env.SINK, { method: "POST", body: what });
}
export default function middleware(request, event) {
  const { pathname } = request.nextUrl;
  if (pathname === "/visit/lost") track("lost");
  if (pathname === "/visit/at-once") fetch(process.env.SINK, { method: "POST", body: "at once" }).catch(() => {});
  if (pathname === "/visit/kept") event.waitUntil(track("kept"));
  if (pathname === "/visit/after") after(() => track("after"));
  if (pathname === "/visit/eval") return Response.json({ sum: new Function("return 1 + 1")() });
  return NextResponse.next();
}
export const config = { matcher: ["/visit/:path*"] };
`;

const kFiles = {
  "pages/api/file.js": `import { Readable } from "node:stream";
export const config = { api: { responseLimit: false } };
export default function handler(req, res) {
  res.setHeader("content-type", "application/pdf");
  Readable.from((function* () { for (let i = 0; i < 9; i++) yield Buffer.alloc(1e6, 65 + i); })()).pipe(res);
}
`,
  "pages/api/users.js": `const users = (n) => Array.from({ length: n }, (_, id) => ({ id, bio: "x".repeat(90) }));
export default function handler(req, res) {
  res.json(users(Number(req.query.n)));
}
`,
  "app/report/route.js": `export const dynamic = "force-dynamic";
export function GET() { return new Response(Buffer.alloc(9e6, 65)); }
`,
  "app/template/route.js": `export const runtime = "edge";
const compile = (text) => new Function("d", "return \`" + text + "\`");
export function GET() { return new Response(compile("hello \${d.name}")({ name: "you" })); }
`,
  "app/template-node/route.js": `const compile = (text) => new Function("d", "return \`" + text + "\`");
export function GET() { return new Response(compile("hello \${d.name}")({ name: "you" })); }
`,
  // As zod asks whether it may, and a way that is not taken.
  "app/probe/route.js": `export const runtime = "edge";
const may = () => { try { new Function(""); return true; } catch { return false; } };
const slow = (n) => n * 2;
const fast = () => new Function("n", "return n * 2");
export function GET(request) { return Response.json({ doubled: (may() ? fast() : slow)(21), may: may() }); }
`,
  "app/visit/[what]/route.js": `export const dynamic = "force-dynamic";
export function GET() { return Response.json({ hello: "visitor" }); }
`,
};

// Asks each path, waits for what the sink is to get and a while longer than the others take, and says what came.
const kClient = `import { createServer } from "node:http";
const [paths, wanted] = process.argv.slice(2).map((text) => text.split(",").filter(Boolean));
const got = [];
let check = () => {};
const sink = createServer((req, res) => { let b = ""; req.on("data", (c) => (b += c)); req.on("end", () => { got.push(b); res.end(); check(); }); });
await new Promise((done) => sink.listen(Number(new URL(process.env.SINK).port), "127.0.0.1", done));
for (const path of paths) {
  const res = await fetch(process.env.BASE_URL + path);
  const text = await res.text().catch((error) => "broken off: " + error.message);
  console.log(path, res.status, text.length > 60 ? text.length : text);
}
await new Promise((done) => { check = () => wanted.every((w) => got.includes(w)) && done(); check(); });
await new Promise((done) => setTimeout(done, 1500)); // nothing tells that something will not come
console.log("sink:", got.sort().join(","));
sink.close();
sink.closeAllConnections();
`;

let port = 20_000 + (process.pid % 20_000);

async function run(app, { profile, paths, wanted = "", args = [] }) {
  const temp = await tempFolder("certain");
  const events = join(temp, "events.jsonl");
  const env = { SINK: `http://127.0.0.1:${++port}/`, CI: "true" };
  const sim = spawnSim(["test", "--port", "0", "--profile", profile, "--events", events, ...args, "--", process.execPath, "client.mjs", paths.join(","), wanted], { cwd: app, temp, env });
  const { code } = await within(150_000, "the whole run", sim.exited).catch((error) => {
    throw new Error(`${error.message}; printed:\n${sim.output.text}`);
  });
  await sim.stop();
  const text = sim.output.text;
  const told = (await readFile(events, "utf8")).trim().split("\n").map((line) => JSON.parse(line)).flatMap(({ verdicts = [] }) => verdicts);
  return { code, text, told: told.map(({ code: name, enforced, route, file }) => `${enforced ? "✗" : "!"} ${name} ${route} ${file}`).sort() };
}

const kBad = ["/api/file", "/api/users?n=60000", "/template", "/visit/lost", "/visit/at-once", "/visit/eval"];
const kGood = ["/report", "/api/users?n=30000", "/template-node", "/probe", "/visit/kept", "/visit/after", "/visit/plain"];

async function project(name, text) {
  return copyApp({ ...kFiles, [name]: text, "client.mjs": kClient });
}

describe("What certainly fails fails the test", { timeout: 400_000 }, () => {
  after(cleanUp);

  test("proxy.js: large answers, code from strings on edge, work left behind: each with its place; controls are silent", async () => {
    const app = await project("proxy.js", kTrack);
    const bad = await run(app, { profile: "hobby", paths: kBad });
    assert.equal(bad.code, 2, bad.text);
    assert.deepEqual(
      bad.told.map((line) => line.replace(/(:\d+):\d+$/, "$1")),
      [
        "✗ FUNCTION_RESPONSE_PAYLOAD_TOO_LARGE /api/file pages/api/file.js:5",
        "✗ FUNCTION_RESPONSE_PAYLOAD_TOO_LARGE /api/users pages/api/users.js:3",
        "✗ SIM_BACKGROUND_WORK_FROZEN middleware proxy.js:3",
        "✗ SIM_BACKGROUND_WORK_FROZEN middleware proxy.js:9",
        "✗ SIM_CODE_FROM_STRINGS /template app/template/route.js:2",
      ],
      bad.text,
    );
    assert.match(bad.text, /^\/api\/file 200 9000000$/m, "it was sent before its length was known");
    assert.match(bad.text, /^\/api\/users\?n=60000 500 /m);
    assert.match(bad.text, /^\/template 500 /m);
    assert.match(bad.text, /^\/visit\/eval 200 \{"sum":2\}$/m, "proxy.js is Node.js");
    assert.match(bad.text, /^sink: $/m);

    const good = await run(app, { profile: "hobby", paths: kGood, wanted: "kept,after" });
    assert.deepEqual(good.told, [], good.text);
    assert.equal(good.code, 0, good.text);
    assert.match(good.text, /^\/probe 200 \{"doubled":42,"may":false\}$/m);
    assert.match(good.text, /^\/template-node 200 hello you$/m);
    assert.match(good.text, /^sink: after,kept$/m);
  });

  for (const args of [[], ["--", "--webpack"]].slice(0, kFull ? 2 : 0)) {
    test(`middleware.js of the edge runtime ${args.join(" ")}`, async () => {
      const app = await project("middleware.js", kTrack);
      if (args.length > 0) {
        const manifest = JSON.parse(await readFile(join(app, "package.json"), "utf8"));
        manifest.scripts.dev = "next dev --webpack";
        await writeFile(join(app, "package.json"), JSON.stringify(manifest));
      }
      const bad = await run(app, { profile: "hobby", paths: ["/template", "/visit/lost", "/visit/at-once", "/visit/eval"] });
      assert.equal(bad.code, 2, bad.text);
      assert.deepEqual(
        bad.told.map((line) => line.replace(/(:\d+)+$/, "")),
        [
          "✗ SIM_BACKGROUND_WORK_FROZEN middleware middleware.js",
          "✗ SIM_BACKGROUND_WORK_FROZEN middleware middleware.js",
          "✗ SIM_CODE_FROM_STRINGS /template app/template/route.js",
          "✗ SIM_CODE_FROM_STRINGS middleware middleware.js",
        ],
        bad.text,
      );
      assert.match(bad.text, /^\/visit\/eval 500 /m);
      assert.match(bad.text, /^sink: $/m);
      const good = await run(app, { profile: "hobby", paths: kGood, wanted: "kept,after" });
      assert.deepEqual(good.told, [], good.text);
      assert.match(good.text, /^sink: after,kept$/m);
    });
  }

  test("hobby-fluid: what middleware leaves is a warning, and arrives", { skip: !kFull && "VSIM_FULL=1 runs it" }, async () => {
    const app = await project("proxy.js", kTrack);
    const { code, told, text } = await run(app, { profile: "hobby-fluid", paths: ["/visit/lost"], wanted: "lost" });
    assert.deepEqual(told.map((line) => line.replace(/(:\d+)+$/, "")), ["! SIM_BACKGROUND_WORK_FROZEN middleware proxy.js"], text);
    assert.equal(code, 0, text);
  });
});
