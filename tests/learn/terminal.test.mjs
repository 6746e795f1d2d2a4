// A lesson on a terminal, as script(1) makes one, with a program that serves the lesson's route without next dev: what is shown at each key and save.
// The lessons on real next dev: tests/e2e/learn.test.mjs.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";

const root = path.resolve(import.meta.dirname, "../..");
const program = path.resolve(process.env.VSIM_BIN ?? path.join(root, "build/vercel-sim"));
const kLearn = [path.join(root, "scripts/learn.mjs"), path.join(root, "tests/learn/fake_program.mjs")];
const skip = spawnSync("script", ["-qec", "true", "/dev/null"]).status !== 0 && "no script(1) to make a terminal";

// A folder of lessons as if they were installed: nothing of that is needed here.
function place(t) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "vs-l-"));
  t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
  const lock = fs.readFileSync(path.join(root, "lessons/app/package-lock.json"));
  fs.mkdirSync(path.join(dir, ".vercel-sim"));
  fs.mkdirSync(path.join(dir, "node_modules/next"), { recursive: true });
  fs.writeFileSync(path.join(dir, "node_modules/next/package.json"), "{}");
  fs.writeFileSync(path.join(dir, ".vercel-sim/installed"), createHash("sha256").update(lock).digest("hex").slice(0, 16));
  return dir;
}

test("question, prediction, run, a syntax error, a hint, reset, the fix, other ways, export", { skip, timeout: 300_000 }, async (t) => {
  const dir = place(t);
  const learn = `'${process.execPath}' ${kLearn.map((word) => `'${word}'`).join(" ")} '--dir=${dir}'`;
  const child = spawn("script", ["-qec", `stty cols 100; ${learn} 1; echo "ended with $?"`, "/dev/null"], { env: { ...process.env, VSIM_BIN: program, TERM: "xterm", SHELL: "/bin/sh" } });
  t.after(() => child.kill("SIGKILL"));
  let text = "";
  let look = () => {};
  child.stdout.on("data", (bytes) => {
    text += stripVTControlCharacters(String(bytes)).replaceAll("\r\n", "\n");
    look();
  });
  let from = 0;
  const says = (pattern) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`not said: ${pattern}; said:\n${text.slice(from)}`)), 60_000);
      look = () => {
        if (!pattern.test(text.slice(from))) return;
        clearTimeout(timer);
        resolve();
      };
      look();
    });
  const then = (act, pattern) => {
    from = text.length;
    act();
    return says(pattern);
  };
  const press = (keys) => () => child.stdin.write(keys);
  const file = path.join(dir, "01-the-empty-map/app/api/rooms/route.js");
  const save = (code) => () => {
    fs.writeFileSync(`${file}.tmp`, code);
    fs.renameSync(`${file}.tmp`, file);
  };
  const of = (folder) => fs.readFileSync(path.join(root, "lessons/01-the-empty-map", folder, "app/api/rooms/route.js"), "utf8");

  await says(/Lesson 1 of \d+: The Map that is empty again[^]*const rooms = new Map\(\);[^]*Press 1 to 3/);
  await then(press("x1"), /You say 1\.[^]*✗ the room is found 2 times of 4[^]*SIM_STATE_NOT_SHARED[^]*It is 2\. You said 1[^]*Mend it[^]*save: look again/);
  assert.ok(text.includes("  i1  ·         GET 404   ·         GET 404   ·\n  i2  POST 201  ·         GET 200   ·         GET 200\n"), text);
  await then(save("export async function POST( {\n"), /route\.js saved\. Looking again[^]*✗ a room is made: 500[^]*The app itself says:[^]*Parsing ecmascript[^]*save: look again/);
  await then(press("h"), /Hint 1 of 3/);
  await then(press("r"), /y or n/);
  await then(press("y"), /as at the start/);
  assert.equal(fs.readFileSync(file, "utf8"), of("start"));
  await then(press("l"), /… {2}1 {2}The Map/);
  await then(save(of("solution")), /✓ the room is found 4 times of 4[^]*It holds\.[^]*save: look again/);
  await then(press("n"), /One way to do it[^]*store\.set[^]*Other ways[^]*n: the next lesson/);
  await then(press("q"), /Your files stay in [^]*ended with 0/);

  const run = (...words) => spawnSync(program, ["learn", ...words, "--dir", dir], { encoding: "utf8" });
  assert.match(run("--list").stdout, /^ {2}✓ {2}1 {2}The Map/m);
  const html = path.join(dir, "out/lesson.html");
  const exported = run("--export", html, "1");
  assert.equal(exported.status, 0, exported.stderr);
  const page = fs.readFileSync(html, "utf8");
  assert.match(page, /Four times 200\.[^]*\(the prediction\)[^]*Some say 200 and some 404\. <strong>\(what happens\)/);
  assert.match(page, /1 hint read[^]*it holds[^]*"t":"invocation_ended"/);
  assert.equal(run("--reset", "1").status, 0);
  assert.equal(fs.readFileSync(file, "utf8"), of("start"));
});

test("--check of a lesson of one's own: ok, or what is not as it says and what was seen; exit code 2", { timeout: 120_000 }, (t) => {
  const dir = place(t);
  const mine = path.join(dir, "mine");
  fs.cpSync(path.join(root, "lessons/01-the-empty-map"), mine, { recursive: true });
  const check = (...more) => spawnSync(process.execPath, [...kLearn, `--dir=${dir}`, "--check", ...more, mine], { encoding: "utf8", env: { ...process.env, VSIM_BIN: program } });
  const good = check();
  assert.match(good.stdout, /^ok {2}own-mine: fails at the start \(room-found, SIM_STATE_NOT_SHARED\), passes with its solution/);
  assert.equal(good.status, 0);

  // A solution that is none.
  fs.cpSync(path.join(mine, "start"), path.join(mine, "solution"), { recursive: true });
  const bad = check();
  assert.match(bad.stdout, /^no {2}own-mine[^]*solution\/: the check "room-found" fails: the room is found 2 times of 4[^]*solution\/: SIM_STATE_NOT_SHARED[^]*1 of 1 lessons/);
  assert.equal(bad.status, 2);
  const told = check("--json");
  const { next, lessons: [{ ms, wrong, ...rest }], ...none } = JSON.parse(told.stdout);
  assert.deepEqual([next, rest, none], ["", { id: "own-mine", result: "wrong", fails: ["room-found", "SIM_STATE_NOT_SHARED"] }, {}]);
  assert.ok(ms > 0 && wrong.some((line) => /solution\/: the check "room-found" fails/.test(line)), told.stdout);
  assert.equal(told.status, 2);

  // A start that does not fail, and one that fails otherwise.
  fs.cpSync(path.join(root, "lessons/01-the-empty-map/solution"), path.join(mine, "start"), { recursive: true });
  assert.match(check().stdout, /start\/: the check "room-found" passes, and should fail[^]*start\/: SIM_STATE_NOT_SHARED was not said; said was nothing/);
  fs.writeFileSync(path.join(mine, "start/app/api/rooms/route.js"), "export async function POST( {");
  assert.match(check().stdout, /start\/: the check "room-made" fails, and lesson.yaml does not say so: a room is made: 500/);
});
