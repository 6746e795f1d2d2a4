// Cache Components under isolation: `use cache` is kept in an instance's memory, as on Vercel; `use cache: remote` is there for all of them,
// and both hear of revalidated tags.
import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { cleanUp, copyApp, request, startSim } from "./harness.mjs";

const stamp = (directive) => `"${directive}"; cacheLife("hours"); cacheTag("stamp"); return { pid: process.pid, at: Date.now() };`;
const kImports = 'import { connection } from "next/server";\nimport { cacheLife, cacheTag } from "next/cache";\n';
const kFunctions = `async function own() { ${stamp("use cache")} }\nasync function remote() { ${stamp("use cache: remote")} }\n`;

const files = {
  "next.config.mjs": "export default { cacheComponents: true, turbopack: { root: import.meta.dirname } };\n",
  "app/api/stamp/route.ts": `${kImports}${kFunctions}export async function GET() { await connection(); return Response.json({ pid: process.pid, own: await own(), remote: await remote() }); }\n`,
  "app/stamp/page.tsx": `import { Suspense } from "react";\n${kImports}${kFunctions}
async function Now() { await connection(); return <i>{JSON.stringify({ pid: process.pid, own: await own(), remote: await remote() })}</i>; }
export default function Page() { return <main><Suspense fallback={<p>wait</p>}><Now /></Suspense></main>; }
`,
  "app/api/again/route.ts": 'import { revalidateTag } from "next/cache";\nexport async function POST() { revalidateTag("stamp", { expire: 0 }); return new Response("done"); }\n',
};

describe("Cache Components", { timeout: 200_000 }, () => {
  after(cleanUp);

  test("Cache Components: plain `use cache` is each instance's, `use cache: remote` everybody's", async () => {
    const app = await copyApp(files);
    await rm(join(app, ".next"), { recursive: true, force: true });
    const sim = await startSim(["--profile", "hobby"], { cwd: app });
    const read = async (path) => {
      const { status, text, headers } = await request(sim.url + path);
      assert.equal(status, 200, text.slice(0, 500));
      await sim.rest(headers); // what it keeps for all is written by then
      return JSON.parse(text.match(/\{(?:"|&quot;)pid.*?\}\}/)[0].replaceAll("&quot;", '"'));
    };
    for (const path of ["/api/stamp", "/stamp"]) {
      const [first, second] = [await read(path), await read(path)];
      assert.notEqual(first.pid, second.pid);
      for (const one of [first, second]) assert.equal(one.own.pid, one.pid, "made by the instance itself");
      assert.equal(first.remote.pid, first.pid);
      assert.deepEqual(second.remote, first.remote);
      assert.equal((await request(`${sim.url}/api/again`, { method: "POST" })).text, "done");
      const third = await read(path);
      assert.equal(third.remote.pid, third.pid, "made anew");
      assert.deepEqual((await read(path)).remote, third.remote);
    }
    assert.doesNotMatch(sim.output.text, /SIM_BACKGROUND_WORK_FROZEN/, "timers that Next sets for itself are not the app's");
    assert.deepEqual((await sim.stop()).left, []);
  });
});
