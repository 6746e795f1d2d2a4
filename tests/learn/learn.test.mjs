// The runner of the lessons without an app: what is wrong in a lesson is said, what is shown is what the events say, and an installation that
// fails says why. Needs the program for its YAML reader (VSIM_BIN).
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { describe, test } from "node:test";
import { eventually } from "../integration/program.mjs";

const require = createRequire(import.meta.url);
const root = path.resolve(import.meta.dirname, "../..");
const program = path.resolve(process.env.VSIM_BIN ?? path.join(root, "build/vercel-sim"));
const { lanesOf, requestLines } = require("../../src/learn/lanes.cjs");
const { fit, wrap, blocksOf } = require("../../src/learn/screen.cjs");
const { violationsOf } = require("../../src/learn/probe.cjs");
const { request, stream } = require("../../src/learn/client.cjs");

function folder(t) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "vs-l-"));
  t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
  return dir;
}
const learn = (args, options = {}) => spawnSync(program, ["learn", ...args], { encoding: "utf8", timeout: 30_000, ...options });

describe("a lesson of a teacher's own", () => {
  const first = path.join(root, "lessons/01-the-empty-map");
  const copy = (t, change = () => {}) => {
    const dir = path.join(folder(t), "mine");
    fs.cpSync(first, dir, { recursive: true });
    change(dir);
    return dir;
  };
  const edit = (from, to) => (dir) => {
    const file = path.join(dir, "lesson.yaml");
    const text = fs.readFileSync(file, "utf8");
    assert.ok(text.includes(from), from);
    fs.writeFileSync(file, text.replace(from, to));
  };
  for (const [what, change, said] of [
    ["an unknown key", edit("minutes: 4", "minuts: 4"), /mine\/lesson\.yaml:2:1: minuts: unknown key; expected one of title, minutes/],
    ["a key that is missing", edit("minutes: 4\n", ""), /mine\/lesson\.yaml:1:1: minutes: is missing/],
    ["a wrong value", edit("minutes: 4", "minutes: soon"), /mine\/lesson\.yaml:2:10: minutes: expected a whole number from 1 to 60, got "soon"/],
    ["a key twice", edit("minutes: 4", "minutes: 4\nminutes: 5"), /mine\/lesson\.yaml:3:1: minutes: stands here twice/],
    ["a map for a text", edit("title: The Map that is empty again", "title: {a: b}"), /mine\/lesson\.yaml:1:8: title: expected a text, got a map/],
    ["no YAML", edit("minutes: 4", "minutes: [4"), /mine\/lesson\.yaml:\d+:\d+: not valid YAML/],
    ["two right answers", edit("- text: Four times 404. Nothing", "- right: true\n    text: Four times 404. Nothing"), /choices: expected one with `right: true`/],
    ["a file that is not there", edit("app/api/rooms/route.js", "app/api/room/route.js"), /files: start\/app\/api\/room\/route\.js does not exist/],
    ["a path out of the lesson", edit("- app/api/rooms/route.js", "- ../route.js"), /files\[1\]: expected the path of a file inside the lesson, got "\.\.\/route\.js"/],
    ["no probe", (dir) => fs.rmSync(path.join(dir, "probe.cjs")), /mine\/probe\.cjs: is missing/],
    ["a probe that does not parse", (dir) => fs.writeFileSync(path.join(dir, "probe.cjs"), "module.exports = (t => {"), /mine\/probe\.cjs: SyntaxError/],
    ["a section that nobody knows", (dir) => fs.appendFileSync(path.join(dir, "text.md"), "## Whi\n"), /mine\/text\.md:\d+: unknown section "Whi"; expected one of Why, Mend it, Other ways/],
    ["a section that is missing", (dir) => fs.writeFileSync(path.join(dir, "text.md"), "## Why\nso\n"), /mine\/text\.md: the section "## Mend it" is missing or empty/],
  ]) {
    test(`${what}: said with its place, exit code 64, and nothing is made`, (t) => {
      const dir = copy(t, change);
      const { status, stderr } = learn(["--check", "mine"], { cwd: path.dirname(dir) });
      assert.match(stderr, said);
      assert.equal(status, 64);
      assert.deepEqual(fs.readdirSync(path.dirname(dir)), ["mine"]);
    });
  }

  test("all mistakes at once", (t) => {
    const dir = copy(t, (d) => (edit("minutes: 4", "minutes: soon\ncolour: red")(d), fs.rmSync(path.join(d, "probe.cjs"))));
    const { stderr } = learn(["--check", dir]);
    assert.equal(stderr.trim().split("\n").length, 3, stderr);
  });
});

test("the lessons of this repository are sound, and named in order", () => {
  const { status, stdout } = learn(["--list"], { cwd: os.tmpdir() });
  assert.equal(status, 0);
  assert.deepEqual([...stdout.matchAll(/^ {2}. {1,2}(\d+) /gm)].map(([, n]) => Number(n)), stdout.trimEnd().split("\n").map((_, i) => i + 1));
});

test("a folder that is somebody else's is left alone", (t) => {
  const dir = folder(t);
  fs.writeFileSync(path.join(dir, "thesis.txt"), "mine");
  const { status, stderr } = learn(["1", `--dir=${dir}`]);
  assert.equal(status, 64);
  assert.match(stderr, /is there already, and is no folder of lessons\nfix: give another one: vercel-sim learn --dir FOLDER/);
  assert.deepEqual(fs.readdirSync(dir), ["thesis.txt"]);
});

test("reset and export of a lesson that was not begun", (t) => {
  const cwd = folder(t);
  assert.match(learn(["--reset", "1"], { cwd }).stderr, /lesson 1 has not been begun in vercel-sim-lessons\nfix: vercel-sim learn 1/);
  const { status, stderr } = learn(["--export", "a.html", "2"], { cwd });
  assert.equal(status, 64);
  assert.match(stderr, /lesson 2 has not been run in vercel-sim-lessons/);
  assert.deepEqual(fs.readdirSync(cwd), []);
});

describe("an installation that fails", () => {
  test("no npm: said, 70", (t) => {
    const dir = folder(t);
    fs.symlinkSync(process.execPath, path.join(dir, "node"));
    const { status, stdout, stderr } = learn(["1"], { cwd: dir, env: { PATH: dir } });
    assert.match(stdout, /Lesson 1 of \d+: The Map that is empty again/, "the question comes without it");
    assert.match(stderr, /npm is in no directory of PATH\nfix: npm comes with Node\.js/);
    assert.equal(status, 70);
  });

  test("no network: said, with what to do", (t) => {
    const cwd = folder(t);
    const env = { ...process.env, npm_config_registry: "http://127.0.0.1:9", npm_config_cache: path.join(cwd, "cache"), npm_config_fetch_retries: "0" };
    const { status, stderr } = learn(["1"], { cwd, env });
    assert.match(stderr, /the lessons' app could not be installed:[^]*ECONNREFUSED[^]*fix: the first time a network is needed/);
    assert.equal(status, 70);
  });

  test("interrupted: 130, and npm is not left running", async (t) => {
    const dir = folder(t);
    // An npm that waits; it tells that it runs.
    const npm = path.join(dir, "npm");
    fs.writeFileSync(npm, `#!/bin/sh\necho $$ > '${dir}/pid'\nexec sleep 60\n`, { mode: 0o755 });
    const child = spawn(program, ["learn", "1"], { cwd: dir, env: { ...process.env, PATH: `${dir}:${process.env.PATH}` }, stdio: ["ignore", "pipe", "pipe"] });
    t.after(() => child.kill("SIGKILL"));
    const ended = new Promise((done) => child.once("close", (code, signal) => done(code ?? signal)));
    await eventually("npm runs", () => fs.existsSync(path.join(dir, "pid")) && fs.readFileSync(path.join(dir, "pid"), "utf8").trim());
    const pid = Number(fs.readFileSync(path.join(dir, "pid"), "utf8"));
    child.kill("SIGINT");
    assert.equal(await ended, 130);
    await eventually("npm is gone", () => !fs.existsSync(`/proc/${pid}`) || /\) Z/.test(fs.readFileSync(`/proc/${pid}/stat`, "utf8")));
  });
});

describe("lanes", () => {
  const events = [
    { t: "invocation_started", id: 1, method: "POST", target: "/a" },
    { t: "invocation_started", id: 2, method: "GET", target: "/b" },
    { t: "invocation_ended", id: 2, seq: 4, method: "GET", target: "/b", traffic: "invocation", status: 404, instance: "i10", ended_by: "function", phase: "responding" },
    { t: "invocation_ended", id: 1, seq: 5, method: "POST", target: "/a", traffic: "invocation", status: 504, instance: "i2", ended_by: "platform", phase: "running", limit_ms: 2000, code: "FUNCTION_INVOCATION_TIMEOUT" },
    { t: "invocation_ended", id: 3, seq: 6, method: "GET", target: "/_next/x", traffic: "internal", status: 200 },
    { t: "instance_changed", instance: "i2", to: "dying", why: "deadline" },
  ];
  test("requests in the order they began, instances by number, what was cut is marked", () => {
    assert.deepEqual(lanesOf(events, 80), ["       1           2", "  i2   POST 504 ✂  ·           killed at the limit", "  i10  ·           GET 404"]);
    assert.deepEqual(requestLines(events), ["   1  POST /a  504, cut at 2 s on i2  FUNCTION_INVOCATION_TIMEOUT", "   2  GET /b  404 on i10"]);
  });
  test("no line is wider than the terminal", () => {
    const many = Array.from({ length: 30 }, (_, i) => [
      { t: "invocation_started", id: i + 1, method: "GET", target: "/" },
      { t: "invocation_ended", id: i + 1, seq: i, method: "GET", target: "/", traffic: "invocation", status: 200, instance: `i${(i % 3) + 1}`, ended_by: "function" },
    ]).flat();
    const lines = lanesOf(many, 60);
    assert.ok(lines.every((line) => line.length <= 60));
    assert.equal(lines.join(" ").match(/GET 200/g).length, 30);
  });
});

test("violations: what a limit has struck, and crashes, which have a code and no verdict; warnings are none", () => {
  const found = violationsOf([
    { t: "invocation_ended", method: "GET", target: "/a", ended_by: "function", verdicts: [{ code: "SIM_X", enforced: true }, { code: "SIM_Y", enforced: false }] },
    { t: "invocation_ended", method: "GET", target: "/b", ended_by: "app", code: "FUNCTION_INVOCATION_FAILED" },
    { t: "background_work", target: "/c", verdicts: [{ code: "SIM_BACKGROUND_WORK_FROZEN", enforced: true }] },
  ]);
  assert.deepEqual(found.map((v) => v.code), ["SIM_X", "FUNCTION_INVOCATION_FAILED", "SIM_BACKGROUND_WORK_FROZEN"]);
});

test("text: wrapped between words, lists hang, code stays as it is", () => {
  assert.deepEqual(wrap("one two three four", 9), ["one two", "three", "four"]);
  assert.deepEqual(wrap("- one two three", 9, 2), ["- one two", "  three"]);
  assert.deepEqual(blocksOf("a\nb\n\n- c\n- d\n\n```\n x\n```\n").map((b) => (b.code ? b.lines : b.items.map((i) => i.text))), [["a b"], ["- c", "- d"], [" x"]]);
});

test("what is said fits the terminal: it goes on below its text, colours take no room, and no word is broken", () => {
  assert.equal(fit("  1  Four times 200, as long as it lives", 24), "  1  Four times 200, as\n     long as it lives");
  assert.equal(fit("  \x1b[31m✗\x1b[39m one two three four", 14), "  \x1b[31m✗\x1b[39m one two\n    three four");
  assert.equal(fit("short\n  /a/path/that/is/long", 10), "short\n  /a/path/that/is/long");
  assert.equal(fit("i1  POST 201  ·       ·", 40), "i1  POST 201  ·       ·");
});

describe("the client of a probe", () => {
  const serve = async (t, handler) => {
    const server = require("node:http").createServer(handler);
    await new Promise((done) => server.listen(0, "127.0.0.1", done));
    t.after(() => (server.closeAllConnections(), server.close()));
    return `http://127.0.0.1:${server.address().port}`;
  };
  test("tells an answer that was cut from a whole one, and nothing at all", async (t) => {
    const url = await serve(t, (req, res) => {
      if (req.url === "/whole") return void res.end('{"a":1}');
      if (req.url === "/nothing") return void req.socket.destroy();
      res.write("half", () => req.socket.destroy());
    });
    const [whole, half, nothing] = await Promise.all(["/whole", "/half", "/nothing"].map((p) => request(url, "GET", p)));
    assert.deepEqual([whole.status, whole.json, whole.cut], [200, { a: 1 }, false]);
    assert.deepEqual([half.status, half.text, half.cut], [200, "half", true]);
    assert.deepEqual([nothing.status, nothing.cut], [0, true]);
  });
  test("reads events, split anywhere, and how the stream ended", async (t) => {
    const url = await serve(t, (req, res) => {
      res.write("id: 1\ndata: on");
      setImmediate(() => res.write("e\n\nevent: done\nda", () => (req.url === "/cut" ? req.socket.destroy() : res.end("ta: two\n\n"))));
    });
    const whole = stream(url, "/");
    assert.equal(await whole.ended, "complete");
    assert.deepEqual(whole.events, [{ id: "1", data: "one" }, { event: "done", data: "two" }]);
    const cut = stream(url, "/cut");
    assert.equal(await cut.ended, "cut");
    assert.deepEqual(cut.events, [{ id: "1", data: "one" }]);
  });
});
