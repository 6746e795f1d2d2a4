// A Next that calls its functions past the hooks, made of one that is known by changes of its compiled classes: no answer passes for that of a quick
// function, not even the first, the run says so, and `test` does not end well. That nobody else is accused: limits.test.mjs.
import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { cleanUp, isEnd, kFull, request, spawnSim, startSim, tempFolder, within } from "./harness.mjs";
import { makeApp } from "./matrix_app.mjs";

const kSleep = "const sleep = (ms) => new Promise((done) => setTimeout(done, Number(ms)));\n";
const kSlow = `${kSleep}export const dynamic = "force-dynamic";
export async function GET(request) { await sleep(new URL(request.url).searchParams.get("ms")); return new Response("late"); }
`;
const kFiles = {
  "app/layout.js": "export default function Layout({ children }) { return <html><body>{children}</body></html>; }\n",
  "app/api/slow/route.js": `${kSlow}export const maxDuration = 2;\n`,
  "app/api/other/route.js": kSlow,
  "app/edge/route.js": `${kSlow}export const runtime = "edge";\n`,
  "app/page/page.js": `${kSleep}export const dynamic = "force-dynamic";
export default async function Page({ searchParams }) { const { ms } = await searchParams; await sleep(ms); return <p>late</p>; }
`,
  "pages/api/old.js": `${kSleep}export default async function handler(req, res) { await sleep(req.query.ms); res.status(200).send("late"); }\n`,
  "pages/ssr.js": `${kSleep}export async function getServerSideProps({ query }) { await sleep(query.ms); return { props: {} }; }
export default function Late() { return <p>late</p>; }
`,
};
const kLimits = ["duration.default=2s", "edge.first_byte=2s", "edge.duration_max=2s"].flatMap((limit) => ["--set", limit]);

// Of one class an instance's own method, made before anybody has put himself into the prototype.
const own = (name, method) => [[`class ${name} extends RouteModule{`, `class ${name} extends RouteModule{${method}=${name}.own;static own=${name}.prototype.${method};`]];
const bundle = (name) => `compiled/next-server/${name}-turbo.runtime.dev.js`;
// Its methods are still named where they are looked for, so that the shape is no warning: what is left is the answer itself.
const kPassedBy = {
  [bundle("app-route")]: [
    ["this.resolveHandlerFromUserland(req.method,liveUserland)", "(req.never?this.resolveHandlerFromUserland():autoImplementMethods(liveUserland)[req.method])"],
    ["this.resolveHandler(req.method)", "(req.never?this.resolveHandler():this._methods[req.method])"],
  ],
  [bundle("app-page")]: own("AppPageRouteModule", "render"),
  [bundle("pages")]: own("PagesRouteModule", "render"),
  [bundle("pages-api")]: own("PagesAPIRouteModule", "render"),
  "server/web/sandbox/sandbox.js": [['require("./context")', 'require("../sandbox/context")']],
};
const kRenamed = {
  [bundle("app-route")]: [
    ["this.resolveHandlerFromUserland(req.method,liveUserland)", "this.pickHandler(req.method,liveUserland)"],
    ["this.resolveHandler(req.method)", "this.pickHandler(req.method)"],
    ["resolveHandler(method){", "pickHandler(method,userland){if(userland)return autoImplementMethods(userland)[method];"],
  ],
};

async function appWith(changes) {
  const app = await makeApp("16-turbopack", kFiles, null);
  for (const [file, replaced] of Object.entries(changes)) {
    const path = join(app, "node_modules/next/dist", file);
    let text = await readFile(path, "utf8");
    for (const [from, to] of replaced) {
      assert.equal(text.split(from).length, 2, `${file}: ${from}`);
      text = text.replace(from, () => to);
    }
    await rm(path); // a hard link
    await writeFile(path, text);
  }
  return app;
}

async function runTest(app, script, args) {
  const command = [process.execPath, "--input-type=module", "-e", script];
  const sim = spawnSim(["test", "--port", "0", "--profile", "hobby", ...args, "--", ...command], { cwd: app, temp: await tempFolder("t"), env: { CI: "true" } });
  const { code } = await within(240_000, "the run", sim.exited).catch((error) => {
    throw new Error(`${error.message}; printed:\n${sim.output.text}`);
  });
  assert.deepEqual((await sim.stop()).left, []);
  return { code, text: sim.output.text };
}

describe("Functions whose begin nobody sees", { timeout: 300_000 }, () => {
  after(cleanUp);

  test("Not seen: of each kind the first answer that comes too late is a 504, all are cut in time, it is said once, and `test` ends with 70", async () => {
    const app = await appWith(kPassedBy);
    const kinds = { "/api/slow": "AppRouteRouteModule", "/page": "AppPageRouteModule", "/api/old": "PagesAPIRouteModule", "/ssr": "PagesRouteModule", "/edge": "edge" };
    const script = `import { writeFileSync } from "node:fs";
      const all = {};
      const ask = async (path, ms) => {
        const { status, headers } = await fetch(process.env.BASE_URL + path + "?ms=" + ms);
        return [status, headers.get("x-vercel-error"), headers.get("x-vercel-id")];
      };
      const inTurn = async (path) => (all[path] = [await ask(path, 2600), await ask(path, 60000), await ask(path, 1)]);
      await Promise.all(${JSON.stringify(Object.keys(kinds))}.map(inTurn));
      all["/api/other"] = [await ask("/api/other", 60000)];
      writeFileSync("answers.json", JSON.stringify(all));`;
    const { code, text } = await runTest(app, script, ["--fail-on", "none", "--events", "events.jsonl", ...kLimits]);
    const answers = JSON.parse(await readFile(join(app, "answers.json"), "utf8"));
    const events = (await readFile(join(app, "events.jsonl"), "utf8")).trim().split("\n").map((line) => JSON.parse(line));
    const chargedOf = ([, , id]) => events.find(isEnd({ request_id: id })).charged_ms;
    for (const [path, hook] of Object.entries(kinds)) {
      const [late, endless, quick] = answers[path];
      const timeout = "FUNCTION_INVOCATION_TIMEOUT";
      assert.deepEqual([late.slice(0, 2), endless.slice(0, 2), quick[0]], [[504, timeout], [504, timeout], 200], `${path}: ${JSON.stringify(answers[path])}\n${text}`);
      assert.ok(chargedOf(late) >= 2_500, `${path}: ${chargedOf(late)} ms charged of the first`);
      assert.ok(Math.abs(chargedOf(endless) - 2_000) < 150, `${path}: cut at ${chargedOf(endless)} ms`);
      const said = text.match(new RegExp(`^.*${path} has answered and nobody saw it begin: this Next \\(16\\.\\d+\\.\\d+, turbopack\\).*\\(${hook}\\)`, "gm"));
      assert.ok(said?.length >= 1, `${path}: ${text}`);
      assert.equal(events.filter((event) => event.code === "SIM_HANDLER_NOT_SEEN" && event.message.startsWith(`${path} `)).length, 1, path);
    }
    assert.equal(answers["/api/other"][0][0], 504);
    assert.doesNotMatch(text, /has not been tried with this Next|lacks hooks|\/api\/other has answered/);
    assert.match(text, /exit code 70: functions that nobody saw begin/);
    assert.equal(code, 70, text);
  });

  test("Not seen: a class of another shape is told at start, and what it says of limits is true", { skip: !kFull }, async () => {
    const sim = await startSim(["--profile", "hobby", ...kLimits], { cwd: await appWith(kRenamed) });
    try {
      const slow = await request(`${sim.url}/api/slow?ms=60000`);
      assert.deepEqual([slow.status, slow.headers.get("x-vercel-error")], [504, "FUNCTION_INVOCATION_TIMEOUT"]);
      assert.equal((await request(`${sim.url}/api/slow?ms=1`)).status, 200);
      const told = sim.events().filter(({ t }) => t === "notice");
      assert.deepEqual(told.map(({ code }) => code ?? ""), ["", "SIM_HANDLER_NOT_SEEN"]);
      assert.match(told[0].message, /has not been tried with this Next \(16\.\d+\.\d+, turbopack\): it calls functions otherwise than is known \(AppRouteRouteModule\)/);
    } finally {
      assert.deepEqual((await sim.stop()).left, []);
    }
  });
});
