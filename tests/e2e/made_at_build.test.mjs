// What `next build` renders once, and the files that tracing puts into a function: both look well under plain `next dev`. What would stay as it was at
// build is told with its file and the cure, and a file that would not be deployed with its function at the line that reads it; what is sound stays silent.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { cleanUp, copyApp, editFile, kFull, spawnSim, tempFolder, within } from "./harness.mjs";
import { makeApp } from "./matrix_app.mjs";

const kPage = (extra, before = "") => `import { all } from "@/lib/notes";
import { Lucky } from "@/components/lucky";
${extra}
export default async function Page() {
  ${before}
  const notes = await Promise.resolve(all());
  return <div id={crypto.randomUUID()}><Lucky count={notes.length > 99} /><ul>{notes.map((n) => <li key={n}>{n}</li>)}</ul></div>;
}
`;

const kFiles = {
  "lib/notes.js": `// Stands for a database: a file beside the app, read with every query.
import { readFileSync, writeFileSync, existsSync } from "node:fs";
const file = process.env.NOTES_FILE;
export function all() { return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : ["first"]; }
export function add(note) { writeFileSync(file, JSON.stringify([...all(), note])); }
`,
  // Rendered again in the browser: what it says by itself is not the page's.
  "components/lucky.js": `"use client";
export function Lucky() { return <b>{Math.random()}</b>; }
`,
  "app/frozen/page.js": kPage(""),
  "app/forced/route.js": `import { all } from "@/lib/notes";
export const dynamic = "force-static";
export function GET() { return Response.json(all()); }
`,
  "pages/old/props.js": `import { all } from "@/lib/notes";
export function getStaticProps() { return { props: { notes: all() } }; }
export default function Props({ notes }) { return <p>{notes.join()}</p>; }
`,
  // Sound: of each request, with a time of its own, or revalidated.
  "app/asks/page.js": kPage('import { connection } from "next/server";', "await connection();"),
  "app/dynamic/page.js": kPage('export const dynamic = "force-dynamic";'),
  "app/hourly/page.js": kPage("export const revalidate = 3600;"),
  "app/fresh/page.js": kPage(""),
  "app/still/page.js": `import { Lucky } from "@/components/lucky";
export default function Page() { return <div id={crypto.randomUUID()}><Lucky /> still</div>; }
`,
  "app/notes/route.js": `import { revalidatePath } from "next/cache";
import { all, add } from "@/lib/notes";
export function GET() { return Response.json(all()); }
export async function POST(request) {
  const { note, path } = await request.json();
  add(note);
  if (path) revalidatePath(path);
  return Response.json({ ok: true });
}
`,
  "lib/mail.ts": `import { readFile } from "node:fs/promises";
import path from "node:path";
const parts = (name: string): string[] => ["templates", name];
export const template = (name: string) => readFile([process.cwd(), ...parts(name)].join("/"), "utf8");
export const post = (slug: string) => readFile(path.join(process.cwd(), "posts", \`\${slug}.md\`), "utf8");
`,
  "app/mail/route.ts": `import { template } from "@/lib/mail";
export const dynamic = "force-dynamic";
export async function GET() { return new Response(await template("mail.html")); }
`,
  "pages/api/post.ts": `import { post } from "../../lib/mail";
export default async function handler(_: unknown, res: any) { res.end(await post("a")); }
`,
  "templates/mail.html": "<p>mail</p>",
  "posts/a.md": "post",
  "client.mjs": `const get = async (path) => (await fetch(process.env.BASE_URL + path)).text();
const add = async (path) => (await fetch(process.env.BASE_URL + "/notes", { method: "POST", body: JSON.stringify({ note: "n" + Math.random(), path }) })).text();
const seen = process.argv.slice(2);
for (const path of seen) await get(path);
await add();
for (const path of seen) await get(path);
await get("/fresh");
await add("/fresh");
await get("/fresh");
`,
  // What is not there, and what is.
  "first.mjs": `const get = async (path) => (await fetch(process.env.BASE_URL + path)).status;
console.log("answers:", await get("/mail"), await get("/mail"), await get("/api/post"));
`,
};

// Next 14 has no connection(), and ends each handler with a call that revalidates no tag.
const { "app/asks/page.js": _, ...kOf14 } = Object.fromEntries(Object.entries(kFiles).filter(([name]) => /^(app|pages|lib|components|client)\b.*js$/.test(name)));
const kFiles14 = {
  ...kOf14,
  "app/layout.js": "export default function Layout({ children }) { return <html><body>{children}</body></html>; }\n",
  "app/asks/page.js": kPage('import { cookies } from "next/headers";', "cookies();"),
  "jsconfig.json": '{ "compilerOptions": { "paths": { "@/*": ["./*"] } } }',
};

const kFrozen = {
  "app/tagged/page.js": `import { unstable_cache } from "next/cache";
import { all } from "@/lib/notes";
const cached = unstable_cache(async () => all(), ["notes"], { tags: ["notes"] });
export default async function Page() { return <p>{(await cached()).join()}</p>; }
`,
  "app/short/page.js": kPage("export const revalidate = 1;"),
  "app/tags/route.js": `import { revalidateTag } from "next/cache";
export function POST() { revalidateTag("notes", "max"); return Response.json({ ok: true }); }
`,
  "freezing.mjs": `const get = async (path) => (await fetch(process.env.BASE_URL + path)).text();
const post = async (path, body = {}) => (await fetch(process.env.BASE_URL + path, { method: "POST", body: JSON.stringify(body) })).text();
const paths = ["/frozen", "/forced", "/old/props", "/fresh", "/asks", "/short", "/tagged"];
const has = async (note) => (await Promise.all(paths.map(async (path) => (await get(path)).includes(note) && path))).filter(Boolean).join(" ");
for (const path of paths) await get(path);
await post("/notes", { note: "note-uno", path: "/fresh" });
console.log("one:", await has("note-uno"));
await post("/notes", { note: "note-due", path: "/nothing" });
await post("/tags");
// The second that the one is good for, and what the data cache gives once more before it asks again.
for (const path of ["/short", "/tagged"]) for (const end = Date.now() + 30_000; Date.now() < end && !(await get(path)).includes("note-due"); );
console.log("two:", await has("note-due"));
`,
};

const kBad = ["/frozen", "/forced", "/old/props", "/mail"];
const kGood = ["/asks", "/dynamic", "/still", "/notes", "/api/post"];

async function run(app, paths, args = [], client = "client.mjs") {
  const temp = await tempFolder("made");
  const events = join(temp, "events.jsonl");
  const command = [process.execPath, client, ...paths];
  const sim = spawnSim(["test", "--port", "0", "--profile", "hobby", "--events", events, ...args, "--", ...command], { cwd: app, temp, env: { NOTES_FILE: join(temp, "notes.json") } });
  const { code } = await within(150_000, "the whole run", sim.exited).catch((error) => {
    throw new Error(`${error.message}; printed:\n${sim.output.text}`);
  });
  await sim.stop();
  const all = (await readFile(events, "utf8")).trim().split("\n").map((line) => JSON.parse(line));
  const told = all.flatMap(({ verdicts = [] }) => verdicts).map(({ code: name, enforced, file }) => `${enforced ? "✗" : "!"} ${name} ${file.replace(/(:\d+):\d+$/, "$1")}`);
  return { code, text: sim.output.text, told: told.sort() };
}

describe("Made at build, and deployed with the function", { timeout: 600_000 }, () => {
  after(cleanUp);

  for (const bundler of ["", "webpack"].slice(0, kFull ? 2 : 1)) {
    test(`what stays as it was at build and what is not deployed is told, each at its file; sound ones are not ${bundler}`, async () => {
      const app = await copyApp(kFiles);
      if (bundler) await editFile(join(app, "package.json"), '"next dev', '"next dev --webpack');
      const { code, text, told } = await run(app, [...kBad, ...kGood]);
      assert.deepEqual(
        told,
        ["! SIM_FILE_NOT_TRACED lib/mail.ts:4", "! SIM_MADE_AT_BUILD app/forced/route.js", "! SIM_MADE_AT_BUILD app/frozen/page.js", "! SIM_MADE_AT_BUILD pages/old/props.js"],
        text,
      );
      assert.equal(code, 0, text);
      assert.match(text, /outputFileTracingIncludes: \{ '\/mail': \['\.\/templates\/mail\.html'\] \}/);
      assert.match(text, /connection\(\)/);
    });
  }

  test("on Next 14 too: a handler that revalidates nothing makes nothing anew", async () => {
    const { code, text, told } = await run(await makeApp("14-webpack", kFiles14, null), ["/frozen", "/forced", "/old/props", "/asks", "/dynamic", "/still", "/notes"]);
    assert.deepEqual(told, ["! SIM_MADE_AT_BUILD app/forced/route.js", "! SIM_MADE_AT_BUILD app/frozen/page.js", "! SIM_MADE_AT_BUILD pages/old/props.js"], text);
    assert.equal(code, 0, text);
  });

  test("frozen, it is answered as it was first: until its time is over, its path or its tag is revalidated", { skip: !kFull && "VSIM_FULL" }, async () => {
    const app = await copyApp({ ...kFiles, ...kFrozen });
    const { code, text, told } = await run(app, [], ["--static", "frozen"], "freezing.mjs");
    assert.equal(code, 0, text);
    assert.match(text, /^one: \/fresh \/asks( \/short)?$/m);
    assert.match(text, /^two: \/asks \/short \/tagged$/m);
    assert.deepEqual(told, [], text);
  });

  test("enforced, a file that tracing does not find is ENOENT for that function, from the first read on", async () => {
    const app = await copyApp(kFiles);
    const { code, text, told } = await run(app, [], ["--set", "disk.reads=enforce"], "first.mjs");
    assert.match(text, /answers: 500 500 200/);
    assert.deepEqual(told, ["✗ SIM_FILE_NOT_TRACED lib/mail.ts:4"], text);
    assert.equal(code, 2, text);
  });

  test("enforced, both fail the test; a page with a time of its own is a remark", { skip: !kFull && "VSIM_FULL" }, async () => {
    const app = await copyApp({ ...kFiles, "next.config.mjs": `export default { outputFileTracingIncludes: { "/mail": ["./templates/**/*"] } };\n` });
    const strict = await run(app, kBad, ["--set", "static.changes=enforce", "--set", "disk.reads=enforce"]);
    assert.equal(strict.code, 2, strict.text);
    assert.ok(strict.told.every((line) => line.startsWith("✗ SIM_MADE_AT_BUILD")) && strict.told.length === 3, strict.text);
    const hourly = await run(app, ["/hourly"]);
    assert.deepEqual(hourly.told, []);
    assert.match(hourly.text, /\/hourly changed within .* here; on Vercel it stays as it is for 3600s/);
  });
});
