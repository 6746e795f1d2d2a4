// Compile time is not the function's time; a page that Next renders at build time has no limit at all. A loader makes compiling slow:
// slower than the limit, which is set to two seconds.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { cleanUp, copyApp, isEnd, request, startSim } from "./harness.mjs";

const kCompileMs = 4_000;
const kLimitMs = 2_000;

const route = (body) => `import word from "./word.late";\nexport async function GET() {\n  ${body}\n}\n`;
const files = {
  "next.config.mjs": `import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
const root = dirname(fileURLToPath(import.meta.url));
export default { turbopack: { root, rules: { "*.late": { loaders: [join(root, "late.cjs")], as: "*.js" } } } };
`,
  "late.cjs": `module.exports = function () {
  const done = this.async();
  setTimeout(() => done(null, 'export default "late";'), ${kCompileMs});
};
`,
  "app/api/late/route.ts": route("return Response.json({ word });"),
  "app/api/late/word.late": "1",
  "app/api/latecut/route.ts": route("await new Promise((done) => setTimeout(done, 6000));\n  return Response.json({ word });"),
  "app/api/latecut/word.late": "2",
  "app/still/page.tsx": `export default async function Still() {
  await new Promise((done) => setTimeout(done, 3500));
  return <p id="still">rendered once</p>;
}
`,
  "app/moving/page.tsx": `import { connection } from "next/server";
export default async function Moving() {
  await connection();
  await new Promise((done) => setTimeout(done, 6000));
  return <p>rendered for you</p>;
}
`,
};

describe("Compiling", { timeout: 200_000 }, () => {
  let sim;

  before(async () => {
    sim = await startSim(["--profile", "hobby", "--set", "duration.default=2s"], { cwd: await copyApp(files) });
  });

  after(cleanUp);

  test("Compiling: a fast function with a compile slower than its limit is not cut", async () => {
    const response = await request(`${sim.url}/api/late`);
    assert.equal(response.status, 200, response.text);
    assert.equal(response.text, '{"word":"late"}');
    assert.ok(response.ms >= kCompileMs, `answered after ${response.ms} ms`);
    const end = await sim.waitForEvent("end of /api/late", isEnd({ target: "/api/late" }));
    assert.ok(end.charged_ms < kLimitMs, `charged ${end.charged_ms} ms`);
    assert.ok(end.total_ms - end.charged_ms >= kCompileMs - 100, `of ${end.total_ms} ms, ${end.charged_ms} were charged`);
  });

  test("Compiling: a slow function with a slow compile is cut at its limit counted from its handler", async () => {
    const response = await request(`${sim.url}/api/latecut`);
    assert.equal(response.status, 504);
    assert.ok(response.ms >= kCompileMs + kLimitMs, `answered after ${response.ms} ms`);
    assert.ok(response.ms < kCompileMs + 6_000, `answered after ${response.ms} ms`);
    const end = await sim.waitForEvent("end of /api/latecut", isEnd({ target: "/api/latecut" }));
    assert.ok(end.charged_ms >= kLimitMs && end.charged_ms < 6_000, `charged ${end.charged_ms} ms`);
  });

  test("Compiling: a page that Next marks static is build work and has no limit", async () => {
    const response = await request(`${sim.url}/still`);
    assert.equal(response.status, 200);
    assert.match(response.text, /rendered once/);
    assert.ok(response.total >= 3_500, `whole after ${response.total} ms`);
    const end = await sim.waitForEvent("end of /still", isEnd({ target: "/still" }));
    assert.equal(end.traffic, "prerender");
    assert.equal(end.code, undefined);
    await sim.output.waitFor(/\/still.*(prerender|static)/i, 5_000);
  });

  test("Compiling: a page that is rendered for each request has the function's limit", async () => {
    const response = await request(`${sim.url}/moving`);
    const end = await sim.waitForEvent("end of /moving", isEnd({ target: "/moving" }));
    assert.equal(end.traffic, "invocation");
    assert.equal(end.code, "FUNCTION_INVOCATION_TIMEOUT");
    assert.ok(response.status === 504 || response.cut, `status ${response.status}`);
    assert.ok(end.charged_ms >= kLimitMs, `charged ${end.charged_ms} ms`);
  });
});
