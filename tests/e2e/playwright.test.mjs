// Playwright starts vercel-sim with the very lines of the README; and what a person learns whose command never listens. Both mostly wait, so
// they do it at the same time.
import assert from "node:assert/strict";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, describe, test } from "node:test";
import { Child, cleanUp, copyApp, freePort, kBin, kRepo, listens, spawnSim, tempFolder, within } from "./harness.mjs";

const kPackages = join(dirname(fileURLToPath(import.meta.url)), "node_modules");

// The block of the README, on another port.
async function webServerOfReadme(port) {
  const readme = await readFile(join(kRepo, "README.md"), "utf8");
  const block = /```js\n\/\/ playwright\.config\.js\n(webServer: \{\n[^]*?\n\},)\n```/.exec(readme);
  assert.ok(block, "the README shows a webServer");
  assert.equal(block[1].match(/\b3000\b/g).length, 2, "the port of the command and of the URL");
  return block[1].replaceAll("3000", String(port));
}

describe("Playwright and patience", { concurrency: true, timeout: 200_000 }, () => {
  after(cleanUp);

  test("Playwright: with the README's webServer a test meets the limits, and nothing is left behind", async () => {
    const app = await copyApp();
    const port = await freePort();
    const temp = await tempFolder("t");
    const programs = await tempFolder("bin");
    await symlink(kBin, join(programs, "vercel-sim"));
    await symlink(join(kPackages, "@playwright"), join(app, "node_modules/@playwright"));
    await writeFile(
      join(app, "playwright.config.mjs"),
      `export default {\n${await webServerOfReadme(port)}\ntestDir: "specs", reporter: "line", workers: 1, timeout: 120_000, use: { baseURL: "http://localhost:${port}" } };\n`,
    );
    await mkdir(join(app, "specs"));
    await writeFile(
      join(app, "specs/limits.spec.mjs"),
      `import { expect, test } from "@playwright/test";
test("a function in time", async ({ request }) => {
  const response = await request.get("/api/slow?ms=100");
  expect([response.status(), await response.text()]).toEqual([200, '{"slept":100}']);
});
test("a function over its maximum duration", async ({ request }) => {
  const response = await request.get("/api/limited?ms=8000");
  expect(response.status()).toBe(504);
  expect(response.headers()["x-vercel-error"]).toBe("FUNCTION_INVOCATION_TIMEOUT");
});
`,
    );
    const cli = join(kPackages, "@playwright/test/cli.js");
    const playwright = new Child(process.execPath, [cli, "test"], { cwd: app, temp, env: { PATH: `${programs}:${process.env.PATH}`, CI: "1" } });
    const { code } = await within(150_000, "Playwright's run", playwright.exited).catch((error) => {
      throw new Error(`${error.message}; printed:\n${playwright.output.text}`);
    });
    assert.equal(code, 0, playwright.output.text);
    assert.match(playwright.output.text, /2 passed/);
    const { left, files } = await playwright.stop();
    assert.deepEqual(left, []);
    assert.deepEqual(files.filter((file) => file.includes("vercel-sim")), []);
    assert.equal(await listens(port), false);
  });

  test("Command: one that never listens is told of PORT after half a minute", async () => {
    const begun = performance.now();
    const sim = spawnSim(["run", "--port", "0", "--app", "sleep 1000"], { cwd: await tempFolder("empty"), temp: await tempFolder("t") });
    await sim.output.waitFor(/^warning: the command does not listen on port \d+ yet: does it read PORT from its environment\?$/m, 45_000);
    assert.ok(performance.now() - begun >= 30_000, "not while it may still be starting");
    assert.doesNotMatch(sim.output.text, /vercel-sim ready/);
    const { code, left, files } = await sim.stop("SIGINT");
    assert.equal(code, 130);
    assert.deepEqual(left, []);
    assert.deepEqual(files, []);
  });
});
