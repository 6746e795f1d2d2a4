// Instances that are used again, one request at a time (`--isolation instance`), in front of a real `next dev`: warm state, standstill, ends.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { cleanUp, copyApp, eventually, request, startSim } from "./harness.mjs";
import { instances, json, kCrashes, kKept, stateOf } from "./isolation_app.mjs";

const kFiles = { "app/api/crash/route.ts": kCrashes, "app/api/kept/route.ts": kKept };

describe("Isolation: instances that are used again", { timeout: 200_000 }, () => {
  let sim;
  before(async () => {
    sim = await startSim(["--profile", "hobby", "--isolation", "instance"], { cwd: await copyApp(kFiles) });
  });
  after(cleanUp);

  test("Instance: requests one after the other see warm state, those at the same time do not", async () => {
    for (const count of [1, 2, 3]) {
      const { text, headers } = await request(`${sim.url}/api/counter`);
      assert.deepEqual(JSON.parse(text), { count });
      await sim.rest(headers);
    }
    const [a, b] = await Promise.all([1, 2].map(() => json(`${sim.url}/api/kept?ms=6000`)));
    assert.notEqual(a.pid, b.pid);
    assert.deepEqual([a.count, b.count], [1, 1]);
    await sim.output.waitFor(/\/api\/counter 200 in \S+ i\d+ warm/, 5_000);
  });

  test("Instance: an idle instance stands still, and its timers with it", async () => {
    const { id } = await json(`${sim.url}/api/background?every=20&ms=100000`, { method: "POST" });
    // Given back: a request before that would meet another instance.
    const { instance } = await sim.waitForEvent("what was left", (one) => one.t === "background_work" && one.route === "/api/background");
    const { pid } = await sim.waitForEvent("its standstill", (one) => one.t === "instance_changed" && one.instance === instance && one.to === "frozen");
    await eventually("a stopped process", 5_000, () => stateOf(pid) === "T");
    const ticks = async () => (await json(`${sim.url}/api/background?id=${id}`)).ticks;
    const before = await ticks();
    assert.equal(typeof before, "number");
    await new Promise((done) => setTimeout(done, 1_000)); // 50 ticks, if it ran
    assert.ok((await ticks()) - before < 25);
  });

  test("Instance: out of memory ends one instance, and is called that", { timeout: 90_000 }, async () => {
    const response = await request(`${sim.url}/api/crash?how=oom`);
    assert.match(response.headers.get("x-vercel-error"), /FUNCTION_INVOCATION_(FAILED|TIMEOUT)/);
    assert.equal((await request(`${sim.url}/api/crash`)).status, 200);
  });

  test("Instance: Ctrl-C with frozen instances leaves nothing", async () => {
    await eventually("a frozen instance", 10_000, () => instances(sim).some(({ pid }) => stateOf(pid) === "T"));
    const { left, files, code } = await sim.stop("SIGINT");
    assert.equal(code, 130);
    assert.deepEqual(left, []);
    assert.deepEqual(files, []);
  });
});
