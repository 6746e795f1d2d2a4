// The lessons on real next dev: two without a person, all with VSIM_FULL=1; what Ctrl-C leaves. The way of a learner on a terminal: tests/learn/terminal.test.mjs.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { Child, cleanUp, eventually, kApp, kBin, kFull, kRepo, tempFolder, within } from "./harness.mjs";

const kLessons = join(kRepo, "lessons");
const skip = spawnSync("script", ["-qec", "true", "/dev/null"]).status !== 0 && "no script(1) to make a terminal";

// A folder of lessons whose packages are those of the example app, which are the same; only --full installs.
async function place() {
  const dir = join(await tempFolder("learn"), "lessons");
  await mkdir(join(dir, ".vercel-sim"), { recursive: true });
  for (const flags of ["-al", "-a"]) if (spawnSync("cp", [flags, join(kApp, "node_modules"), dir]).status === 0) break;
  const lock = readFileSync(join(kLessons, "app/package-lock.json"));
  for (const name of ["package.json", "package-lock.json"]) await writeFile(join(dir, name), readFileSync(join(kLessons, "app", name)));
  await writeFile(join(dir, ".vercel-sim/installed"), createHash("sha256").update(lock).digest("hex").slice(0, 16));
  return dir;
}

async function check(dir, lessons, ms) {
  const child = new Child(kBin, ["learn", "--check", ...lessons, "--dir", dir], { cwd: dir });
  const { code } = await within(ms, "learn --check", child.exited);
  assert.equal(code, 0, child.output.text);
  assert.deepEqual(child.alive(), []);
  return child.output.text;
}

describe("learn", { timeout: kFull ? 900_000 : 240_000 }, () => {
  after(cleanUp);

  test("the packages of the lessons are those of the example app", () => {
    const of = (file) => JSON.parse(readFileSync(file, "utf8")).dependencies;
    const example = of(join(kApp, "package.json"));
    for (const [name, version] of Object.entries(of(join(kLessons, "app/package.json")))) assert.equal(example[name], version, name);
  });

  test("Ctrl-C while the app starts: 130, the terminal is as it was, nothing is left", { skip }, async () => {
    const dir = await place();
    const line = `'${kBin}' learn 6 --dir '${dir}'; ended=$?; stty -a; echo "ended with $ended"`;
    const child = new Child("script", ["-qec", line, "/dev/null"], { cwd: dir, env: { TERM: "xterm", SHELL: "/bin/bash" }, input: "pipe" });
    await child.output.waitFor(/Press 1 to 3/, 20_000);
    await eventually("vercel-sim runs", 10_000, () => child.alive().some((one) => / run --events -/.test(JSON.stringify(one))));
    child.process.stdin.write("\x03");
    await child.output.waitFor(/[ ;]icanon[^]*ended with 130/, 20_000);
    await eventually("nothing is left", 5_000, () => child.alive().length === 0);
  });

  test("two lessons without a person: they fail as they say, and pass with their solution", async () => {
    const said = await check(await place(), ["4", "6"], 120_000);
    assert.match(said, /ok {2}04-cut-at-the-wall: [^]*ok {2}06-after-the-response: /);
  });

  test("every lesson, after an installation of its own", { skip: !kFull && "VSIM_FULL=1 only" }, async () => {
    const dir = join(await tempFolder("learn"), "lessons");
    const said = await check(dir, [], 600_000);
    assert.ok(existsSync(join(dir, "node_modules/next")));
    assert.equal(said.match(/^ok {2}\d\d-/gm).length, 9, said);
  });
});
