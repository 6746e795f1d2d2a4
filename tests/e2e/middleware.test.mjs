// Middleware in instances of its own (`middleware.instances`), with the whole program: its memory, its clock, its end, what it leaves behind, and who waits for whom.
// That a client gets what `next dev` alone gives is tests/agent/middleware.test.mjs. VSIM_FULL=1 runs it on every major of Next with each bundler.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { cleanUp, editFile, eventually, isEnd, kFull, request, startSim } from "./harness.mjs";
import { appOf, toldBy } from "./state_run.mjs";
import { kNewestOfMajor, partsOf } from "../next_versions.mjs";

const chosen = process.env.VSIM_MATRIX?.split(",") ?? (kFull ? kNewestOfMajor : ["16-turbopack"]);

const middleware = (name, beacon) => `import { NextResponse } from "next/server";

let hits = 0;

export async function ${name}(request, event) {
  const { pathname } = request.nextUrl;
  const headers = new Headers(request.headers);
  const later = (path) => new Promise((done) => setTimeout(() => fetch("${beacon}" + path).then(done, done), 200));
  if (pathname === "/api/counted") headers.set("x-hits", String(++hits));
  if (pathname === "/api/slow") await new Promise((done) => setTimeout(done, 60_000));
  if (pathname === "/api/held") event.waitUntil(later("/held"));
  if (pathname === "/api/left") later("/left");
  if (pathname === "/api/gone") return NextResponse.redirect(new URL("/api/there", request.url));
  if (pathname === "/api/denied") return NextResponse.json({ denied: true }, { status: 401 });
  headers.set("x-version", "first");
  return NextResponse.next({ request: { headers } });
}

export const config = { matcher: ["/api/:path*"] };
`;

const kFiles = {
  "app/api/[what]/route.js": `export const dynamic = "force-dynamic";
export async function GET(request) {
  const { pathname } = new URL(request.url);
  if (pathname === "/api/own") return Response.json(await (await fetch(new URL("/api/inner", request.url))).json());
  return Response.json({ pathname, hits: request.headers.get("x-hits"), version: request.headers.get("x-version") });
}
`,
  "app/free/route.js": `export const dynamic = "force-dynamic";\nexport const GET = () => Response.json({ free: true });\n`,
};

function suite(combo) {
  describe(`Middleware in instances, ${combo}`, { timeout: 600_000 }, () => {
    const name = partsOf(combo).major >= 16 ? "proxy" : "middleware";
    const heard = [];
    let beacon;
    let app;
    let sim;

    before(async () => {
      beacon = createServer((req, res) => (heard.push(req.url), res.end()));
      await new Promise((done) => beacon.listen(0, "127.0.0.1", done));
      app = await appOf(combo, kFiles, { [`${name}.js`]: middleware(name, `http://127.0.0.1:${beacon.address().port}`) });
      sim = await startSim(["--profile", "hobby", ...(name === "proxy" ? [] : ["--set", "middleware.instances=on"]), "--set", "edge.first_byte=3s", "--set", "network.loopback=off"], { cwd: app });
      await get("/api/first");
    });
    after(async () => {
      await sim?.stop();
      beacon.close();
      await cleanUp();
    });

    const get = (path, options) => request(sim.url + path, options);
    const json = async (path) => {
      const answer = await get(path);
      assert.equal(answer.status, 200, answer.text.slice(0, 400));
      return JSON.parse(answer.text);
    };
    const endsOf = (target) => sim.events().filter(isEnd({ target, kind: "middleware" }));

    test("each request meets a middleware that remembers nothing, which is told as of a function, once", async () => {
      const from = sim.events().length;
      assert.equal((await json("/api/counted")).hits, "1");
      await sim.waitForEvent("the end of middleware", () => endsOf("/api/counted").length === 1);
      assert.equal((await json("/api/counted")).hits, "1");
      const ends = await eventually("two ends of middleware", 5_000, () => endsOf("/api/counted").length === 2 && endsOf("/api/counted"));
      assert.notEqual(ends[0].instance, ends[1].instance);
      for (const { route, runtime, traffic, status } of ends)
        assert.deepEqual([route, runtime, traffic, status], ["middleware", name === "proxy" ? "nodejs" : "edge", "invocation", 200]);
      await eventually("the verdict", 5_000, () => toldBy(sim, from).length > 0);
      assert.deepEqual(toldBy(sim, from), [`hits in ${name}.js:3 → middleware`]);
    });

    test("one that leaves its memory as it was serves the next request too", async () => {
      let asked = 0;
      const same = async () => {
        await json("/api/same");
        asked += 1;
        const end = (await eventually("its end", 5_000, () => endsOf("/api/same").length === asked && endsOf("/api/same"))).at(-1);
        const last = await eventually("what becomes of it", 5_000, () => {
          const to = sim.events().findLast(({ t, instance }) => t === "instance_changed" && instance === end.instance)?.to;
          return (to === "frozen" || to === "dead") && to;
        });
        return { ...end, last };
      };
      const first = await same();
      const second = await same();
      assert.deepEqual([first.last, second.instance, second.start, second.last], ["frozen", first.instance, "warm", "frozen"]);
      await json("/api/counted");  // and is spent by what does not
      await eventually("its death", 5_000, () => sim.events().some(({ t, instance, to }) => t === "instance_changed" && instance === first.instance && to === "dead"));
      assert.notEqual((await same()).instance, first.instance);
    });

    test("what it answers itself is the answer; the function does not run", async () => {
      const gone = await get("/api/gone");
      assert.deepEqual([gone.status, new URL(gone.headers.get("location"), sim.url).pathname], [307, "/api/there"]);
      const denied = await get("/api/denied");
      assert.deepEqual([denied.status, denied.text], [401, '{"denied":true}']);
      assert.deepEqual(sim.events().filter(isEnd({ target: "/api/denied", kind: "app_route" })), []);
    });

    test("what it does not match asks for nothing", async () => {
      assert.deepEqual(await json("/free"), { free: true });
      assert.deepEqual(endsOf("/free"), []);
    });

    test("too slow: the platform's 504, and the process is killed", async () => {
      const answer = await get("/api/slow");
      assert.equal(answer.status, 504, answer.text.slice(0, 400));
      assert.equal(answer.headers.get("x-vercel-error"), "MIDDLEWARE_INVOCATION_TIMEOUT");
      const end = await sim.waitForEvent("the end of middleware", isEnd({ target: "/api/slow", kind: "middleware" }));
      assert.equal(end.verdicts[0].code, "MIDDLEWARE_INVOCATION_TIMEOUT");
      assert.equal(end.verdicts[0].limit_key, "edge.first_byte");
      await sim.waitForEvent("its instance is dead", (event) => event.t === "instance_changed" && event.instance === end.instance && event.to === "dead");
      assert.equal((await json("/api/next")).version, "first");
    });

    test("waitUntil is waited for, and what is merely left behind is frozen and named", async () => {
      await json("/api/held");
      await eventually("the beacon", 10_000, () => heard.includes("/held"));
      await json("/api/left");
      const told = await sim.waitForEvent("what it left", ({ verdicts, route }) => route === "middleware" && verdicts?.some(({ code }) => code === "SIM_BACKGROUND_WORK_FROZEN"));
      assert.match(told.verdicts[0].measured, /timeout|timer/i);
      assert.deepEqual(heard, ["/held"]);
    });

    test("a function that asks its own app waits for the middleware of that request too", async () => {
      assert.equal((await json("/api/own")).pathname, "/api/inner");
      const end = await sim.waitForEvent("its end", isEnd({ target: "/api/own", kind: "app_route" }));
      assert.deepEqual([end.status, end.code], [200, undefined]);
    });

    test("20 at once", async () => {
      const answers = await Promise.all(Array.from({ length: 20 }, () => json("/api/counted")));
      assert.deepEqual(answers.map(({ hits }) => hits), answers.map(() => "1"));
    });

    test("an edit reaches it", async () => {
      await editFile(join(app, `${name}.js`), '"first"', '"second"');
      await eventually("the new text", 60_000, async () => (await json("/api/edited")).version === "second");
    });
  });
}

for (const combo of chosen) suite(combo);
