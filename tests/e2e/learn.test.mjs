// The lessons on real next dev: two without a person, what Ctrl-C leaves; with VSIM_FULL=1 all of them, and a whole one on a terminal (in CI with a program
// that serves its route without next dev: tests/learn/terminal.test.mjs).
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { packagesOf, partsOf } from "../next_versions.mjs";
import { Child, cleanUp, eventually, kApp, kBin, kFull, kRepo, tempFolder, within } from "./harness.mjs";

const kLessons = join(kRepo, "lessons");
const skip = spawnSync("script", ["-qec", "true", "/dev/null"]).status !== 0 && "no script(1) to make a terminal";

function copy(from, to) {
  for (const flags of ["-al", "-a"]) if (spawnSync("cp", [flags, from, to]).status === 0) return;
}
const packagesIn = (folder) => readdirSync(folder).flatMap((name) => (name.startsWith("@") ? readdirSync(join(folder, name)).map((own) => `${name}/${own}`) : name.startsWith(".") ? [] : [name]));

// A folder of lessons whose packages are those of the example app, which are the same; only --full installs. With `combo` (tests/next_versions.mjs) its
// Next and React, and from the example app what is not among them.
async function place(combo) {
  const dir = join(await tempFolder("learn"), "lessons");
  await mkdir(join(dir, ".vercel-sim"), { recursive: true });
  const [ours, theirs] = [join(dir, "node_modules"), join(kApp, "node_modules")];
  copy(combo ? join(packagesOf(combo), "node_modules") : theirs, dir);
  for (const name of packagesIn(theirs)) {
    if (existsSync(join(ours, name))) continue;
    await mkdir(join(ours, name, ".."), { recursive: true });
    copy(join(theirs, name), join(ours, name));
  }
  const lock = readFileSync(join(kLessons, "app/package-lock.json"));
  for (const name of ["package.json", "package-lock.json"]) await writeFile(join(dir, name), readFileSync(join(kLessons, "app", name)));
  await writeFile(join(dir, ".vercel-sim/installed"), createHash("sha256").update(lock).digest("hex").slice(0, 16));
  return dir;
}

const kIds = readdirSync(kLessons).filter((name) => /^\d\d-/.test(name));

async function check(dir, lessons, ms) {
  const child = new Child(kBin, ["learn", "--check", ...lessons, "--dir", dir], { cwd: dir });
  const { code } = await within(ms, "learn --check", child.exited);
  assert.equal(code, 0, child.output.text);
  assert.deepEqual(child.alive(), []);
  return child.output.text;
}

// As an editor does it.
async function save(file, text) {
  await writeFile(`${file}.tmp`, text);
  await rename(`${file}.tmp`, file);
}

describe("learn", { timeout: kFull ? 3_600_000 : 240_000 }, () => {
  after(cleanUp);

  test("the packages of the lessons are those of the example app", () => {
    const of = (file) => JSON.parse(readFileSync(file, "utf8")).dependencies;
    const example = of(join(kApp, "package.json"));
    for (const [name, version] of Object.entries(of(join(kLessons, "app/package.json")))) assert.equal(example[name], version, name);
  });

  test("a lesson from the question to the end, on a terminal; what was seen can be exported; nothing is left", { skip: skip || (!kFull && "VSIM_FULL=1 only") }, async () => {
    const dir = await place();
    const line = `stty cols 100 rows 40; '${kBin}' learn 1 --dir '${dir}'; echo "ended with $?"`;
    const child = new Child("script", ["-qec", line, "/dev/null"], { cwd: dir, env: { TERM: "xterm", SHELL: "/bin/bash" }, input: "pipe" });
    const press = (keys) => child.process.stdin.write(keys);
    const { output } = child;
    await output.waitFor(/Lesson 1 of \d+: The Map that is empty again[^]*const rooms = new Map\(\);[^]*Press 1 to 3/, 20_000);
    press("x1"); // x is no answer
    await output.waitFor(/You say 1\. Let us see\./, 5_000);
    await output.waitFor(/the live picture: http:\/\/localhost:\d+\/_vercel-sim\//, 90_000);
    await output.waitFor(/✗ the room is found [0-3] times? of 4[^]*SIM_STATE_NOT_SHARED[^]*It is 2\. You said 1[^]*Mend it[^]*save: look again/, 60_000);
    // One of the four GETs at least is on another lane than the POST.
    assert.match(output.text, /^ {2}i\d+ +.*GET 404/m);

    const file = join(dir, "01-the-empty-map/app/api/rooms/route.js");
    let from = output.text.length;
    await save(file, "export async function POST( {\n");
    await output.waitFor(/app\/api\/rooms\/route\.js saved\. Looking again[^]*✗ a room is made: 500[^]*The app itself says:[^]*route\.js[^]*save: look again/, 60_000, from);
    press("h");
    await output.waitFor(/Hint 1 of 3/, 5_000, from);
    from = output.text.length;
    await save(file, await readFile(join(kLessons, "01-the-empty-map/solution/app/api/rooms/route.js")));
    await output.waitFor(/✓ the room is found 4 times of 4[^]*It holds\./, 60_000, from);
    press("n");
    await output.waitFor(/One way to do it[^]*store\.set[^]*Other ways[^]*n: the next lesson/, 5_000, from);
    press("q");
    await output.waitFor(/ended with 0/, 20_000, from);
    await eventually("nothing is left", 5_000, () => child.alive().length === 0);

    const list = spawnSync(kBin, ["learn", "--list", "--dir", dir], { encoding: "utf8" });
    assert.match(list.stdout, /^ {2}✓ {2}1 {2}The Map/m);
    const html = join(dir, "out/lesson.html");
    const exported = spawnSync(kBin, ["learn", "--export", html, "1", "--dir", dir], { encoding: "utf8" });
    assert.equal(exported.status, 0, exported.stderr);
    const page = await readFile(html, "utf8");
    assert.match(page, /Four times 200\.[^]*\(the prediction\)[^]*Some say 200 and some 404\. <strong>\(what happens\)/);
    assert.match(page, /1 hint read[^]*it holds[^]*"t":"invocation_ended"/);

    const reset = spawnSync(kBin, ["learn", "--reset", "1", "--dir", dir], { encoding: "utf8" });
    assert.equal(reset.status, 0, reset.stderr);
    assert.equal(await readFile(file, "utf8"), await readFile(join(kLessons, "01-the-empty-map/start/app/api/rooms/route.js"), "utf8"));
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
    assert.equal(said.match(/^ok {2}\d\d-/gm).length, kIds.length, said);
  });

  // The newest minor of each; 16 is what the lessons install themselves.
  for (const [combo, missing] of [["15-webpack", []], ["14-webpack", ["06-after-the-response", "09-made-at-build-or-at-request"]]]) {
    const { next } = partsOf(combo);
    test(`every lesson on Next ${combo}, but those that say that they need a newer one`, { skip: !kFull && "VSIM_FULL=1 only" }, async () => {
      const said = await check(await place(combo), [], 800_000);
      const told = [...said.matchAll(/^(ok|--) {2}(\d\d-[a-z0-9-]+): (.*)/gm)];
      assert.deepEqual(told.map(([, , id]) => id), kIds, said);
      assert.deepEqual(told.filter(([, how]) => how === "--").map(([, , id]) => id), missing, said);
      for (const [, how, , why] of told) if (how === "--") assert.match(why, new RegExp(`^does not apply: it needs Next 15(\\.1)? or newer, and ${next}\\.\\d+\\.\\d+ is installed$`));
      if (missing.length > 0) assert.match(said, new RegExp(`${missing.length} of ${kIds.length} lessons do not apply`));
    });
  }

  test("a lesson that needs a newer Next than is there: said before its question, and nothing is begun", async () => {
    const dir = await place();
    const file = join(dir, "node_modules/next/package.json");
    const given = JSON.parse(await readFile(file, "utf8"));
    await save(file, JSON.stringify({ ...given, version: "14.2.35" }));  // in a file of its own: the packages are links
    const run = spawnSync(kBin, ["learn", "6", "--dir", dir], { encoding: "utf8" });
    assert.match(run.stderr, /^error: this lesson does not apply here: it needs Next 15\.1 or newer, and 14\.2\.35 is installed\nfix: delete .*node_modules/);
    assert.equal(run.status, 64);
    assert.equal(run.stdout, "");
    const checked = spawnSync(kBin, ["learn", "--check", "6", "--dir", dir], { encoding: "utf8" });
    assert.match(checked.stdout, /^-- {2}06-after-the-response: does not apply: .*\n1 of 1 lesson does not apply: nothing was checked\n$/);
    assert.equal(checked.status, 2);
  });
});
