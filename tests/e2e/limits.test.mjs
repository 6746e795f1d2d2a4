// Each kind of function in many versions of Next and with both bundlers, asked for its limits: its begin is seen, its time is charged and nothing else,
// its limit cuts it, its memory is its instance's, and what it leaves behind is frozen. And nobody is taken for a function that was not seen to begin
// (not_seen.test.mjs) whom Next answers alone. Without VSIM_FULL=1 one combination; VSIM_MATRIX names others.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { WebSocket } from "ws";
import { cleanUp, eventually, isEnd, kFull, once, request, startSim, within } from "./harness.mjs";
import { makeApp } from "./matrix_app.mjs";
import { kEveryMinor } from "../next_versions.mjs";

const chosen = process.env.VSIM_MATRIX?.split(",") ?? (kFull ? kEveryMinor : ["16-turbopack"]);
const isAsked = kFull || process.env.VSIM_MATRIX !== undefined;

const kLimit = 2_000;
const kLimits = ["duration.default=2s", "edge.first_byte=2s", "edge.duration_max=2s"].flatMap((limit) => ["--set", limit]);

const kUse = `const sleep = (ms) => new Promise((done) => setTimeout(done, Number(ms)));
let count = 0;
async function use(ms, left) { count += 1; if (left) setInterval(() => {}, 100); await sleep(ms); return "late " + count; }
`;
const kRoute = `${kUse}export async function GET(request) {
  const { searchParams } = new URL(request.url);
  return new Response(await use(searchParams.get("ms"), searchParams.has("left")));
}
`;
const kFiles = {
  "app/limit/route/route.js": `${kRoute}export const dynamic = "force-dynamic";\n`,
  "app/limit/edge/route.js": `${kRoute}export const runtime = "edge";\n`,
  "app/limit/stream/route.js": `${kUse}export const dynamic = "force-dynamic";
export function GET(request) {
  const ms = new URL(request.url).searchParams.get("ms");
  return new Response(new ReadableStream({
    async start(controller) {
      controller.enqueue(new TextEncoder().encode("first;"));
      await sleep(ms);
      controller.enqueue(new TextEncoder().encode("last"));
      controller.close();
    },
  }));
}
`,
  "app/limit/page/page.js": `${kUse}export const dynamic = "force-dynamic";
export default async function Page({ searchParams }) { const { ms, left } = await searchParams; return <p>{await use(ms, left !== undefined)}</p>; }
`,
  "app/limit/action/actions.js": `"use server";
${kUse}let last = "nothing";
export async function take(form) { last = await use(form.get("word"), form.get("word") === "10"); }
export async function lastOf() { return last; }
`,
  "app/limit/action/page.js": `import { lastOf, take } from "./actions";
export const dynamic = "force-dynamic";
export default async function Page() { return <form action={take}><input name="word" /><p>{await lastOf()}</p></form>; }
`,
  "app/limit/thrown/route.js": `if (!globalThis.never) throw new Error("at the top of a module");
export const dynamic = "force-dynamic";
export function GET() { return new Response("never"); }
`,
  "app/limit/away/route.js": `import { redirect } from "next/navigation";
export const dynamic = "force-dynamic";
export function GET() { redirect("/limit/route?ms=1"); }
`,
  "app/limit/shared/[id]/route.js": `${kUse}export const generateStaticParams = () => [{ id: "a" }];
export async function GET() { return new Response(await use(700)); }
`,
  "app/limit/made/[id]/page.js": `${kUse}export const generateStaticParams = () => [{ id: "a" }];
export default async function Page() { return <p>{await use(700)}</p>; }
`,
  "pages/limit/ssr.js": `${kUse}export async function getServerSideProps({ query }) { return { props: { text: await use(query.ms, query.left !== undefined) } }; }
export default function Late({ text }) { return <p>{text}</p>; }
`,
  "pages/limit/made.js": `${kUse}export async function getStaticProps() { return { props: { text: await use(700) } }; }
export default function Made({ text }) { return <p>{text}</p>; }
`,
  "pages/api/limit.js": `${kUse}export default async function handler(req, res) { res.status(200).send(await use(req.query.ms, req.query.left !== undefined)); }
`,
};

const multipart = (action, word) => {
  const part = (field, value) => `--line\r\nContent-Disposition: form-data; name="${field}"\r\n\r\n${value}\r\n`;
  return { method: "POST", headers: { "content-type": "multipart/form-data; boundary=line" }, body: `${part(action, "")}${part("word", word)}--line--\r\n` };
};

// What Next answers before it calls anybody, on routes that are asked for their limits too.
async function innocent(url) {
  const status = async (path, options) => (await request(url + path, options)).status;
  assert.equal(await status("/limit/route", { method: "PUT" }), 405);
  assert.equal(await status("/limit/route", { method: "OPTIONS" }), 204);
  assert.equal(await status("/limit/route?ms=1", { method: "HEAD" }), 200);
  assert.equal(await status("/api/limit", { method: "POST", headers: { "content-type": "application/json" }, body: "{" }), 400);
  assert.equal(await status("/limit/route/"), 308);
  await status("/limit/page", { method: "OPTIONS" });
  await status("/limit/page?ms=1", { headers: { rsc: "1", "next-router-prefetch": "1" } });
}

// And elsewhere, or once for many.
async function alsoInnocent(url) {
  await innocent(url);
  const get = (path, options) => request(url + path, options);
  const status = async (path, options) => (await get(path, options)).status;
  assert.equal(await status("/limit/thrown"), 500);
  assert.equal(await status("/limit/away"), 307);
  assert.equal(await status("/no/such/page"), 404);
  await status("/no/such/page", { method: "POST" });
  for (const path of ["/limit/action", "/limit/page?ms=1", "/limit/made/a", "/still"]) {
    const rsc = await get(path, { headers: { rsc: "1" } });
    if (rsc.status === 307) await get(rsc.headers.get("location"), { headers: { rsc: "1" } });
    await status(path, { headers: { rsc: "1", "next-router-prefetch": "1" } });
    await status(path, { headers: { rsc: "1", "next-router-prefetch": "1", "next-router-segment-prefetch": "/_tree" } });
  }
  await status("/limit/page?ms=1", { method: "HEAD" });
  await status("/limit/action", { method: "POST", headers: { "next-action": "0".repeat(42) }, body: "[]" });
  await status("/limit/action", { method: "POST", body: "nothing" });
  await status("/limit/ssr?ms=1", { headers: { purpose: "prefetch", "x-middleware-prefetch": "1", "x-nextjs-data": "1" } });
  const [, build] = (await get("/limit/ssr?ms=1")).text.match(/"buildId":"([^"]+)"/);
  await status(`/_next/data/${build}/limit/ssr.json?ms=1`, { headers: { "x-nextjs-data": "1", "x-middleware-prefetch": "1" } });
  for (const path of ["/still", "/legacy", "/limit/made", "/api/limit?ms=1"]) {
    const etag = (await get(path)).headers.get("etag");
    if (etag) await status(path, { headers: { "if-none-match": etag } });
  }
  for (const path of ["/limit/shared/a", "/limit/made/a", "/limit/made"]) {
    const all = await Promise.all([1, 2, 3, 4].map(() => get(path)));
    for (const { status: one, text } of all) assert.equal(one, 200, text.slice(0, 300));
  }
  assert.equal((await get("/mw-answer")).text, "from middleware");
}

const isAccused = (text) => /SIM_HANDLER_NOT_SEEN|nobody saw it begin|has not been tried with this Next|lacks hooks/.test(text);

for (const combo of chosen) {
  describe(`Limits: ${combo}`, { timeout: 900_000 }, () => {
    const env = { EXTERNAL_ORIGIN: "http://127.0.0.1:9", NEXT_MAJOR: combo.slice(0, 2) };
    after(cleanUp);

    async function withSim(args, use) {
      const sim = await startSim([...args, ...kLimits], { cwd: await makeApp(combo, kFiles), env });
      try {
        await use(sim, (path, options) => request(sim.url + path, options));
        assert.ok(!isAccused(sim.output.text), "nobody was accused");
        assert.doesNotMatch(sim.output.text, /\/limit\/(page|action)\S* .*static page/, "dynamic by force, and a part of it too");
        assert.deepEqual((await sim.stop()).left, []);
      } catch (error) {
        throw new Error(`${error.stack}\n${error.cause?.stack ?? ""}\nprinted last:\n${sim.output.text.slice(-20_000)}`);
      } finally {
        sim.kill();
      }
    }

    test(`Limits: ${combo}: begin, cut, isolation and freeze of each kind`, () =>
      withSim(["--profile", "hobby"], async (sim, get) => {
        await (isAsked ? alsoInnocent : innocent)(sim.url);
        const [, action] = (await get("/limit/action")).text.match(/name="(\$ACTION_ID_[0-9a-f]+)"/);
        const byPath = (path) => [path, (ms, left) => get(`${path}?ms=${ms}${left ? "&left" : ""}`)];
        const kinds = {
          "route handler": byPath("/limit/route"),
          "app page": byPath("/limit/page"),
          "Server Action": ["/limit/action", (ms) => get("/limit/action", multipart(action, String(ms)))],
          getServerSideProps: byPath("/limit/ssr"),
          "pages/api": byPath("/api/limit"),
          "edge function": byPath("/limit/edge"),
        };
        const endOf = ({ headers }) => sim.waitForEvent("its end", isEnd({ request_id: headers.get("x-vercel-id") }), 20_000);
        const check = async (kind, [path, ask]) => {
          const quick = await ask(500);
          assert.equal(quick.status, 200, `${kind}: ${quick.text.slice(0, 300)}`);
          assert.match(quick.text, /late (<!-- -->)?1/, `${kind}: not on a fresh instance`);
          const first = await endOf(quick);
          assert.ok(first.charged_ms >= 495 && first.charged_ms < kLimit, `${kind}: ${first.charged_ms} ms charged for 500`);
          const cut = await ask(30_000);
          assert.deepEqual([cut.status, cut.headers.get("x-vercel-error")], [504, "FUNCTION_INVOCATION_TIMEOUT"], kind);
          const end = await endOf(cut);
          assert.ok(Math.abs(end.charged_ms - kLimit) < 150, `${kind}: cut at ${end.charged_ms} ms`);
          assert.notEqual(end.instance, first.instance, kind);
          const leaves = await ask(10, true);
          assert.match(leaves.text, /late (<!-- -->)?1/, `${kind}: not on a fresh instance`);
          const isLeft = ({ t, request_id: id, verdicts }) => t === "background_work" && id === leaves.headers.get("x-vercel-id") && verdicts[0].code === "SIM_BACKGROUND_WORK_FROZEN";
          assert.equal((await sim.waitForEvent(`what ${kind} leaves`, isLeft, 20_000)).route, path, kind);
        };
        await Promise.all(Object.entries(kinds).map((kind) => check(...kind)));
        const stream = await get("/limit/stream?ms=30000");
        assert.deepEqual([stream.status, stream.text, stream.cut !== null], [200, "first;", true]);
      }));

    // Upgrades are Fluid's, and so is that one answer may serve several requests of one instance.
    test(`Limits: ${combo}: an upgrade on Fluid, and nobody is accused`, { skip: !isAsked }, () =>
      withSim(["--profile", "hobby-fluid", "--placement", "spread:2"], async (sim, get) => {
        await alsoInnocent(sim.url);
        const open = async () => {
          const socket = new WebSocket(`${sim.url.replace("http", "ws")}/iso/socket`);
          const closed = once(socket, "close");
          await within(20_000, "an open socket", once(socket, "open"));
          socket.send("hello");
          return { said: String(await once(socket, "message")), closed };
        };
        const sockets = await Promise.all([open(), open(), open()]);
        for (const { said } of sockets) assert.match(said, /^[12] hello$/, "two instances, each with its own memory");
        const opened = () => sim.events().filter(({ t }) => t === "socket_opened");
        await eventually("the third socket_opened", 10_000, () => opened().length === 3);
        assert.equal(new Set(opened().map(({ instance }) => instance)).size, 2);
        for (const { closed } of sockets) await within(10_000, "a cut socket", closed);
        const ends = () => sim.events().filter(isEnd({ traffic: "socket" }));
        await eventually("the third end", 10_000, () => ends().length === 3);
        for (const end of ends()) {
          assert.equal(end.code, "SIM_WEBSOCKET_CLOSED_AT_LIMIT");
          assert.ok(Math.abs(end.charged_ms - kLimit) < 300, `cut at ${end.charged_ms} ms`);
        }
        assert.equal((await get("/limit/route?ms=30000")).status, 504);
      }));

    test(`Limits: ${combo}: nobody is accused where functions share next dev`, { skip: !isAsked }, () =>
      withSim(["--profile", "hobby", "--isolation", "none"], async (sim, get) => {
        await alsoInnocent(sim.url);
        assert.equal((await get("/limit/route?ms=30000")).status, 504);
      }));
  });
}
