// `vercel-sim test` around real test runners, in front of the example app in real `next dev`: Playwright, Vitest and Jest as a project of today has them,
// with the exit code a CI job sees, and nothing left behind.
import assert from "node:assert/strict";
import { readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, describe, test } from "node:test";
import { cleanUp, copyApp, listens, spawnSim, tempFolder, within } from "./harness.mjs";

const kPackages = join(dirname(fileURLToPath(import.meta.url)), "node_modules");

// A project with the test runners' packages beside its own, as `npm install --save-dev` leaves them.
async function project(files) {
  const app = await copyApp(files);
  for (const name of ["@playwright", "playwright", "playwright-core", "vitest"]) {
    await symlink(join(kPackages, name), join(app, "node_modules", name));
  }
  return app;
}

async function simTest(app, args, command, { env = {} } = {}) {
  const temp = await tempFolder("t");
  const sim = spawnSim(["test", "--port", "0", ...args, "--", ...command], { cwd: app, temp, env: { CI: "true", GITHUB_ACTIONS: "true", ...env } });
  let stdout = "";
  sim.process.stdout.on("data", (text) => (stdout += text));
  const { code } = await within(150_000, "the whole run", sim.exited).catch((error) => {
    throw new Error(`${error.message}; printed:\n${sim.output.text}`);
  });
  const { left, files } = await sim.stop();
  assert.deepEqual(left, []);
  assert.deepEqual(files.filter((file) => file.includes("vercel-sim")), []);
  const port = Number(/ready on http:\/\/localhost:(\d+)/.exec(sim.output.text)[1]);
  assert.equal(await listens(port), false);
  return { code, stdout, text: sim.output.text };
}

const kSpec = `import { expect, test } from "@playwright/test";
test("the page comes", async ({ request }) => {
  const response = await request.get("/");
  expect(response.status()).toBe(200);
});
test("a slow answer", async ({ request }) => {
  const response = await request.get("/api/limited?ms=" + (process.env.SLOW ?? "100"));
  expect([200, 504]).toContain(response.status());
});
`;
const kConfig = `export default { testDir: "specs", reporter: "json", workers: 1, timeout: 120_000, use: { baseURL: process.env.BASE_URL ?? "http://localhost:3000" } };\n`;
const playwright = [process.execPath, join(kPackages, "@playwright/test/cli.js"), "test"];
const jest = [process.execPath, join(kPackages, "jest/bin/jest.js"), "--json"];
const vitest = [process.execPath, join(kPackages, "vitest/vitest.mjs"), "run", "--reporter=json"];

describe("vercel-sim test", { timeout: 400_000 }, () => {
  after(cleanUp);

  test("Playwright: within the limits 0, over them 2, meant 0; its JSON report is all of standard output", async () => {
    const app = await project({ "playwright.config.mjs": kConfig, "specs/limits.spec.mjs": kSpec });
    const good = await simTest(app, [], playwright);
    assert.equal(good.code, 0, good.text);
    assert.equal(JSON.parse(good.stdout).stats.expected, 2);
    assert.match(good.text, /^no violation$/m);

    const bad = await simTest(app, [], playwright, { env: { SLOW: "8000" } });
    assert.equal(bad.code, 2, bad.text);
    assert.equal(JSON.parse(bad.stdout).stats.expected, 2, "the tests themselves passed");
    assert.match(bad.text, /✗ FUNCTION_INVOCATION_TIMEOUT {2}once\n[^]*route {4}\/api\/limited {2}app\/api\/limited\/route\.ts/);

    await writeFile(join(app, "vercel-sim.yaml"), "expect:\n  - code: FUNCTION_INVOCATION_TIMEOUT\n    route: app/api/limited/route.ts\n    reason: on purpose\n");
    const meant = await simTest(app, [], playwright, { env: { SLOW: "8000" } });
    assert.equal(meant.code, 0, meant.text);
    assert.match(meant.text, /^ {4}meant {4}on purpose$/m);
  });

  // Inside Vitest BASE_URL is Vite's own word, "/": docs/ci.md says PORT.
  test("Vitest: a failing test gives its own code, a passing one 0", async () => {
    const app = await project({
      "vitest.config.mjs": `export default { test: { include: ["unit/*.test.mjs"], testTimeout: 60_000 } };\n`,
      "unit/list.test.mjs": `import { expect, test } from "vitest";
test("the counter counts", async () => {
  const response = await fetch("http://localhost:" + process.env.PORT + "/api/counter");
  expect(response.status).toBe(Number(process.env.WANTED ?? 200));
});
`,
    });
    const good = await simTest(app, [], vitest);
    assert.equal(good.code, 0, good.text);
    // Vitest hides the cursor, on a pipe too.
    assert.match(good.stdout, /^(\x1b\[\?25[lh])*\{"numTotalTestSuites":.*"numPassedTests":1,.*\}\s*(\x1b\[\?25[lh])*$/);
    const bad = await simTest(app, [], vitest, { env: { WANTED: "418" } });
    assert.equal(bad.code, 1, bad.text);
    assert.match(bad.text, /^exit code 1: the command's own$/m);
  });

  test("--warm: all routes are compiled before the command starts and none has run; one that does not compile is named", async () => {
    const ran = `import { appendFileSync } from "node:fs";\nconst note = (what) => appendFileSync(process.env.RAN!, what + "\\n");\nnote("module");\n`;
    const app = await copyApp({
      "app/api/noted/[id]/route.ts": `${ran}export async function GET() {\n  note("handler");\n  return new Response("noted");\n}\n`,
      "app/api/torn/route.ts": "export function GET( {\n",
    });
    const temp = await tempFolder("warm");
    const [events, noted] = [join(temp, "events.jsonl"), join(temp, "ran.txt")];
    const command = ["sh", "-c", 'cat "$RAN"; echo; curl -sf "$BASE_URL/api/noted/7"; curl -sf "$BASE_URL/about" | head -c 15'];
    const { code, stdout, text } = await simTest(app, ["--warm", "--events", events], command, { env: { RAN: noted } });
    assert.equal(code, 0, text);
    assert.equal(stdout, "\nnoted<!DOCTYPE html>", "code of the app ran before the command");
    // Once by the request, before or after it by a spare that has the function's modules ready.
    assert.match(await readFile(noted, "utf8"), /^(module\n)+handler\n(module\n)*$/);
    assert.match(text, /^error: app\/api\/torn\/route\.ts: \/api\/torn does not compile: /m);
    const [, routes] = /^note: warming (\d+) routes$/m.exec(text);
    const [, seconds] = new RegExp(`^note: warmed ${routes - 1} routes in (\\d+\\.\\d)s$`, "m").exec(text);
    const ends = (await readFile(events, "utf8")).trim().split("\n").map((line) => JSON.parse(line)).filter((event) => event.t === "invocation_ended");
    assert.deepEqual(ends.map(({ route }) => route), ["/api/noted/[id]", "/about"]);
    // What is left is asking the bundler, which has the answer: little beside what compiling them took, however slow this machine is just now.
    for (const end of ends) assert.ok((end.compile_ms ?? 0) < Math.max(1_000, seconds * 250), `warmed in ${seconds} s: ${JSON.stringify(end)}`);
  });

  test("--warm and another app than next dev: refused", async () => {
    const sim = spawnSim(["test", "--warm", "--port", "0", "--app", "node server.js", "--", "true"], { cwd: await copyApp(), temp: await tempFolder("warm") });
    const { code } = await within(20_000, "its end", sim.exited);
    await sim.stop();
    assert.equal(code, 64);
    assert.match(sim.output.text, /^error: --warm compiles the routes of next dev/m);
  });

  test("Jest: a failing test gives its own code, a passing one 0, and over a limit 2", async () => {
    const app = await project({
      "jest.config.cjs": `module.exports = { testMatch: ["<rootDir>/unit/*.test.js"] };\n`,
      "unit/list.test.js": `test("an answer", async () => {
  const response = await fetch(process.env.BASE_URL + (process.env.TARGET ?? "/api/counter"));
  expect(response.status).toBe(Number(process.env.WANTED ?? 200));
}, 60000);
`,
    });
    const good = await simTest(app, [], jest);
    assert.equal(good.code, 0, good.text);
    assert.equal(JSON.parse(good.stdout).numPassedTests, 1);
    const bad = await simTest(app, [], jest, { env: { WANTED: "418" } });
    assert.equal(bad.code, 1, bad.text);
    assert.match(bad.text, /^exit code 1: the command's own$/m);
    const late = await simTest(app, [], jest, { env: { TARGET: "/api/limited?ms=8000", WANTED: "504" } });
    assert.equal(late.code, 2, late.text);
    assert.match(late.text, /✗ FUNCTION_INVOCATION_TIMEOUT {2}once/);
  });
});
