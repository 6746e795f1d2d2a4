// The machine of a deployed function: nothing on its loopback, a disk that is read-only but for /tmp. What works under plain `next dev` and fails there fails
// `vercel-sim test` too, at the app's own line; what is sound beside it stays silent.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { cleanUp, copyApp, editFile, kFull, spawnSim, tempFolder, within } from "./harness.mjs";

const kFiles = {
  "app/api/courses/route.js": `export const dynamic = "force-dynamic";
export function GET() { return Response.json([{ name: "Pottery" }]); }
`,
  // Its own API at the port that it is served on.
  "app/own/page.js": `export const dynamic = "force-dynamic";
const api = process.env.NOT_SET ?? \`http://localhost:\${process.env.PORT ?? 3000}\`;
export default async function Page() {
  const courses = await (await fetch(\`\${api}/api/courses\`)).json();
  return <ul>{courses.map((c) => <li key={c.name}>{c.name}</li>)}</ul>;
}
`,
  "pages/old/own.js": `export async function getServerSideProps() {
  const res = await fetch("http://127.0.0.1:" + process.env.PORT + "/api/courses");
  return { props: { courses: await res.json() } };
}
export default function Old({ courses }) { return <p>{courses.length}</p>; }
`,
  "app/deployment/page.js": `export const dynamic = "force-dynamic";
const base = process.env.VERCEL_URL ? \`https://\${process.env.VERCEL_URL}\` : "http://localhost:3000";
export default async function Page() {
  return <p>{(await (await fetch(base + "/api/courses")).json())[0].name}</p>;
}
`,
  "app/host/page.js": `import { headers } from "next/headers";
export default async function Page() {
  const host = (await headers()).get("host");
  const protocol = host.includes("localhost") ? "http" : "https";
  return <p>{(await (await fetch(\`\${protocol}://\${host}/api/courses\`)).json())[0].name}</p>;
}
`,
  "lib/sheet.js": `import { writeFile, mkdir } from "node:fs/promises";
import path from "node:path";
export class Sheet {
  constructor(dir = "exports") { this.dir = path.join(process.cwd(), "public", dir); }
  async save(name, rows) {
    const file = path.join(this.dir, name);
    await writeFile(file, rows.join("\\n"));
    return file;
  }
  folder() { return mkdir(path.join(this.dir, "new"), { recursive: true }); }
}
`,
  "pages/api/export.js": `import { Sheet } from "../../lib/sheet";
const sheet = new Sheet();
export default async function handler(req, res) {
  const said = (error) => res.status(500).json({ error: error.message });
  await (req.query.folder ? sheet.folder() : sheet.save("batch.csv", ["1,20"])).then((url) => res.json({ url }), said);
}
`,
  "app/upload/route.js": `import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";
import { createWriteStream } from "node:fs";
export async function POST(request) {
  const target = (process.env.UPLOAD_DIR ?? "./public/exports") + "/upload.bin";
  await pipeline(Readable.fromWeb(request.body), createWriteStream(target));
  return Response.json({ saved: target });
}
`,
  "app/temporary/route.js": `import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
export async function POST(request) {
  const folder = await mkdtemp(tmpdir() + "/vsim-temporary-");
  await writeFile(folder + "/a", await request.text());
  const text = await readFile(folder + "/a", "utf8");
  await rm(folder, { recursive: true });
  return Response.json({ text });
}
`,
  // What it has of variables, fonts and descriptors.
  "app/env/route.js": `import { openSync } from "node:fs";
import { availableParallelism } from "node:os";
import sharp from "sharp";
export const dynamic = "force-dynamic";
const { ONLY_LOCAL, ONLY_SHELL, COMMITTED, SET } = process.env;
export async function GET() {
  const { TZ, LANG, LC_ALL, VERCEL_GIT_COMMIT_REF } = process.env;
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="200" height="50"><text x="5" y="35" font-size="30">iiiii</text></svg>';
  const other = svg.replace("iiiii", "WWWWW");
  const [thin, wide] = await Promise.all([svg, other].map((one) => sharp(Buffer.from(one)).raw().toBuffer()));
  const all = [];
  let refused;
  try { for (;;) all.push(openSync("package.json")); } catch (error) { refused = error.code; }
  return Response.json({ ONLY_LOCAL, ONLY_SHELL, COMMITTED, SET, TZ, LANG, LC_ALL, VERCEL_GIT_COMMIT_REF, hasLetters: !thin.equals(wide), cpus: availableParallelism(), isFull: all.length > 900 && all.length < 1024, refused });
}
`,
  ".env": "COMMITTED=of .env\n",
  ".env.local": "ONLY_LOCAL=1\nCOMMITTED=of .env.local\n",
  "settings.env": "SET=there\n",
  // Made at build, where the disk can be written.
  "pages/feed.js": `import { writeFileSync } from "node:fs";
export function getStaticProps() {
  writeFileSync("public/exports/feed.xml", "<rss/>");
  return { props: {} };
}
export default function Feed() { return <p>feed</p>; }
`,
  "public/exports/.keep": "",
  "client.mjs": `const [good] = process.argv.slice(2);
const all = good === "env" ? [["/env"]] : good === "good"
  ? [["/deployment"], ["/host"], ["/temporary", "text"], ["/feed"]]
  : [["/own"], ["/old/own"], ["/api/export", "x"], ["/api/export?folder=1", "x"], ["/upload", "x"]];
for (const [path, body] of all) {
  const res = await fetch(process.env.BASE_URL + path, body && { method: "POST", body });
  const text = await res.text();
  console.log(path, res.status, text.includes("Pottery") ? "has the courses" : text.startsWith("{") ? text : "");
}
`,
};

async function run(app, what, args = [], env = {}) {
  const temp = await tempFolder("machine");
  const events = join(temp, "events.jsonl");
  const sim = spawnSim(["test", "--port", "0", "--profile", "hobby", "--events", events, ...args, "--", process.execPath, "client.mjs", what], { cwd: app, temp, env });
  const { code } = await within(150_000, "the whole run", sim.exited).catch((error) => {
    throw new Error(`${error.message}; printed:\n${sim.output.text}`);
  });
  await sim.stop();
  const text = sim.output.text;
  const told = (await readFile(events, "utf8")).trim().split("\n").map((line) => JSON.parse(line)).flatMap(({ verdicts = [] }) => verdicts);
  return { code, text, told: told.map(({ code: name, enforced, file }) => `${enforced ? "✗" : "!"} ${name} ${file.replace(/(:\d+):\d+$/, "$1")}`) };
}

describe("The machine of a function", { timeout: 600_000 }, () => {
  after(cleanUp);

  for (const bundler of ["", "webpack"].slice(0, kFull ? 2 : 1)) {
    test(`requests to its own port and writes to the project fail as there, each at its line; sound ones pass ${bundler}`, async () => {
      const app = await copyApp(kFiles);
      if (bundler) await editFile(join(app, "package.json"), '"next dev', '"next dev --webpack');
      const bad = await run(app, "bad");
      assert.deepEqual(
        bad.told,
        [
          "✗ SIM_LOCALHOST_SELF_FETCH app/own/page.js:4",
          "✗ SIM_LOCALHOST_SELF_FETCH pages/old/own.js:2",
          "✗ SIM_READ_ONLY_FILESYSTEM lib/sheet.js:7",
          "✗ SIM_READ_ONLY_FILESYSTEM lib/sheet.js:10",
          "✗ SIM_READ_ONLY_FILESYSTEM app/upload/route.js:6",
        ],
        bad.text,
      );
      assert.equal(bad.code, 2, bad.text);
      assert.match(bad.text, /^\/own 500 /m);
      assert.match(bad.text, /^\/old\/own 500 /m);
      assert.match(bad.text, /^\/api\/export 500 \{"error":"EROFS: read-only file system, open '\/var\/task\/public\/exports\/batch\.csv'"\}$/m);
      assert.match(bad.text, /^\/api\/export\?folder=1 500 \{"error":"ENOENT: no such file or directory, mkdir '\/var\/task\/public\/exports\/new'"\}$/m);
      assert.match(bad.text, /^\/upload 500 /m);
      for (const name of ["batch.csv", "new", "upload.bin"]) assert.equal(existsSync(join(app, "public/exports", name)), false, name);

      const good = await run(app, "good");
      assert.deepEqual(good.told, [], good.text);
      assert.equal(good.code, 0, good.text);
      assert.match(good.text, /^\/deployment 200 has the courses$/m);
      assert.match(good.text, /^\/host 200 has the courses$/m);
      assert.match(good.text, /^\/temporary 200 \{"text":"text"\}$/m);
      assert.match(good.text, /^\/feed 200 /m);
      assert.ok(existsSync(join(app, "public/exports/feed.xml")), "the build writes it");
    });
  }

  test("what only this machine defines is told, and is not there with --env-file; a function is in UTC, has no fonts, one processor and 1,024 descriptors", async () => {
    const app = await copyApp(kFiles);
    const git = (...args) => execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@b.example", ...args], { cwd: app });
    git("init", "-q", "-b", "trunk");
    git("add", ".env", "package.json");
    git("commit", "-q", "-m", "first");
    const env = { ONLY_SHELL: "1", TZ: "Asia/Tokyo", LANG: "de_DE.UTF-8", LC_ALL: "de_DE.UTF-8" };
    const seen = async (args) => {
      const { code, text, told } = await run(app, "env", args, env);
      assert.deepEqual(told, ["✗ SIM_TOO_MANY_DESCRIPTORS app/env/route.js:13"], text);
      assert.equal(code, 2, text);
      return { text, got: JSON.parse(text.match(/^\/env 200 (.*)$/m)[1]) };
    };
    const always = { TZ: "UTC", LANG: "en_US.UTF-8", VERCEL_GIT_COMMIT_REF: "trunk", hasLetters: false, cpus: 1, isFull: true, refused: "EMFILE" };
    const usual = await seen([]);
    assert.deepEqual(usual.got, { ...always, ONLY_LOCAL: "1", ONLY_SHELL: "1", COMMITTED: "of .env.local" });
    assert.match(usual.text, /2 variables that the app reads are defined on this machine alone: ONLY_LOCAL \(\.env\.local\), ONLY_SHELL \(this shell\)/);
    const strict = await seen(["--env-file", "settings.env"]);
    assert.deepEqual(strict.got, { ...always, COMMITTED: "of .env", SET: "there" });
    assert.match(strict.text, /2 variables that the app reads are not there \(environment\.strict\), and only this machine defines them: ONLY_LOCAL/);
  });

  test("under warn and off all of it works", { skip: !kFull && "VSIM_FULL" }, async () => {
    const app = await copyApp(kFiles);
    const warned = await run(app, "bad", ["--set", "network.self=warn", "--set", "disk.writes=warn"]);
    assert.equal(warned.code, 0, warned.text);
    assert.match(warned.text, /^\/own 200 has the courses$/m);
    assert.ok(warned.told.length >= 4 && warned.told.every((line) => line.startsWith("! SIM_")), warned.told.join("\n"));
    assert.ok(existsSync(join(app, "public/exports/batch.csv")));
    const off = await run(app, "bad", ["--set", "network.self=off", "--set", "disk.writes=off"]);
    assert.deepEqual(off.told, []);
  });
});
