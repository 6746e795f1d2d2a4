// State in the memory of modules: what is lost between instances is told with its variable and its place, and nobody else is accused. The cases are
// state_app.mjs; VSIM_FULL=1 runs them on every major of Next with each bundler, on hobby and on hobby-fluid.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { cleanUp, eventually, kFull, spawnSim, startSim, tempFolder, within } from "./harness.mjs";
import { kInnocent, kLost } from "./state_app.mjs";
import { appOf, ask, kCode, toldBy } from "./state_run.mjs";
import { kNewestOfMajor } from "../next_versions.mjs";

// VSIM_MATRIX names combinations of Next and bundler, VSIM_PROFILES profiles.
const chosen = process.env.VSIM_MATRIX?.split(",") ?? (kFull ? kNewestOfMajor : ["16-turbopack"]);
const profiles = process.env.VSIM_PROFILES?.split(",") ?? (kFull ? ["hobby", "hobby-fluid"] : ["hobby"]);

function suite(combo, profile) {
  const name = `${combo} ${profile}`;
  describe(`State in modules, ${name}`, { timeout: 900_000 }, () => {
    after(cleanUp);
    test(`State in modules, ${name}: every loss is told with its variable and place, and nothing else`, async () => {
      const cases = [...kLost, ...kInnocent].filter((one) => new RegExp(process.env.VSIM_CASE ?? "").test(one.name));
      const sim = await startSim(["--profile", profile, "--set", "duration.default=60s"], { cwd: await appOf(combo, ...cases.map((one) => one.files)) });
      const results = {};
      const wanted = {};
      for (const { name, asks, told = [] } of cases) {
        const from = sim.events().length;
        const cookies = [];
        const ends = [];
        for (const asked of asks) ends.push(await ask(sim, asked, cookies));
        wanted[name] = told;
        // What is told of a request comes after its answer.
        await eventually(name, 5_000, () => isDeepStrictEqual((results[name] = toldBy(sim, from)), told)).catch(() => {});
        for (const end of ends) end();
      }
      assert.deepEqual(results, wanted);
      await sim.stop();
      assert.deepEqual(toldBy(sim, 0), Object.values(wanted).flat().sort(), "and nothing later");
    });
  });
}

// Sends what two files ask for; what is told comes at the end of each invocation.
const kClient = `for (const [method, path, body] of JSON.parse(process.argv[2])) {
  const response = await fetch(process.env.BASE_URL + path, { method, body, headers: body && { "content-type": "application/json" } });
  await response.text();
  console.log(method, path, response.status);
}
`;

describe("What state in modules does to vercel-sim test", { timeout: 300_000 }, () => {
  after(cleanUp);

  async function tested(app, asks) {
    const temp = await tempFolder("state");
    const out = (name) => join(temp, name);
    const sim = spawnSim(
      ["test", "--port", "0", "--profile", "hobby", "--junit", out("j.xml"), "--sarif", out("s.json"), "--", process.execPath, "client.mjs", JSON.stringify(asks)],
      { cwd: app, temp: await tempFolder("t"), env: { CI: "true" } },
    );
    const { code } = await within(150_000, "the whole run", sim.exited);
    await sim.stop();
    return { code, text: sim.output.text, junit: await readFile(out("j.xml"), "utf8"), sarif: JSON.parse(await readFile(out("s.json"), "utf8")) };
  }
  const resultsIn = (sarif) => sarif.runs[0].results.filter(({ ruleId }) => ruleId === kCode);
  const placeOf = ({ locations: [{ physicalLocation: { artifactLocation, region } }] }) => `${artifactLocation.uri}:${region.startLine}:${region.startColumn}`;

  test("what is proven ends it with 2, what is suspected with 0; both are named with file, line and column everywhere", async () => {
    const cases = kLost.filter(({ name }) => /^(an array of messages|a limiter)/.test(name));
    const app = await appOf("16-turbopack", { "client.mjs": kClient }, ...cases.map(({ files }) => files));

    const suspected = await tested(app, [["GET", "/s/limited"], ["GET", "/s/limited"]]);
    assert.equal(suspected.code, 0, suspected.text);
    assert.match(suspected.text, /^ *! SIM_STATE_NOT_SHARED +once, a warning$/m, suspected.text);
    assert.match(suspected.text, /lib\/s\/limit\.ts:1:7/);
    assert.deepEqual(resultsIn(suspected.sarif).map((one) => [one.level, placeOf(one)]), [["warning", "lib/s/limit.ts:1:7"]]);
    assert.match(suspected.junit, /<system-out>[^]*lib\/s\/limit\.ts:1:7[^]*<\/system-out>/);
    assert.doesNotMatch(suspected.junit, /<failure/);

    const proven = await tested(app, [["POST", "/s/messages", '{"text":"good morning"}'], ["GET", "/s/messages"]]);
    assert.equal(proven.code, 2, proven.text);
    assert.match(proven.text, /^ *✗ SIM_STATE_NOT_SHARED +once$/m, proven.text);
    assert.match(proven.text, /app\/s\/messages\/route\.ts:2:7/);
    assert.deepEqual(resultsIn(proven.sarif).map((one) => [one.level, placeOf(one)]), [["error", "app/s/messages/route.ts:2:7"]]);
    assert.match(proven.junit, /<failure[^]*SIM_STATE_NOT_SHARED[^]*app\/s\/messages\/route\.ts:2:7[^]*<\/failure>/);
  });
});

for (const combo of chosen) for (const profile of profiles) suite(combo, profile);
