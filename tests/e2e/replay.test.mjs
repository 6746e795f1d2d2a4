// A walk through the example app in real `next dev`, recorded on hobby-fluid and replayed on hobby: what breaks there, and what cannot be said.
import assert from "node:assert/strict";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { cleanUp, copyApp, spawnSim, tempFolder, within } from "./harness.mjs";

// Wants the cookie that login gave; keeps nothing, so that any instance may serve it.
const kLogin = `export async function POST(request: Request) {
  const { name } = await request.json();
  return new Response("in", { headers: { "set-cookie": "who=" + name + "." + Math.random().toString(36).slice(2) + "; Path=/; HttpOnly" } });
}
`;
const kOrder = `import { cookies } from "next/headers";
export async function POST(request: Request) {
  const who = (await cookies()).get("who")?.value ?? "";
  const form = await request.formData();
  const ms = Number(form.get("ms"));
  if (!who.startsWith("ann.")) return new Response("who", { status: 401 });
  await new Promise((resolve) => setTimeout(resolve, ms));
  return Response.json({ slept: ms });
}
`;

describe("replay", { timeout: 400_000 }, () => {
  after(cleanUp);

  test("a POST with body and cookie that takes 11 s: fine on hobby-fluid, broken on hobby", async () => {
    const app = await copyApp({ "app/api/login/route.ts": kLogin, "app/api/order/route.ts": kOrder });
    const recorder = spawnSim(["run", "--port", "0", "--profile", "hobby-fluid", "--record", "session.jsonl"], { cwd: app, temp: await tempFolder("r") });
    const [, url] = await recorder.output.waitFor(/^vercel-sim ready on (http:\S+)/m, 90_000);
    assert.match(recorder.output.text, /^recording to session\.jsonl: whole requests/m);
    assert.equal((await fetch(url + "/about")).status, 200);
    const login = await fetch(url + "/api/login", { method: "POST", body: JSON.stringify({ name: "ann" }) });
    const cookie = login.headers.get("set-cookie").split(";")[0];
    const order = (ms) => {
      const form = new FormData();
      form.set("ms", ms);
      form.set("file", new Blob([new Uint8Array([0, 255, 128, 10])]), "x.bin");
      return fetch(url + "/api/order", { method: "POST", body: form, headers: { cookie, origin: url } });
    };
    const answers = await Promise.all([order("11000"), order("5")]);
    assert.deepEqual(answers.map((answer) => answer.status), [200, 200], recorder.output.text);
    const action = await fetch(url + "/", { method: "POST", body: "[]", headers: { "next-action": "40".padEnd(42, "a"), "content-type": "text/plain" } });
    await action.arrayBuffer();
    recorder.process.kill("SIGTERM");
    const stopped = await within(30_000, "the recorder's end", recorder.exited);
    await recorder.stop();
    assert.equal(stopped.code, 0, recorder.output.text);
    assert.equal((await stat(join(app, "session.jsonl"))).mode & 0o777, 0o600);

    const sim = spawnSim(["replay", "session.jsonl", "--port", "0", "--profile", "hobby", "--json", "out.json"], { cwd: app, temp: await tempFolder("p") });
    const { code } = await within(150_000, "the replay", sim.exited).catch((error) => {
      throw new Error(`${error.message}; printed:\n${sim.output.text}`);
    });
    const { left } = await sim.stop();
    assert.deepEqual(left, []);
    assert.equal(code, 2, sim.output.text);
    assert.match(sim.output.text, /^broke: had worked in the recording\n {2}✗ POST \/api\/order {2}ok -> FUNCTION_INVOCATION_TIMEOUT {2}\(#\d\)$/m);
    assert.match(sim.output.text, /^ {2}- cookie who as POST \/api\/login \(request 2\) set it this time {2}\(#3 #4\)$/m);
    assert.match(sim.output.text, /^ {6}a Server Action: Next gives each build other ids/m);
    assert.match(sim.output.text, /^1 broke, 0 mended, 3 the same, 1 not sent$/m);
    const { profiles, recording } = JSON.parse(await readFile(join(app, "out.json"), "utf8"));
    assert.equal(recording.profile, "hobby-fluid");
    const { requests } = profiles[0];
    assert.deepEqual(requests.map(({ change }) => change).sort(), ["broke", "not_sent", "same", "same", "same"]);
    const broke = requests.find(({ change }) => change === "broke");
    assert.deepEqual([broke.recorded.status, broke.replayed.status, broke.replayed.file], [200, 504, "app/api/order/route.ts"]);
  });
});
