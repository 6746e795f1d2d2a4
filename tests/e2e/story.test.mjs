// What the API tells of an invocation beside its events, before real next dev: header fields as the client sent and got them, and what its instance printed meanwhile,
// surely its own only where no other one ran there.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { cleanUp, eventually, isEnd, request, startSim } from "./harness.mjs";
import { makeApp } from "./matrix_app.mjs";

const kFiles = {
  "app/layout.js": 'export default function Layout({ children }) { return <html lang="en"><body>{children}</body></html>; }\n',
  "app/page.js": "export default function Page() { return <h1>The app</h1>; }\n",
  "app/api/say/route.js": `export const dynamic = "force-dynamic";
export async function GET(request) {
  const query = new URL(request.url).searchParams;
  console.log("begin " + query.get("n"));
  await new Promise((done) => setTimeout(done, Number(query.get("ms") ?? 0)));
  console.error("end " + query.get("n") + " token=s3cret");
  return Response.json({ n: query.get("n") }, { headers: { "set-cookie": "sid=s3cret; Path=/", "x-mine": "yes" } });
}
`,
};

describe("the story of an invocation beside its events", { timeout: 300_000 }, () => {
  after(cleanUp);

  async function story(sim, target) {
    const end = await sim.waitForEvent(`the end of ${target}`, isEnd({ target }));
    const ask = async () => JSON.parse((await request(`${sim.url}/_vercel-sim/api/invocations/${end.id}`)).text);
    // The last line is read a moment after the response.
    return eventually("its last line", 10_000, async () => {
      const told = await ask();
      return told.lines.some(({ text }) => text.startsWith(`end ${new URL(target, sim.url).searchParams.get("n")}`)) && told;
    });
  }
  const fields = (head) => Object.fromEntries(head.headers.map(({ name, value }) => [name.toLowerCase(), value]));

  test("one at a time: its lines are surely its own; secrets are masked, ours are not told", async () => {
    const sim = await startSim(["--profile", "hobby"], { cwd: await makeApp("16-turbopack", kFiles, null) });
    await request(`${sim.url}/api/say?n=1`, { headers: { authorization: "Bearer s3cret", "x-asked": "so" } });
    await request(`${sim.url}/api/say?n=2`);
    const one = await story(sim, "/api/say?n=1");
    assert.deepEqual(one.lines.map(({ text, error = false, sure }) => [text, error, sure]), [["begin 1", false, true], ["end 1 token=***", true, true]]);
    assert.equal(fields(one.request).authorization, "Bearer ***");
    assert.equal(fields(one.request)["x-asked"], "so");
    assert.deepEqual([fields(one.response)["set-cookie"], fields(one.response)["x-mine"], fields(one.response).server], ["sid=***; Path=/", "yes", "Vercel"]);
    assert.doesNotMatch(JSON.stringify(one), /s3cret|x-vsim/i);
    await sim.stop();
  });

  test("several at a time on one instance: nobody knows whose line it is", async () => {
    const sim = await startSim(["--profile", "hobby-fluid", "--placement", "pack"], { cwd: await makeApp("16-turbopack", kFiles, null) });
    await request(`${sim.url}/api/say?n=0`); // compiled
    const long = request(`${sim.url}/api/say?n=1&ms=3000`);
    await sim.waitForEvent("the first runs", (event) => event.t === "invocation_started" && event.target.includes("n=1"));
    await request(`${sim.url}/api/say?n=2`);
    await long;
    const two = await story(sim, "/api/say?n=2");
    assert.equal(new Set(sim.events().filter((event) => event.t === "invocation_ended" && event.target.includes("/api/say")).map((event) => event.instance)).size, 1);
    assert.ok(two.lines.length >= 2 && two.lines.every(({ sure }) => sure === false), JSON.stringify(two.lines));
    await sim.stop();
  });
});
