// memory.max under `enforce`: who has more is ended, at that moment and with its child processes where control groups can be had, with the same words; who has
// less, and who fills /tmp, is not.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { cleanUp, copyApp, eventually, isEnd, isNotHere, request, startSim } from "./harness.mjs";

const kEater = "const all = []; for (let i = 0; i < 30; i++) all.push(Buffer.alloc(20e6, 1)); process.stdout.write(String(all.length));";
const kFiles = {
  "app/api/eats/route.ts": `import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
export const dynamic = "force-dynamic";
export async function POST(request: Request) {
  const [how, bytes] = (await request.text()).split(" ");
  // Given back before anybody reads what it weighs.
  if (how === "burst") for (let held: Buffer[] = [], sum = 0; sum < Number(bytes); sum += 20e6) held.push(Buffer.alloc(20e6, 1));
  if (how === "tmp") writeFileSync("/tmp/large", Buffer.alloc(20e6, 1)), Array.from({ length: 9 }, () => writeFileSync("/tmp/large", Buffer.alloc(20e6, 1), { flag: "a" }));
  if (how === "child") return Response.json({ how, signal: spawnSync(process.execPath, ["-e", ${JSON.stringify(kEater)}]).signal });
  return Response.json({ how });
}
`,
};

describe("Memory: the plan's, enforced", { timeout: 300_000 }, () => {
  let sim, why;
  const eats = (how) => request(`${sim.url}/api/eats`, { method: "POST", body: how });
  before(async () => {
    sim = await startSim(["--profile", "hobby-fluid", "--set", "memory.mode=enforce", "--set", "memory.max=150MB", "--set", "disk.tmp_max=300MB"], { cwd: await copyApp(kFiles) });
    assert.equal((await eats("nothing")).status, 200);
    why = /memory\.max is judged by what an instance is read to weigh.*: (.*)/.exec(sim.output.text)?.[1];
  });
  after(cleanUp);

  test("what is less is served, what /tmp holds besides", async (t) => {
    if (why) t.diagnostic(`by readings alone: ${why}`);
    for (const how of ["burst 60000000", "tmp"]) assert.deepEqual([how, (await eats(how)).status], [how, 200]);
  });

  test("a burst that is over before anybody reads it is the platform's error", async (t) => {
    if (isNotHere(t, why)) return;
    const answer = await eats("burst 900000000");
    assert.equal(answer.status, 500);
    assert.match(answer.text, /FUNCTION_INVOCATION_FAILED/);
    const end = await sim.waitForEvent("its end", isEnd({ target: "/api/eats", status: 500 }), 10_000);
    assert.match(JSON.stringify(end), /i\d+ was killed: it used more than memory\.max/);
  });

  test("so is what a child process takes", async (t) => {
    if (isNotHere(t, why)) return;
    const answer = await eats("child");
    // The kernel ends the largest of the two: the function may answer before its instance goes.
    assert.ok(answer.status === 500 || JSON.parse(answer.text).signal === "SIGKILL", answer.text);
    const over = () => sim.events().filter(({ t: kind, to, death, why: of }) => kind === "instance_changed" && to === "dead" && (of === "memory_limit" || /memory\.max/.test(death ?? ""))).length;
    await eventually("both instances are gone for it", 10_000, () => over() >= 2);
  });
});
