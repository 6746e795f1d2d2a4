// What Next prerenders is rendered by one instance that lives on (no visitor of a deployment meets the memory of what made it), as long as nothing is
// left there; what is dynamic keeps an instance for each invocation.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { cleanUp, copyApp, editFile, eventually, isEnd, request, startSim } from "./harness.mjs";

const page = (body, before = "") => `${before}
export default async function Page() { ${body} }
`;
// More variables than are told of; `last` is what the page does with the last one.
const many = (count, last) => {
  const parts = Array.from({ length: Math.ceil(count / 100) }, (_, i) => i);
  const names = (part) => Array.from({ length: 100 }, (_, i) => `v${part}_${i}`);
  const texts = parts.map((part) => [`lib/many${count}/p${part}.ts`, `${names(part).map((name) => `let ${name} = 1;`).join("\n")}\nexport const sum${part} = () => ${names(part).join(" + ")};\nexport const last${part} = () => ${last ? `(${names(part)[99]} += 1)` : names(part)[99]} - 1;\n`]);
  const imports = parts.map((part) => `import { sum${part}, last${part} } from "@/lib/many${count}/p${part}";`).join("\n");
  return { ...Object.fromEntries(texts), [`app/made/many${count}/page.tsx`]: page(`void [${parts.map((part) => `sum${part}()`).join(", ")}]; return <p>pid={process.pid}= renders={last${parts.at(-1)}()}=</p>;`, imports) };
};
const kFiles = {
  ...many(300, false),
  ...many(400, true),
  ...many(1100, false),
  "lib/shown.ts": "export const rooms = new Map<string, string>();\n",
  "app/made/plain/page.tsx": page("return <p>pid={process.pid}=</p>;"),
  "app/made/other/page.tsx": page("return <p>pid={process.pid}=</p>;"),
  "app/made/counts/page.tsx": page("renders += 1; return <p>pid={process.pid}= renders={renders}=</p>;", "let renders = 0;"),
  "app/made/collects/page.tsx": page("seen.push(1); return <p>pid={process.pid}= renders={seen.length}=</p>;", "const seen: number[] = [];"),
  "app/made/rooms/page.tsx": page("return <p>pid={process.pid}= rooms={rooms.size}=</p>;", 'import { rooms } from "@/lib/shown";'),
  "app/made/timer/page.tsx": page("setInterval(() => {}, 1000); return <p>pid={process.pid}=</p>;"),
  "app/made/throws/page.tsx": page('if (process.pid > 0) throw new Error("on purpose"); return <p />;'),
  "app/asked/page.tsx": page("await headers(); return <p>pid={process.pid}=</p>;", 'import { headers } from "next/headers";'),
  "app/api/fill/route.ts": `import { rooms } from "@/lib/shown";
export const dynamic = "force-dynamic";
export async function POST() { rooms.set("tea", "Ann"); return Response.json({ size: rooms.size, pid: process.pid }); }
`,
};

describe("What is prerendered", { timeout: 400_000 }, () => {
  let app;
  let sim;

  before(async () => {
    app = await copyApp(kFiles);
    sim = await startSim(["--profile", "hobby"], { cwd: app });
  });
  after(cleanUp);

  // What the page shows, when its instance has been given back: {pid, renders, rooms}.
  async function look(path, status = 200) {
    const ends = () => sim.events().filter(isEnd({ target: path }));
    const past = ends().length;
    const response = await request(sim.url + path);
    assert.equal(response.status, status, path);
    await eventually(`the end of ${path}`, 10_000, () => ends().length > past);
    const { instance } = ends().at(-1);
    await eventually(`${instance} to be given back`, 10_000, () => sim.events().findLast((event) => event.t === "instance_changed" && event.instance === instance)?.to !== "leased");
    const shown = [...response.text.matchAll(/(pid|renders|rooms)=(?:<!-- -->)?(\d+)(?:<!-- -->)?=/g)];
    return Object.fromEntries(shown.map(([, name, value]) => [name, Number(value)]));
  }

  // The first look compiles the page, and an edit or a compile ends instances.
  async function twice(path) {
    await look(path);
    return [await look(path), await look(path)];
  }

  test("What is prerendered: one instance renders a static page again, and another static page", async () => {
    const [first, second] = await twice("/made/plain");
    assert.equal(second.pid, first.pid);
    const [other] = await twice("/made/other");
    assert.equal((await look("/made/plain")).pid, other.pid, "functions of a group share it");
  });

  test("What is prerendered: a page that leaves something in its modules is never met again", async () => {
    for (const path of ["/made/counts", "/made/collects"]) {
      const pids = new Set();
      for (let i = 0; i < 3; i += 1) {
        const { pid, renders } = await look(path);
        assert.equal(renders, 1, path);
        pids.add(pid);
      }
      // The first of them may run on the instance that is there for static pages.
      assert.equal(pids.size, 3, path);
    }
  });

  test("What is prerendered: nor one that leaves something in the last of 400 variables, or has more than are looked at; one of 300 is", async () => {
    const [first, second] = await twice("/made/many300");
    assert.equal(second.pid, first.pid);
    for (const [path, renders] of [["/made/many400", 1], ["/made/many1100", 0]]) {
      const looks = [];
      for (let i = 0; i < 3; i += 1) looks.push(await look(path));
      assert.equal(new Set(looks.map(({ pid }) => pid)).size, 3, path);
      assert.deepEqual(looks.map((one) => one.renders), [renders, renders, renders], path);
    }
  });

  test("What is prerendered: nor one that leaves work behind, or that fails", async () => {
    const pids = [];
    for (let i = 0; i < 3; i += 1) pids.push((await look("/made/timer")).pid);
    assert.equal(new Set(pids).size, 3);
    await look("/made/throws", 500);
    const [{ pid }] = await twice("/made/plain");
    await look("/made/throws", 500);
    assert.notEqual((await look("/made/plain")).pid, pid, "what failed may have left anything");
  });

  test("What is prerendered: dynamic pages and handlers have an instance for each invocation", async () => {
    await look("/made/rooms");
    const pids = [];
    for (let i = 0; i < 3; i += 1) pids.push((await look("/asked")).pid);
    assert.equal(new Set(pids).size, 3);
    const filled = JSON.parse((await request(`${sim.url}/api/fill`, { method: "POST" })).text);
    assert.equal(filled.size, 1);
    const { pid, rooms } = await look("/made/rooms");
    assert.equal(rooms, 0);
    assert.notEqual(pid, filled.pid);
  });

  test("What is prerendered: an edit is seen at once", async () => {
    await look("/made/plain");
    await editFile(join(app, "app/made/plain/page.tsx"), "<p>pid=", "<p>edited pid=");
    await eventually("the edited page", 20_000, async () => (await request(`${sim.url}/made/plain`)).text.includes("edited pid="));
    const [first, second] = await twice("/made/plain");
    assert.equal(second.pid, first.pid);
  });
});
