// The disk of a function, which is read-only but for /tmp: for child processes and native code alike, where this Linux lets us mount it so, whether the
// instance is started or copied. What is made at build, what development alone does and what a variable names write as they did.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { programsOfNode } from "../node_versions.mjs";
import { cleanUp, copyApp, isNotHere, spawnSim, tempFolder, within } from "./harness.mjs";

const kFiles = {
  // By a child, with its output caught, and by one whose end alone is seen.
  "app/api/child/route.js": `import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
export async function POST(request) {
  const how = await request.text();
  if (how === "sync") {
    try { execFileSync("cp", ["package.json", "written-by-cp.json"], { stdio: "pipe" }); return Response.json({ written: true }); }
    catch (error) { return Response.json({ status: error.status, stderr: String(error.stderr).trim() }); }
  }
  const child = spawn(process.execPath, ["-e", "require('fs').writeFileSync('written-by-node.txt', '')"]);
  let stderr = "";
  child.stderr.on("data", (chunk) => (stderr += chunk));
  const [status] = await once(child, "close");
  return Response.json({ status, stderr: /EROFS.*/.exec(stderr)?.[0] });
}
`,
  // By code of no hook: a worker's own fs, as an addon's.
  "app/api/native/route.js": `import { Worker } from "node:worker_threads";
export async function POST(request) {
  const code = "const fs = require('node:fs'); let said; try { fs.writeFileSync(process.cwd() + '/written-by-worker.txt', ''); said = 'written'; } catch (error) { said = error.code; } require('node:worker_threads').parentPort.postMessage(said);";
  const worker = new Worker(code, { eval: true });
  const said = await new Promise((resolve) => worker.once("message", resolve));
  return Response.json({ said });
}
`,
  // By an addon, whose error is logged, or caught by nobody.
  "app/api/image/route.js": `import sharp from "sharp";
const image = () => sharp({ create: { width: 2, height: 2, channels: 3, background: "red" } }).png();
export async function POST(request) {
  const how = await request.text();
  if (how === "thrown") await image().toFile("public/thrown.png");
  if (how === "tmp") return Response.json({ size: (await image().toFile("/tmp/sound.png")).size > 0 });
  try { await image().toFile("public/logged.png"); }
  catch (error) { console.error("no image:", error); return Response.json({ said: error.message.split("\\n")[1] }); }
  return Response.json({ written: true });
}
`,
  // By one that names no file; the same words from elsewhere.
  "app/api/nameless/route.js": `import { join } from "node:path";
const addon = { exports: {} };
export async function POST(request) {
  if (!addon.exports.write) process.dlopen(addon, join(process.cwd(), "refused.node"));
  const how = await request.text();
  try {
    if (how === "other") throw new Error("the other machine says: Read-only file system (os error 30)");
    if (how === "thread") {
      const error = new Error("Read-only file system (os error 30)");
      error.stack = String(error);
      throw error;
    }
    addon.exports.write(how);
  } catch (error) {
    console.error("not written:", error);
    return Response.json({ said: error.message, added: Object.keys(error), hasStack: / at /.test(error.stack) });
  }
  return Response.json({ written: true });
}
`,
  // Clients of SQLite that the project does not name itself, as they say it: with a line of the app, later and without one, with the file.
  "node_modules/better-sqlite3/package.json": '{ "name": "better-sqlite3", "version": "1.0.0", "main": "index.js" }',
  "node_modules/better-sqlite3/index.js": `class SqliteError extends Error {
  constructor(message, code) { super(message); this.code = code; }
}
Object.defineProperty(SqliteError.prototype, "name", { value: "SqliteError" });
module.exports = class Database {
  constructor(file) { if (!require("node:fs").existsSync(file)) throw new SqliteError("unable to open database file", "SQLITE_CANTOPEN"); }
  exec() { throw new SqliteError("attempt to write a readonly database", "SQLITE_READONLY"); }
};
`,
  "node_modules/sqlite3/package.json": '{ "name": "sqlite3", "version": "1.0.0", "main": "index.js" }',
  "node_modules/sqlite3/index.js": `exports.Database = function (file, done) {
  const error = Object.assign(new Error("SQLITE_CANTOPEN: unable to open database file"), { errno: 14, code: "SQLITE_CANTOPEN" });
  error.stack = String(error);
  setImmediate(done, error);
};
`,
  "node_modules/libsql/package.json": '{ "name": "libsql", "version": "1.0.0", "main": "index.js" }',
  "node_modules/libsql/index.js": `module.exports = class Database {
  constructor(file) { throw new Error('ConnectionFailed("Unable to open connection to local database ' + file + ': 14")'); }
};
`,
  "shipped.db": "",
  "app/api/clients/route.js": `import { join } from "node:path";
import Database from "better-sqlite3";
export async function POST(request) {
  const how = await request.text();
  try {
    if (how === "new") new Database(join(process.cwd(), "public", "new.db"));
    if (how === "shipped") new Database("shipped.db").exec("insert");
    if (how === "nowhere") new Database("no-folder/new.db");
  } catch (error) { console.error("no database:", error); return Response.json({ said: error.code }); }
  return Response.json({});
}
`,
  "app/api/later/route.js": `import sqlite3 from "sqlite3";
export async function POST() {
  const error = await new Promise((done) => new sqlite3.Database("later.sqlite", done));
  console.error("no database:", error);
  return Response.json({ said: error.code });
}
`,
  "app/api/named/route.js": `import Database from "libsql";
export async function POST() {
  try { new Database(["./na", "med.db"].join("")); }
  catch (error) { console.error(error); return Response.json({ said: error.message.slice(0, 16) }); }
}
`,
  // Whose error nobody hears of; a file that is named by no path.
  "app/api/quiet/route.js": `import sharp from "sharp";
import v8 from "node:v8";
export async function POST(request) {
  if (await request.text() === "heap") v8.writeHeapSnapshot("heap.heapsnapshot");
  await sharp({ create: { width: 2, height: 2, channels: 3, background: "red" } }).png().toFile("public/quiet.png").catch(() => {});
  return Response.json({});
}
`,
  "refused.c": `#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
typedef struct env *napi_env;
typedef struct value *napi_value;
int napi_throw_error(napi_env, const char *, const char *);
int napi_create_function(napi_env, const char *, size_t, napi_value (*)(napi_env, void *), void *, napi_value *);
int napi_set_named_property(napi_env, napi_value, const char *, napi_value);
static napi_value write_file(napi_env env, void *info) {
  char said[200];
  (void)info;
  if (open("written-by-addon.txt", O_CREAT | O_WRONLY, 0600) >= 0) return 0;
  snprintf(said, sizeof said, "%s (os error %d)", strerror(errno), errno);
  napi_throw_error(env, 0, said);
  return 0;
}
napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  napi_value made;
  napi_create_function(env, "write", 5, write_file, 0, &made);
  napi_set_named_property(env, exports, "write", made);
  return exports;
}
`,
  "app/api/sqlite/route.js": `import { DatabaseSync } from "node:sqlite";
export async function POST(request) {
  const [file, options] = await request.json();
  try {
    const db = new DatabaseSync(file, options ?? {});
    db.exec("create table notes (text)");
    return Response.json({ rows: db.prepare("select * from notes").all().length });
  } catch (error) { return Response.json({ said: error.message }); }
}
`,
  // Sound: /tmp, and a folder that a variable names, by a child.
  "app/api/sound/route.js": `import { execFileSync } from "node:child_process";
export async function POST() {
  const text = execFileSync("sh", ["-c", 'echo one > /tmp/x && cat /tmp/x && echo two > "$DATA_DIR/child.txt" && cat "$DATA_DIR/child.txt"'], { encoding: "utf8" });
  return Response.json({ text });
}
`,
  "app/api/types/route.js": `import { execFileSync } from "node:child_process";
export async function POST() {
  if (process.env.NODE_ENV !== "production") execFileSync("sh", ["-c", "echo 1 > types-of-development.txt"]);
  return Response.json({ ok: true });
}
`,
  // At build the disk can be written.
  "pages/feed.js": `import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
export function getStaticProps() {
  writeFileSync("feed-by-fs.xml", "<rss/>");
  execFileSync("sh", ["-c", "echo '<rss/>' > feed-by-child.xml"]);
  return { props: {} };
}
export default function Feed() { return <p>feed</p>; }
`,
  "client.mjs": `for (const [path, body] of JSON.parse(process.argv[2])) {
  const res = await fetch(process.env.BASE_URL + path, body === undefined ? {} : { method: "POST", body });
  console.log("answer:", path, res.status, res.headers.get("content-type")?.includes("json") ? await res.text() : "");
}
`,
};

const kBad = [["/api/child", "sync"], ["/api/child", "async"], ["/api/native", ""]];
const kGood = [["/api/sound", ""], ["/api/types", ""], ["/feed"]];

async function run(app, requests, args, env) {
  const temp = await tempFolder("disk");
  const events = join(temp, "events.jsonl");
  const sim = spawnSim(["test", "--port", "0", "--profile", "hobby", "--events", events, ...args, "--", process.execPath, "client.mjs", JSON.stringify(requests)], { cwd: app, temp, env });
  const { code } = await within(280_000, "the whole run", sim.exited).catch((error) => {
    throw new Error(`${error.message}; printed:\n${sim.output.text}`);
  });
  await sim.stop();
  const { text } = sim.output;
  const told = (await readFile(events, "utf8")).trim().split("\n").map((line) => JSON.parse(line)).flatMap(({ verdicts = [] }) => verdicts);
  return {
    code,
    text,
    answers: [...text.matchAll(/answer: (\S+) (\d+) ?(.*)/g)].map(([, path, status, body]) => [path, status, body && JSON.parse(body)]),
    told: told.map(({ code: name, enforced, file, measured }) => `${enforced ? "✗" : "!"} ${name} ${file.replace(/(:\d+):\d+$/, "$1")}: ${measured.replace(/ at .*/, "")}`),
    open: /outside \/tmp only what Node's fs writes is refused, .*: (.*)/.exec(text)?.[1],
  };
}

describe("The disk of a function for all that it starts", { timeout: 900_000 }, () => {
  after(cleanUp);

  for (const [word, more] of [["copied", ["--set", "instances.fork=on"]], ["started", ["--set", "instances.fork=off"]]]) {
    test(`is read-only: ${word}`, async (t) => {
      const app = await copyApp(kFiles);
      const data = join(app, "data");
      await mkdir(data);
      const { answers, code, open, text, told } = await run(app, [...kBad, ...kGood], more, { DATA_DIR: "./data" });
      if (isNotHere(t, open)) return;
      assert.deepEqual(answers, [
        ["/api/child", "200", { status: 1, stderr: "cp: cannot create regular file 'written-by-cp.json': Read-only file system" }],
        ["/api/child", "200", { status: 1, stderr: "EROFS: read-only file system, open 'written-by-node.txt'" }],
        ["/api/native", "200", { said: "EROFS" }],
        ["/api/sound", "200", { text: "one\ntwo\n" }],
        ["/api/types", "200", { ok: true }],
        ["/feed", "200", ""],
      ], text);
      assert.deepEqual(told, [
        "✗ SIM_READ_ONLY_FILESYSTEM app/api/child/route.js:6: a write by cp of /var/task/written-by-cp.json",
        "✗ SIM_READ_ONLY_FILESYSTEM app/api/child/route.js:9: a write by node of /var/task/written-by-node.txt",
      ], text);
      assert.equal(code, 2, text);
      const there = ["written-by-cp.json", "written-by-node.txt", "written-by-worker.txt", "types-of-development.txt", "data/child.txt", "feed-by-fs.xml", "feed-by-child.xml"].filter((name) => existsSync(join(app, name)));
      assert.deepEqual(there, ["types-of-development.txt", "data/child.txt", "feed-by-fs.xml", "feed-by-child.xml"], text);
    });
  }

  test("what an addon is refused is told at the app's line, by its error", async (t) => {
    const { answers, code, open, text, told } = await run(await copyApp(kFiles), [["/api/image", "tmp"], ["/api/image", "logged"], ["/api/image", "thrown"]], [], {});
    if (isNotHere(t, open)) return;
    assert.deepEqual(answers, [["/api/image", "200", { size: true }], ["/api/image", "200", { said: "system error: Read-only file system" }], ["/api/image", "500", ""]], text);
    assert.deepEqual(told, [
      "✗ SIM_READ_ONLY_FILESYSTEM app/api/image/route.js:7: a write by native code of /var/task/public/logged.png",
      "✗ SIM_READ_ONLY_FILESYSTEM app/api/image/route.js:5: a write by native code of /var/task/public/thrown.png",
    ], text);
    assert.equal(code, 2, text);
  });

  test("so is an error that names no file, if native code of this machine has made it", async (t) => {
    const app = await copyApp(kFiles);
    execFileSync("cc", ["-shared", "-fPIC", "-o", "refused.node", "refused.c"], { cwd: app });
    const { answers, code, open, text, told } = await run(app, ["other", "thread", "here"].map((how) => ["/api/nameless", how]), [], {});
    if (isNotHere(t, open)) return;
    const said = "Read-only file system (os error 30)";
    assert.deepEqual(answers.map(([, , body]) => body), [{ said: `the other machine says: ${said}`, added: [], hasStack: true }, { said, added: [], hasStack: false }, { said, added: [], hasStack: true }], text);
    assert.deepEqual(told, [
      "✗ SIM_READ_ONLY_FILESYSTEM app/api/nameless/route.js: a write by native code of a file, which got EROFS as there",
      "✗ SIM_READ_ONLY_FILESYSTEM app/api/nameless/route.js:13: a write by native code of a file",
    ], text);
    assert.equal(code, 2, text);
  });

  test("what node:sqlite is refused is told where it is opened or written; what is not there, read-only, or in /tmp is not", async (t) => {
    const app = await copyApp(kFiles);
    const requests = [["/tmp/a.db"], [":memory:"], ["no-folder/a.db"], ["new.db"], ["there.db"], ["there.db", { readOnly: true }]].map((given) => ["/api/sqlite", JSON.stringify(given)]);
    const env = { PATH: `${programsOfNode(24)}:${process.env.PATH}` };
    execFileSync(join(programsOfNode(24), "node"), ["-e", "new (require('node:sqlite').DatabaseSync)('there.db').exec('create table others (text)')"], { cwd: app, stdio: "ignore" });
    const { answers, code, open, text, told } = await run(app, requests, [], env);
    if (isNotHere(t, open)) return;
    const [cannot, isReadOnly] = [{ said: "unable to open database file" }, { said: "attempt to write a readonly database" }];
    assert.deepEqual(answers.map(([, , body]) => body), [{ rows: 0 }, { rows: 0 }, cannot, cannot, isReadOnly, isReadOnly], text);
    assert.deepEqual(told, [
      "✗ SIM_READ_ONLY_FILESYSTEM app/api/sqlite/route.js:5: a write by node:sqlite of /var/task/new.db",
      "✗ SIM_READ_ONLY_FILESYSTEM app/api/sqlite/route.js:6: a write by node:sqlite of /var/task/there.db",
    ], text);
    assert.equal(code, 2, text);
  });

  test("what other clients of SQLite cannot open or write is told by their errors, where the file is refused here; so is what sharp is refused though nobody hears of it", async (t) => {
    const app = await copyApp({ ...kFiles, "next.config.mjs": 'export default { serverExternalPackages: ["better-sqlite3", "sqlite3", "libsql", "sharp"] };\n' });
    const requests = [["/api/clients", "new"], ["/api/clients", "shipped"], ["/api/clients", "nowhere"], ["/api/later", ""], ["/api/named", ""], ["/api/quiet", ""], ["/api/quiet", "heap"]];
    const { answers, code, open, text, told } = await run(app, requests, [], {});
    if (open) return t.skip(`not here: ${open}`);
    assert.deepEqual(answers.map(([, status, body]) => body?.said ?? status), ["SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_CANTOPEN", "ConnectionFailed", "200", "500"], text);
    assert.deepEqual(told, [
      "✗ SIM_READ_ONLY_FILESYSTEM app/api/clients/route.js:6: a write by SQLite of /var/task/public/new.db",
      "✗ SIM_READ_ONLY_FILESYSTEM app/api/clients/route.js:7: a write by native code of /var/task/shipped.db",
      "✗ SIM_READ_ONLY_FILESYSTEM app/api/later/route.js: a write by SQLite of /var/task/later.sqlite, which got EROFS as there",
      "✗ SIM_READ_ONLY_FILESYSTEM app/api/named/route.js:3: a write by SQLite of /var/task/named.db",
      "✗ SIM_READ_ONLY_FILESYSTEM app/api/quiet/route.js:5: a write by native code of /var/task/public/quiet.png",
      "✗ SIM_READ_ONLY_FILESYSTEM app/api/quiet/route.js:4: a write by native code of /var/task/heap.heapsnapshot",
    ], text);
    assert.equal(code, 2, text);
  });

  test("under warn all of it can be written, and so where a database stands in the project, which is said", async () => {
    const app = await copyApp({ ...kFiles, "dev.db": "" });
    const warned = await run(app, kBad, ["--set", "disk.writes=warn"], {});
    assert.deepEqual([warned.code, warned.told], [0, []], warned.text);
    // And are gone again: what is there is a file that nothing traced, where a program is given its name.
    for (const name of ["written-by-cp.json", "written-by-node.txt", "written-by-worker.txt"]) rmSync(join(app, name));
    const named = await run(app, kBad, [], { DATABASE_URL: "file:./dev.db" });
    assert.equal(named.open, "DATABASE_URL names dev.db, a database, which writes to the folder that it stands in");
    assert.deepEqual(named.told, [], named.text);
  });
});
