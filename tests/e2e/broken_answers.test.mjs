// What a client gets that is no whole answer, on Fluid with instances: responses that the function breaks off.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { cleanUp, copyApp, isEnd, request, startSim } from "./harness.mjs";

const kLimitMs = 60_000; // whatever takes so long has waited for the limit

const kFiles = {
  "app/api/broken/route.ts": `
export const dynamic = "force-dynamic";
export async function GET() {
  const stream = new ReadableStream({
    async start(controller) {
      controller.enqueue(new TextEncoder().encode("first\\n"));
      await new Promise((done) => setTimeout(done, 100));
      controller.error(new Error("the model went away"));
    },
  });
  return new Response(stream, { headers: { "content-type": "text/plain" } });
}
`,
  "pages/api/destroyed.ts": `
import type { NextApiRequest, NextApiResponse } from "next";
export default async function handler(req: NextApiRequest, res: NextApiResponse) {
  if (req.query.head) {
    res.writeHead(200, { "content-type": "text/plain" });
    res.write("first\\n");
    await new Promise((done) => setTimeout(done, 100));
  }
  res.destroy(req.query.error ? new Error("broken off") : undefined);
}
`,
};

describe("Broken answers on fluid", { timeout: 240_000 }, () => {
  let sim;
  before(async () => {
    const app = await copyApp(kFiles);
    sim = await startSim(["--profile", "hobby-fluid", "--set", `duration.default=${kLimitMs / 1000}s`], { cwd: app });
  });
  after(cleanUp);

  const ending = (target) => sim.waitForEvent(`end of ${target}`, isEnd({ target }), 10_000);

  test("Broken off: a stream that fails after its first bytes ends at once, on a cold and on a warm instance", async () => {
    for (const target of ["/api/broken?1", "/api/broken?2", "/api/broken?3"]) {
      const { status, text, cut, total } = await request(`${sim.url}${target}`);
      assert.deepEqual([status, text], [200, "first\n"]);
      assert.ok(cut, "no clean end");
      assert.ok(total < kLimitMs, `${total} ms`);
      const end = await ending(target);
      assert.equal(end.ended_by, "app");
      assert.equal(end.code, undefined);
    }
  });

  test("Broken off: res.destroy() before the head is NO_RESPONSE_FROM_FUNCTION, after it a cut, both at once", async () => {
    for (const error of ["", "&error=1"]) {
      const before = await request(`${sim.url}/api/destroyed?x${error}`);
      assert.deepEqual([before.status, before.headers.get("x-vercel-error")], [502, "NO_RESPONSE_FROM_FUNCTION"]);
      assert.ok(before.total < kLimitMs, `${before.total} ms`);
      const end = await ending(`/api/destroyed?x${error}`);
      assert.equal(end.code, "NO_RESPONSE_FROM_FUNCTION");
      const later = await request(`${sim.url}/api/destroyed?head=1${error}`);
      assert.deepEqual([later.status, later.text], [200, "first\n"]);
      assert.ok(later.cut && later.total < kLimitMs, `${later.total} ms`);
      assert.equal((await ending(`/api/destroyed?head=1${error}`)).ended_by, "app");
    }
  });
});
