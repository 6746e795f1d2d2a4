// /tmp of a function: each instance has one of its own, of the plan's size, whether the instance is started or copied. What works under plain `next dev` by
// way of a shared /tmp fails `vercel-sim test` as there, and is named; temporary files of one request, caches and child processes stay as they were.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { cleanUp, copyApp, isNotHere, spawnSim, tempFolder, within } from "./harness.mjs";

const kFiles = {
  // What one request leaves for the next.
  "app/api/upload/route.js": `import { mkdir, readFile, writeFile } from "node:fs/promises";
const file = (name) => "/tmp/vsim-e2e-uploads/" + name;
export async function POST(request) {
  await mkdir("/tmp/vsim-e2e-uploads", { recursive: true });
  await writeFile(file("x"), await request.text());
  return Response.json({ saved: true });
}
export async function GET() {
  try {
    return new Response(await readFile(file("x"), "utf8"));
  } catch (error) {
    return Response.json({ error: error.code }, { status: 404 });
  }
}
`,
  "app/api/fill/route.js": `import { createWriteStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import { execFileSync } from "node:child_process";
export async function POST(request) {
  const how = await request.text();
  try {
    if (how === "child") execFileSync("sh", ["-c", "head -c 3000000 /dev/zero > /tmp/vsim-e2e-large"], { stdio: "ignore" });
    else if (how === "stream") await new Promise((done, failed) => createWriteStream("/tmp/vsim-e2e-large").on("error", failed).on("close", done).end(Buffer.alloc(3_000_000)));
    else await writeFile("/tmp/vsim-e2e-large", Buffer.alloc(3_000_000));
    return Response.json({ filled: true });
  } catch (error) {
    return Response.json({ error: error.code ?? error.status }, { status: 507 });
  }
}
`,
  // What is sound: within one request, with a child; a cache that is made again; and whatever TMPDIR says, it is /tmp.
  "app/api/sound/route.js": `import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
export async function POST(request) {
  const folder = await mkdtemp(tmpdir() + "/vsim-e2e-");
  await writeFile(folder + "/a", await request.text());
  const seen = execFileSync("cat", [folder + "/a"], { encoding: "utf8" });
  execFileSync("sh", ["-c", "echo from the child > " + folder + "/b"]);
  const back = await readFile(folder + "/b", "utf8");
  await rm(folder, { recursive: true });
  let cached;
  try {
    cached = await readFile("/tmp/vsim-e2e-cache", "utf8");
  } catch {
    cached = "made";
    await writeFile("/tmp/vsim-e2e-cache", cached);
  }
  return Response.json({ where: tmpdir(), seen, back: back.trim(), cached });
}
`,
  "app/api/named/route.js": `import { readFile, writeFile } from "node:fs/promises";
const file = process.env.DATA_DIR + "/named";
export async function POST(request) {
  await writeFile(file, await request.text());
  return Response.json({ saved: true });
}
export async function GET() {
  return new Response(await readFile(file, "utf8"));
}
`,
  // A file that stands for a database: nothing fails where it is not there.
  "lib/notes.js": `import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
const file = tmpdir() + "/vsim-e2e-notes.json";
export const all = () => (existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : ["first"]);
export const add = (note) => writeFileSync(file, JSON.stringify([...all(), note]));
`,
  "app/notes/page.js": `import { all } from "../../lib/notes";
export default function Page() {
  return <ul>{all().map((note) => <li key={note}>{note}</li>)}</ul>;
}
`,
  "app/api/notes/route.js": `import { add, all } from "../../../lib/notes";
export const GET = (request) => Response.json({ notes: all(), search: new URL(request.url).search });
export async function POST(request) {
  add(await request.text());
  return Response.json({ saved: true });
}
`,
  "client.mjs": `for (const [path, body] of JSON.parse(process.argv[2])) {
  const res = await fetch(process.env.BASE_URL + path, body && { method: "POST", body });
  console.log("answer:", path, res.status, await res.text());
}
`,
};

const kUpload = [["/api/upload", "hello"], ["/api/upload"]];
const kSound = [["/api/sound", "one"], ["/api/sound", "two"]];
const kFill = [["/api/fill", "file"], ["/api/fill", "stream"], ["/api/fill", "child"]];

async function run(app, requests, args = [], env = {}) {
  const temp = await tempFolder("tmp");
  const events = join(temp, "events.jsonl");
  const sim = spawnSim(["test", "--port", "0", "--profile", "hobby", "--events", events, ...args, "--", process.execPath, "client.mjs", JSON.stringify(requests)], { cwd: app, temp, env });
  const { code } = await within(180_000, "the whole run", sim.exited).catch((error) => {
    throw new Error(`${error.message}; printed:\n${sim.output.text}`);
  });
  await sim.stop();
  const text = sim.output.text;
  const told = (await readFile(events, "utf8")).trim().split("\n").map((line) => JSON.parse(line)).flatMap(({ verdicts = [] }) => verdicts);
  return {
    code,
    text,
    answers: [...text.matchAll(/answer: (\S+) (\d+) (.*)/g)].map(([, path, status, body]) => `${path} ${status} ${body}`),
    told: told.map(({ code: name, enforced, file, measured }) => ({ name, enforced, file: file.replace(/(:\d+):\d+$/, "$1"), measured })),
    shared: /\/tmp is this machine's own, shared by all instances: (.*)/.exec(text)?.[1],
  };
}

describe("/tmp of a function", { timeout: 900_000 }, () => {
  after(cleanUp);

  for (const [word, more] of [["started", ["--set", "instances.fork=off"]], ["copied", ["--set", "instances.fork=on"]]]) {
    test(`each instance has a /tmp of its own: ${word}`, async (t) => {
      const app = await copyApp(kFiles);
      const bad = await run(app, kUpload, more);
      if (isNotHere(t, bad.shared)) return;
      assert.deepEqual(bad.answers, ['/api/upload 200 {"saved":true}', '/api/upload 404 {"error":"ENOENT"}'], bad.text);
      assert.deepEqual(bad.told.map(({ name, enforced, file }) => [name, enforced, file]), [["SIM_TMP_NOT_SHARED", false, "app/api/upload/route.js:10"]], bad.text);
      assert.match(bad.told[0].measured, /^readFile of \/tmp\/vsim-e2e-uploads\/x at .*, which i\d+ has in its own \/tmp: not found here, as there$/);

      const good = await run(app, kSound, more);
      const each = (seen) => `/api/sound 200 ${JSON.stringify({ where: "/tmp", seen, back: "from the child", cached: "made" })}`;
      assert.deepEqual(good.answers, [each("one"), each("two")], good.text);
      assert.deepEqual([good.code, good.told], [0, []], good.text);

      const full = await run(app, kFill, [...more, "--set", "disk.tmp_max=2MB"]);
      assert.deepEqual(full.answers.map((one) => one.slice(0, 13)), ["/api/fill 507", "/api/fill 507", "/api/fill 507"], full.text);
      assert.deepEqual(full.told.map(({ name, enforced, file }) => [name, enforced, file]), [
        ["SIM_TMP_FULL", true, "app/api/fill/route.js:9"],
        ["SIM_TMP_FULL", true, "app/api/fill/route.js:8"],
        ["SIM_TMP_FULL", true, "app/api/fill/route.js"],
      ], full.text);
      assert.equal(full.code, 2, full.text);
    });
  }

  test("a file that stands for a database is told, whatever is answered, and where a page is made at build", async (t) => {
    const { answers, code, shared, text, told } = await run(await copyApp(kFiles), [["/api/notes", "second"], ["/notes"], ["/api/notes"]]);
    if (isNotHere(t, shared)) return;
    assert.deepEqual([answers[0], answers[2]], ['/api/notes 200 {"saved":true}', '/api/notes 200 {"notes":["first"],"search":""}'], text);
    assert.deepEqual(told.map(({ name, enforced, file, measured }) => [name, enforced, file, /not found .*/.exec(measured)?.[0]]), [
      ["SIM_TMP_NOT_SHARED", false, "lib/notes.js:4", "not found where this page is made, at build, as there"],
      ["SIM_TMP_NOT_SHARED", false, "lib/notes.js:4", "not found here, as there"],
    ], text);
    assert.equal(code, 0, text);
  });

  test("what a variable names is shared, and said; with disk.tmp=off all of it is", async (t) => {
    const app = await copyApp(kFiles);
    const data = join(await tempFolder("data"), "d");
    mkdirSync(data);
    const named = await run(app, [["/api/named", "kept"], ["/api/named"]], [], { DATA_DIR: data });
    assert.deepEqual(named.answers, ['/api/named 200 {"saved":true}', "/api/named 200 kept"], named.text);
    assert.equal(readFileSync(join(data, "named"), "utf8"), "kept");
    if (!named.shared && data.startsWith("/tmp/")) assert.match(named.text, /DATA_DIR names \/tmp\/\S+: instances share it here/);
    else t.diagnostic("no /tmp of their own here: nothing to say of what a variable names");
    const off = await run(app, kUpload, ["--set", "disk.tmp=off"]);
    assert.deepEqual(off.answers, ['/api/upload 200 {"saved":true}', "/api/upload 200 hello"], off.text);
    assert.deepEqual(off.told, []);
  });
});
